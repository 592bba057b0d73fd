"""The program: `agentic`, and `python -m agentic`, which also looks for no modules in the working directory.

That one may hold anybody's files; PYTHONPATH=. has it searched. Ctrl-C is obeyed from here on, while all is imported.
"""

import sys


def main() -> int:
    """Run the command line of this process and return its exit code; see `agentic.cli.main`."""
    try:
        from agentic.cli import main as run

        return run()
    except KeyboardInterrupt:
        print("agentic: stopped by Ctrl-C", file=sys.stderr)
        return 130


if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # what `-m` put there
    sys.exit(main())
