"""What agents do when something is changed: their world, their goal, their memory, what they are shown."""
