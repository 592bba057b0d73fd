"""`python -m agentic` is `agentic`."""

import sys

from agentic.cli import main

if __name__ == "__main__":
    sys.exit(main())
