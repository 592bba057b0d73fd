"""What the README shows of a bench: its table and the picture of its report."""
