"""`python -m benchmarks [GROUP ...]`: ratio tables, measured side by side. Nothing is asserted about time."""

import json
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import click
import torch
from rich.table import Table

from benchmarks import (
    agents,
    checkpoints,
    defaults,
    discrete,
    discrete_loops,
    empowerment,
    from_nothing,
    information,
    loop,
    machine,
    planning,
    progress,
    recovery,
    report,
    sampling,
    settling,
    start,
)


class Group(NamedTuple):
    """How one group is measured, `measure(quick, repeats)`, and what is shown of it."""

    measure: Callable[[bool, int], Sequence[Any]]
    tables: Callable[[Any], list[Table]]


GROUPS = {
    "loop": Group(loop.measure, report.loop_tables),
    "start": Group(lambda quick, repeats: start.measure(3 if quick else 5), lambda found: [report.start_table(found)]),
    "agents": Group(agents.measure, lambda found: [report.agents_table(found)]),
    "empowerment": Group(empowerment.measure, lambda found: [report.empowerment_table(found)]),
    "information": Group(information.measure, lambda found: [report.information_table(found)]),
    "sampling": Group(sampling.measure, lambda found: [sampling.table(found)]),
    "settling": Group(settling.measure, lambda found: [settling.table(found)]),
    "discrete": Group(discrete.measure, lambda found: [discrete.table(found)]),
    "discrete_loops": Group(discrete_loops.measure, lambda found: [discrete_loops.table(found)]),
    "from_nothing": Group(from_nothing.measure, lambda found: [from_nothing.table(found)]),
    "defaults": Group(defaults.measure, lambda found: [defaults.table(found)]),
    "planning": Group(planning.measure, lambda found: [planning.table(found)]),
    "checkpoints": Group(checkpoints.measure, lambda found: [checkpoints.table(found)]),
    "progress": Group(progress.measure, lambda found: [progress.table(found)]),
    "recovery": Group(recovery.measure, lambda found: [recovery.table(found)]),
}
LONG = ("defaults", "from_nothing")  # measured only where they are named


@click.command()
@click.argument("groups", nargs=-1, type=click.Choice(tuple(GROUPS)), metavar=" ".join(f"[{name}]" for name in GROUPS))
@click.option("--quick", is_flag=True, help="Fewer and shorter repeats: to see that it works, not to quote.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def main(groups: tuple[str, ...], quick: bool, as_json: bool) -> None:
    """Measure the GROUPS named, or all but `defaults` and `from_nothing`, which take a quarter of an hour and more.

    The loop's overhead, process start, agents' cost per tick, empowerment maps, information from samples; samplers,
    settling, planning and discrete decisions beside other packages, where those are installed; parameters recovered;
    checkpoints saved; what runs where only a world is named.
    """
    torch.set_num_threads(1)
    repeats, begin, where = 3 if quick else 7, perf_counter(), machine.describe()
    console, result = report.console(), {"machine": where, "quick": quick}
    if not as_json:
        console.print(f"{machine.sentence(where)}\n")
    for name in groups or [name for name in GROUPS if name not in LONG]:
        found = GROUPS[name].measure(quick, repeats)
        result[name] = [each.plain() for each in found]
        for table in () if as_json else GROUPS[name].tables(found):
            console.print(table, "")
    result |= {"load_at_end": machine.describe()["load"], "seconds": perf_counter() - begin}
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        console.print(f"{result['seconds']:.0f} s in all; load at the end {result['load_at_end']}")


main()
