"""The tables of a bench file, one kind each."""

from pathlib import Path
from typing import Annotated, Any, final

from pydantic import Field

from agentic import Informed
from agentic.experiments import (
    TOP,
    Count,
    LearnTable,
    Named,
    PlannerTable,
    Positive,
    Seeds,
    Table,
    Wrapping,
    agent_path,
    seeds_of,
)

Label = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$")]  # one line


class Labeled(Named):
    """A component with a `label` of its own (None: its name), in some of the `worlds` (none named: in all)."""

    label: Label | None = None
    worlds: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return self.label or Path(agent_path(self.name)).stem or self.name

    @property
    def component(self) -> Named:
        """The component itself: its name and its parameters."""
        return Named(name=self.name, **self.parameters)

    def lives_in(self, world: str) -> bool:
        return not self.worlds or world in self.worlds


@final
class BenchTable(Table):
    """The table [bench].

    `seeds`: a list, or how many from 0 on. `candidates`: best plans per tick that each first seed records.
    `time_limit`: seconds that an agent in a world on one seed may take; one that takes longer is broken.
    """

    name: Label = "bench"
    about: str = ""
    seeds: Seeds = 5
    candidates: Count = 5
    time_limit: Annotated[float, Field(gt=0)] = 3600.0

    @property
    def chosen(self) -> tuple[int, ...]:
        return seeds_of(self.seeds)


@final
class WorldTable(Table):
    """A world; `name` is its label, `id`, `kwargs`, `changes` and `wrappers` as under [env].

    `episodes` are recorded on every seed.
    """

    name: Label
    id: Label
    about: str = ""
    kwargs: dict[str, Any] = Field(default_factory=dict)
    changes: tuple[Named, ...] = ()
    wrappers: tuple[Wrapping, ...] = ()
    episodes: Positive = 20

    @property
    def title(self) -> str:
        return self.name


@final
class BenchAgent(Labeled):
    """An agent with the tables of its parts, as an experiment file has them.

    `of` may name another agent's label; "{seed}" in a text, such as a file's name, is replaced by the seed. One that is
    `learning` is not sealed before it is measured: it learns where a metric leaves it to find out for itself.
    """

    about: str = ""
    learning: bool = False
    selection: Named | None = None
    model: Named | None = None
    goal: Named | None = None
    inference: Named | None = None
    planner: PlannerTable | None = None
    learner: Named | None = None
    learn: LearnTable | None = None

    @property
    def parts(self) -> dict[str, Any]:
        """The tables of its parts, which an experiment has beside [agent]."""
        tables = self.model_dump(exclude_none=True, include={*TOP, "learn"})
        return {name: tables[name] for name in (*TOP, "learn") if name in tables}


@final
class BenchMetric(Labeled):
    """A metric, measured on the first `seeds` of the bench, without or `under` interventions: a column for each."""

    under: tuple[str, ...] = ()
    seeds: Positive | None = None


@final
class BenchIntervention(Labeled):
    """A change of the world, a wrapper among the components of kind envs, and what the agent is `informed` of it."""

    informed: Informed = "both"
