"""The program: `agentic`, and `python -m agentic`, which also looks for no modules in the working directory.

That one may hold anybody's files; PYTHONPATH=. has it searched. Ctrl-C is obeyed from here on, while all is imported.
"""

import sys
from io import TextIOWrapper


def main() -> int:
    """Run the command line of this process and return its exit code; see `agentic.cli.main`.

    What standard output cannot encode, as in the C locale, is written as in a string literal.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
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
