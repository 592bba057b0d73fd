"""The pictures in the documentation, drawn anew from the numbers they show: `python -m figures`."""
