"""The catalog: every component with its parameters and an example table, and the example files that come along."""
