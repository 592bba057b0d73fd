"""How fast agentic is, as ratios to references that run beside it: `python -m benchmarks`; see docs/benchmarks.md."""
