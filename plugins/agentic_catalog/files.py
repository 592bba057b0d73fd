"""Example files: what each is for, and copies of them."""
