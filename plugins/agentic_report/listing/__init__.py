"""The runs, benches and sweeps in a folder as a list, read from their manifests; nothing of theirs is run."""
