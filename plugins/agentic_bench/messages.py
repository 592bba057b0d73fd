"""What may be wrong with a bench file, each in one sentence."""

from typing import Any

from pydantic import ValidationError

from agentic.errors import UserError, listed, suggest
from agentic.experiments import RunTable, complaint
from agentic_bench.tables import BenchTable, WorldTable

TABLES = ("bench", "run", "worlds", "agents", "metrics", "interventions")


def check_known(labels: tuple[str, ...], known: list[str], said: str, what: str) -> None:
    """Raises UserError for a label that is none of the known."""
    for label in labels:
        if label not in known:
            raise UserError(
                f"{said} '{label}', which is none of the {what}{suggest(label, known)}; known: {listed(known)}"
            )


def check_unique(labels: list[str], kind: str, where: str) -> None:
    """Raises UserError for a label that is there twice."""
    if repeated := [label for label in labels if labels.count(label) > 1]:
        raise UserError(f"two [[{kind}]] of {where} are called '{repeated[0]}': give one of them another label")


def sentence(error: ValidationError) -> str:
    """The first thing that is wrong, and where."""
    first = error.errors(include_url=False)[0]
    table, *place = first["loc"]
    keys = ".".join(str(key) for key in place if not isinstance(key, int) and not str(key).startswith("constrained"))
    number = next((f" number {key + 1}" for key in place if isinstance(key, int)), "")
    where = f"[[{table}]]{number}" if table in ("worlds", "agents", "metrics", "interventions") else f"[{table}]"
    if first["type"] == "extra_forbidden":
        owners: dict[str, Any] = {"worlds": WorldTable, "bench": BenchTable, "run": RunTable}
        known = list(owners[str(table)].model_fields) if table in owners else TABLES
        return f"unknown {'key' if keys else 'table'} {keys or where} {f'in {where}' if keys else ''}".rstrip() + (
            f"{suggest(keys or str(table), known)}; known: {listed(known)}"
        )
    if first["type"] == "missing":
        return f"{f'{where} needs its {keys}' if keys else f'the bench has no [[{table}]]'}: write it"
    return f"{where} {keys} {complaint(error)}"
