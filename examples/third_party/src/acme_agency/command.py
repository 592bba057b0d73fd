"""`agentic acme`: what the agency has to say.

The first line is what the help shows; nothing else of this module is looked at before the command is called.
"""

import click


@click.command()
@click.option("--times", default=1, show_default=True, help="How often it is said.")
def acme(times: int) -> None:
    """Say it."""
    click.echo(" ".join(["beep"] * times))
