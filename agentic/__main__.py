"""`python -m agentic` is `agentic`, also in that no modules are looked for in the working directory.

That one may hold anybody's files; PYTHONPATH=. has it searched.
"""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # what `-m` put there

    from agentic.cli import main

    sys.exit(main())
