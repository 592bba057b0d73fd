"""Do intervals cover as often as they say, and do true nulls alarm as often as they say: `python -m calibration`."""
