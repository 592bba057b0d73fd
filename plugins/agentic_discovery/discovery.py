"""What was discovered in a recording: the role of each column, how sure that is, and what may be done with it."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from agentic import Frame, Record, Subject, UserError
from agentic_discovery.columns import Columns

Floats = NDArray[np.floating[Any]]


@final
@dataclass(frozen=True)
class Role:
    """What one column is: `world`, `sensor`, `actuator`, `inside`, or `boundary` where that has no direction.

    `object` numbers the objects from 1 on, 0 for the world. `probability` is how often it has this role where roles are
    drawn in proportion to exp(-energy). `part` numbers the parts that do not hang together, the largest first.
    """

    column: str
    object: int
    role: str
    probability: float
    part: int


@final
@dataclass(frozen=True)
class Alternative:
    """Other roles, as words in the order of the columns, and by how many nats their energy is higher."""

    roles: tuple[str, ...]
    more: float


@final
@dataclass(frozen=True)
class Window:
    """The roles of the columns from one step to before another, as words in their order, and the evidence for them."""

    first: int
    last: int
    roles: tuple[str, ...]
    evidence: float


@final
@dataclass(frozen=True, repr=False)
class Discovery:
    """A boundary that was looked for: `detected` says whether one was found, and `reasons` why not.

    `roles` are those of least energy, also where no boundary is told, and then they are no more than a proposal.
    `couplings[j, i]` is what column j adds to the prediction of column i's next value, in nats; what a particle adds is
    shared evenly by its coordinates. `energy` is the code
    length of the couplings under the roles, `boundary_evidence` what roles save over free blocks, `leak` what crosses
    the boundary past it, in nats per step. `agreement` is the adjusted Rand index of the partitions of both halves,
    None where they were not looked at. `alternatives` are the runners-up. `cautions` are sentences on why the roles may
    be wrong. `form` names the kind of boundary: `particular`, `strict` (nothing in the world hears the sensors) or
    `contact`, which has no direction.
    """

    roles: tuple[Role, ...]
    couplings: Floats
    energy: float
    boundary_evidence: float
    leak: float
    agreement: float | None
    alternatives: tuple[Alternative, ...]
    frame: Frame
    detected: bool
    reasons: tuple[str, ...]
    cautions: tuple[str, ...]
    form: str
    recording: Columns
    settings: dict[str, Any] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()

    @property
    def objects(self) -> int:
        """How many objects were told."""
        return max((role.object for role in self.roles), default=0) if self.detected else 0

    def columns(self, object: int = 1) -> dict[str, list[int]]:
        """The places of the columns of each role, seen from an object: the world is all that is not its own."""
        found: dict[str, list[int]] = {"world": [], "sensor": [], "actuator": [], "inside": [], "boundary": []}
        for place, role in enumerate(self.roles):
            found[role.role if role.object == object else "world"].append(place)
        return found

    def record(self, object: int = 1, *, proposal: bool = False) -> Record:
        """The recording as an object would have recorded it; see `agentic_discovery.records`.

        With `proposal` also where no boundary is told, and the roles are those of least energy and no more. Raises
        UserError where no such object was told, or its boundary has no direction.
        """
        from agentic_discovery.records import record_of

        return record_of(self, self._checked(object, proposal))

    def subject(self, object: int = 1, environment: Any = None, *, proposal: bool = False) -> Subject:
        """The same as a subject of measurements, in an environment where one is given; see `agentic.subject_of`."""
        from agentic import subject_of

        return subject_of(self.record(object, proposal=proposal), environment)

    def save(self, folder: str | Path, object: int = 1, *, proposal: bool = False) -> Path:
        """The path of a new run folder with `record(object)`, which `agentic measure` takes.

        Raises UserError where the folder has a record already.
        """
        from agentic_discovery.records import save

        return save(self, self._checked(object, proposal), folder)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON, without the recording."""
        return {
            "detected": self.detected,
            "reasons": list(self.reasons),
            "cautions": list(self.cautions),
            "objects": self.objects,
            "form": self.form,
            "roles": [asdict(role) for role in self.roles],
            "energy": self.energy,
            "boundary_evidence": self.boundary_evidence,
            "leak": self.leak,
            "agreement": self.agreement,
            "alternatives": [asdict(other) for other in self.alternatives],
            "windows": [asdict(window) for window in self.windows],
            "couplings": self.couplings.round(6).tolist(),
            "frame": asdict(self.frame),
            "source": self.recording.source,
            "settings": self.settings,
        }

    def _checked(self, object: int, proposal: bool) -> int:
        most = max((role.object for role in self.roles), default=0)
        if not self.detected and not (proposal and most):
            raise UserError(f"no boundary was told, so that there is nothing to save: {'; '.join(self.reasons)}")
        if not 1 <= object <= most:
            raise UserError(f"there is no object {object}, only 1 to {most}: give one of those")
        found = self.columns(object)
        if not found["sensor"] or not found["actuator"]:
            raise UserError(
                f"the boundary of object {object} has no direction: what is sensor and what actuator cannot be told, "
                "so that there is no record to be made of it"
            )
        return object

    def __str__(self) -> str:
        if not self.detected:
            return f"no boundary told: {'; '.join(self.reasons)}"
        count = "1 object" if self.objects == 1 else f"{self.objects} objects"
        agreed = "" if self.agreement is None else f", halves agree {self.agreement:.2f}"
        return (
            f"{count} in {len(self.roles)} columns: evidence {self.boundary_evidence:.1f} nats, "
            f"leak {self.leak:.2g} nats per step{agreed}"
        )

    def __repr__(self) -> str:
        return f"<{self}>"
