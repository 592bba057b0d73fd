"""What is learned from ticks or data: learners, losses, replay."""
