"""What an agent could tell the world: channels from its actions to what it senses later, and their capacity."""
