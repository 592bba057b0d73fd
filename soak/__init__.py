"""The first thing a newcomer types, `agentic run --env X`, tried in a list of worlds: `python -m soak`.

What the list expects of each world stands in `worlds.toml`; the figures of one run in docs/soak.md.
"""
