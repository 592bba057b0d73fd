"""Runs compared: learning curves and returns of groups over seeds, and by how much they differ."""
