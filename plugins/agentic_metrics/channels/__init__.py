"""Channels from actions to what is sensed later, and their capacity: what an agent could do, whatever it does."""
