"""How few steps of experience it takes: protocol, tasks, our agent, other learners, and the runs that are kept.

A package, so that workers and tests can import it; `examples/sample_efficiency.py` runs it.
"""
