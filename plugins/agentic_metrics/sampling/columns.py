"""Which columns of a record look inside an agent."""

from agentic import Access

INSIDE = ("belief.", "energy.")


def access_to(*columns: str) -> Access:
    """INTERNALS where one of the columns (or of the parts that "+" joins) is of the agent's inside, else RECORDS."""
    names = [name.strip() for column in columns for name in column.split("+")]
    return Access.INTERNALS if any(f"{name}.".startswith(INSIDE) for name in names) else Access.RECORDS
