"""`python -m benchmarks [GROUP ...]`: ratio tables, measured side by side. Nothing is asserted about time."""

import json
from time import perf_counter

import click
import torch

from benchmarks import agents, empowerment, information, loop, machine, report, start

GROUPS = ("loop", "start", "agents", "empowerment", "information")


@click.command()
@click.argument(
    "groups", nargs=-1, type=click.Choice(GROUPS), metavar="[loop] [start] [agents] [empowerment] [information]"
)
@click.option("--quick", is_flag=True, help="Fewer and shorter repeats: to see that it works, not to quote.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def main(groups: tuple[str, ...], quick: bool, as_json: bool) -> None:
    """Measure the GROUPS named, or all.

    The loop's overhead, process start, agents' cost per tick, empowerment maps, information from samples.
    """
    torch.set_num_threads(1)
    repeats, begin, where = 3 if quick else 7, perf_counter(), machine.describe()
    console, result = report.console(), {"machine": where, "quick": quick}
    if not as_json:
        console.print(f"{machine.sentence(where)}\n")
    for group in groups or GROUPS:
        if group == "loop":
            loops = loop.measure(quick, repeats)
            result[group], tables = [each.plain() for each in loops], report.loop_tables(loops)
        elif group == "start":
            starts = start.measure(3 if quick else 5)
            result[group], tables = [each.plain() for each in starts], [report.start_table(starts)]
        elif group == "empowerment":
            maps = empowerment.measure(quick, repeats)
            result[group], tables = [each.plain() for each in maps], [report.empowerment_table(maps)]
        elif group == "information":
            bits = information.measure(quick, repeats)
            result[group], tables = [each.plain() for each in bits], [report.information_table(bits)]
        else:
            thoughts = agents.measure(quick, repeats)
            result[group], tables = [each.plain() for each in thoughts], [report.agents_table(thoughts)]
        for table in () if as_json else tables:
            console.print(table, "")
    result |= {"load_at_end": machine.describe()["load"], "seconds": perf_counter() - begin}
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        console.print(f"{result['seconds']:.0f} s in all; load at the end {result['load_at_end']}")


main()
