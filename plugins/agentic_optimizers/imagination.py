"""Learning in imagination: a model from experience, then the energy still to come from what the model imagines."""

from collections.abc import Mapping
from math import cos, pi
from typing import final

import torch
from torch import Tensor

from agentic import Learner, Model, Purpose, Tick, UserError
from agentic.learning import Recalling
from agentic.planning import CostToGo
from agentic_optimizers.adam import Adam
from agentic_optimizers.gradient_learner import GradientLearner
from agentic_optimizers.value_targets import Bounds, Imagined, Targets

RECALLED = 0.1  # of the starts are experience, all others were imagined
AGAIN, BEST, FAR = 0.25, 0.33, 0.75  # shares of the starts and of what was entered that are kept
ROOM = 64  # sweeps whose starts are kept: with fewer, places that are seldom imagined are forgotten
AMONG = 128  # kept latents that what was entered is compared with
SETTLING = 20  # sweeps after which scales are taken anew
AGAIN_ROWS, AGAIN_STEPS, AGAIN_RATE = 512, 60, 5e-3  # of learning again within other bounds
RATE, STEPS = 4e-3, 4  # of the optimizer for one sweep's targets


@final
class Imagination(Learner):
    """Learning a model by gradient from experience, then the agent's terminal energy, a `CostToGo`, in the model.

    After every `every` steps, once there are `first`, the model takes `updates` steps of AdamW (see `GradientLearner`,
    whose `rate` and `weight_decay` these are), then the energy to come `sweeps` sweeps of fitted value iteration (Ernst
    et al. 2005): `starts` latents, from experience and from what was imagined before, and `options` courses of random
    segments from each. The target at a latent is the least, over courses and over leaving them after 1, 2, 4, 8 or 16
    steps, of discounted energies and what is to come from there (options, Sutton et al. 1999). Starts of large errors
    come again; of what is entered, latents far from those kept and those on the best courses are the starts of later
    sweeps.

    Serving no agent it learns the model alone. Raises UserError for a model that is not learned by gradient or that
    hides in which latents its experience took place, and, when an agent is made, for a purpose without a terminal
    energy that is learned, or without a discount below 1.
    """

    def __init__(
        self,
        model: Model,
        *,
        every: int = 25,
        first: int = 100,
        updates: int = 500,
        rate: float = 1e-2,
        weight_decay: float = 0.1,
        sweeps: int = 200,
        starts: int = 128,
        options: int = 8,
    ) -> None:
        self.fitting = GradientLearner(model, every=every, updates=updates, rate=rate, weight_decay=weight_decay)
        if not isinstance(model, Recalling) and model.latent != model.outcome:
            raise UserError(
                f"imagination needs latents that are known, got those of {type(model).__name__}: use ensemble"
            )
        if min(first, sweeps, starts, options) < 1:
            given = f"{first}, {sweeps}, {starts} and {options}"
            raise UserError(f"expected first, sweeps, starts and options of at least 1, got {given}")
        self.model: Model = model
        self.first, self.sweeps, self.starts, self.options = first, sweeps, starts, options
        self.generator = torch.Generator().manual_seed(0)
        self._targets: Targets | None = None
        self._pool: Tensor | None = None
        self._optimizer: Adam | None = None
        self._bounds = (0.0, 0.0)

    def serve(self, purpose: Purpose) -> None:
        goal = purpose.terminal
        if not isinstance(goal, CostToGo):
            raise UserError(
                f"imagination learns a terminal energy, got {None if goal is None else goal.name}: add "
                'terminal = { name = "cost_to_go" } to [planner], or use gradient_learner'
            )
        if not purpose.discount < 1:
            raise UserError("imagination needs planner.discount below 1, such as 0.99, got 1")
        goal.after = purpose.goal.after / (1 - purpose.discount)
        self._targets = Targets(self.model, purpose, self.options, Bounds(purpose.discount))

    def start(self, *, generator: torch.Generator) -> None:
        self.generator = generator
        self.model.train()
        self.fitting.start(generator=generator)

    def finish(self) -> None:
        self.model.eval()  # what it would learn of the model is worth nothing any more

    def update(self, tick: Tick) -> Mapping[str, float]:
        self.fitting.add(tick)
        if not self.fitting.due or self.fitting.replay.total < self.first:
            return {}
        learned = self.fitting.study()
        return {**learned, **self._study(self._targets)} if learned and self._targets else learned

    def _study(self, imagining: Targets) -> Mapping[str, float]:
        """Learn what is to come from what the model imagines now; the mean error of the last sweep, as a share."""
        goal, replay = imagining.purpose.terminal, self.fitting.replay
        assert isinstance(goal, CostToGo)
        seen = self.model.recalled(replay) if isinstance(self.model, Recalling) else replay.steps().obs
        sweeps = self.sweeps if self._pool is not None else 3 * self.sweeps  # the first time there is more to learn
        loss, late = 0.0, sweeps - sweeps // 3
        average: dict[str, Tensor] = {}
        for sweep in range(sweeps):
            starts = self._starts(seen)
            found = imagining.of(starts, self.generator)
            if sweep % SETTLING == 0 and sweep <= late:
                self._cover(goal, self._known(seen), imagining.bounds.range(goal.after))
            if self._optimizer is None:
                self._optimizer = Adam(goal.parameters())
            rate = RATE * (0.1 + 0.45 * (1 + cos(pi * sweep / sweeps)))
            loss = _lowered(goal, starts, found.targets, self._optimizer, rate)
            self._keep(starts, found, goal)
            if sweep >= late:
                for name, part in goal.named_parameters():
                    average[name] = average.get(name, 0) + part.detach() / (sweeps - late)
        goal.load_state_dict(average, strict=False)
        return {"value_error": loss}

    def _cover(self, goal: CostToGo, known: Tensor, bounds: tuple[float, float]) -> None:
        """Take scales and bounds; where the bounds have moved what was learned is learned again within the new ones.

        Left to itself a network would say other energies than before: an end once imagined makes everything look near.
        """
        moved = abs(bounds[0] - self._bounds[0]) + abs(bounds[1] - self._bounds[1])
        again = self._some(known, AGAIN_ROWS)
        first = self._bounds == (0.0, 0.0)
        if not first and moved <= 0.02 * (self._bounds[1] - self._bounds[0]):
            goal.cover(known, *self._bounds, generator=self.generator)
            return
        self._bounds = bounds
        with torch.no_grad():
            values = goal(None, again)
        goal.cover(known, *bounds, generator=self.generator)
        if not first:
            optimizer = Adam(goal.parameters())
            for _ in range(AGAIN_STEPS // STEPS):
                _lowered(goal, again, values, optimizer, AGAIN_RATE)

    def _known(self, seen: Tensor) -> Tensor:
        return seen if self._pool is None else torch.cat([seen, self._pool])

    def _starts(self, seen: Tensor) -> Tensor:
        """The starts of one sweep (starts, d): a few of experience, all others imagined before."""
        if self._pool is None:
            return self._some(seen, self.starts)
        recalled = max(1, round(RECALLED * self.starts))
        return torch.cat([self._some(seen, recalled), self._some(self._pool, self.starts - recalled)])

    @torch.no_grad()
    def _keep(self, starts: Tensor, found: Imagined, goal: CostToGo) -> None:
        """Keep as later starts what was entered (by chance, on the best courses, far off) and what is not known yet."""
        if not len(found.entered):
            return
        count, pool = self.starts, self._known(starts)
        ways = torch.rand(count, generator=self.generator).to(starts.device)
        chosen = self._some(found.entered, count)
        if self._pool is not None:
            chosen = torch.where((ways < FAR).unsqueeze(-1), self._far(found.entered, pool), chosen)
        if len(found.best):
            mixed = torch.rand(count, generator=self.generator).to(starts.device) < BEST
            chosen = torch.where(mixed.unsqueeze(-1), self._some(found.best, count), chosen)
        error = goal.errors(starts, found.targets)
        again = starts[error.topk(round(AGAIN * count)).indices]
        kept = chosen if self._pool is None else torch.cat([self._pool, again, chosen])
        self._pool = kept[-ROOM * count :]

    def _far(self, entered: Tensor, pool: Tensor) -> Tensor:
        """Of some that were entered those that are farthest from what is kept, (starts, d)."""
        scale = pool.std(0, correction=0)
        scale = torch.where(scale > 1e-6 * (1 + pool.abs().amax(0)), scale, 1.0)
        some, among = self._some(entered, 2 * self.starts), self._some(pool, AMONG)
        far = torch.cdist(some / scale, among / scale).amin(1).topk(-(-self.starts // 2)).indices
        return some[far].repeat(2, 1)[: self.starts]

    def _some(self, z: Tensor, count: int) -> Tensor:
        """Rows of `z` (n, d) drawn with replacement, (count, d)."""
        return z[torch.randint(len(z), (count,), generator=self.generator).to(z.device)]


def _lowered(goal: CostToGo, starts: Tensor, targets: Tensor, optimizer: Adam, rate: float) -> float:
    """The mean error after some steps toward the targets of one sweep."""
    for _ in range(STEPS):
        loss = goal.errors(starts, targets).mean()
        optimizer.lower(loss, rate)
    return float(loss.detach())
