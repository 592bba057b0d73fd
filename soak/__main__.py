"""The table of docs/soak.md, printed line by line: `python -m soak [ID...]`."""

import sys

from soak.trying import listed, tried

HEAD = """\
| id | outcome | return, 95 % interval | by seed | random | s | GB |
| --- | --- | --- | --- | --: | --: | --: |"""


def main(wanted: list[str]) -> int:
    """Try the worlds of the list, or those named; returns 1 where one is not as the list says."""
    print(HEAD, flush=True)
    faults = 0
    for world in listed():
        if wanted and world.id not in wanted:
            continue
        if not world.there:
            print(f"| {world.id} | not run: {world.needs} is not installed | | | | | |", flush=True)
            continue
        found = tried(world)
        faults += bool(found.fault)
        print(found.row, flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
