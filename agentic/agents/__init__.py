"""What decides: the contract of an agent, the energy-minimizing one, and policies of anybody's making."""
