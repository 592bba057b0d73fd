"""What a discrete model has learned by counting: conjugate beliefs about its tables, rewards and ends.

Every tick adds to Dirichlet counts (Friston et al. 2016) what the belief about its states says happened, and to the
means of rewards what was paid.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, final

import torch
from torch import Tensor, nn

from agentic import Step, Tick, UserError
from agentic.engine import outer
from agentic_energies.arrays import logarithm
from agentic_energies.counts import Counts
from agentic_energies.cpt import joint, tabled
from agentic_energies.dirichlet import path_gain
from agentic_energies.lessons import KNOWN, Lessons
from agentic_energies.multilinear import sum_of
from agentic_energies.pair_belief import LEAST, Pair, likelihood, pair_belief
from agentic_energies.parts import Parts, shown
from agentic_energies.reward_means import RewardMeans

if TYPE_CHECKING:
    from agentic_energies.categorical import CategoricalModel

REMEMBERED = 64  # versions whose changes are known one by one
Index = Sequence[Tensor | None]  # per array: its column for every joint column, None where they are the same


class Event(NamedTuple):
    """One row's step: the belief `before` (n,) it, the joint action, the belief about the pair of states, what came."""

    before: Tensor
    action: int
    pair: Pair | None
    reward: float
    terminated: bool


@final
class Learned(Parts):
    """What a model of the joint state learns: its `parts`, and its `rewards`.

    `index` says per array which of its columns each joint column of the model is.
    """

    def __init__(self, lessons: Lessons) -> None:
        super().__init__(lessons)
        self.index: dict[str, Index] = {}
        self.rewards: RewardMeans | None = None
        self._changes: deque[tuple[int, Tensor | None]] = deque(maxlen=REMEMBERED)

    def __contains__(self, name: str) -> bool:
        return name in self.parts or (name == "rewards" and self.rewards is not None)

    def hold(self, model: "CategoricalModel", name: str, counts: Sequence[Counts], index: Index) -> None:
        """Learn a part from now on, beginning with `counts`."""
        self.parts[name], self.index[name] = nn.ModuleList(counts), index
        self._place(model, name)

    def hold_rewards(self, model: "CategoricalModel") -> None:
        """Learn rewards from now on."""
        lesson, strength = self.lessons.lessons["rewards"], self.lessons.strength("rewards", KNOWN)
        states, actions = model.latent.count, model.action.count
        self.rewards = RewardMeans(states, actions, lesson.mean, strength, **lesson.options(0, 1))

    def condition(self, model: "CategoricalModel", tick: Tick) -> dict[str, float]:
        """Count the valid rows of a tick, and give the model its new tables. It is expected to bump `version` next."""
        self.like(model.outcome, shown(tick))
        if self.likes_alone() and self.rewards is None:
            return {}
        rows = torch.as_tensor(tick.valid).nonzero().squeeze(-1)
        before = perceived(tick)[rows]
        events = self._events(model, tick, rows.tolist(), before)
        if "A" in self.parts:
            over = [i for i, row in enumerate(rows.tolist()) if tick.terminated[row] or tick.truncated[row]]
            last = [(tick.next_obs[rows[i]], pair.after) for i in over if (pair := events[i].pair) is not None]
            self._see(model, tick.obs[rows], before)
            if last:  # which no later tick will show
                self._see(model, *[torch.stack(each) for each in zip(*last, strict=True)])
        if "D" in self.parts:
            self._begin(model, before[torch.as_tensor(tick.t)[rows] == 0])
        return self._finish(model, events, before)

    def revise(
        self, model: "CategoricalModel", ticks: Sequence[Tick], row: int, beliefs: Tensor, pairs: Tensor
    ) -> dict[str, float]:
        """Count an episode of one row by what is believed of it afterwards, see `Hindsight`."""
        actions = torch.stack([tick.action[row] for tick in ticks])
        taken, every = (
            model.transition.joint(actions, beliefs.dtype).argmax(-1).tolist(),
            torch.arange(beliefs.shape[1]),
        )
        obs = torch.stack([*[tick.obs[row] for tick in ticks], ticks[-1].next_obs[row]])
        self.like(model.outcome, obs)
        if "A" in self.parts:
            self._see(model, obs, beliefs)
        if "D" in self.parts:
            self._begin(model, beliefs[:1])
        steps = zip(ticks, beliefs[:-1], taken, pairs, strict=True)
        events = [
            Event(before, action, Pair(every, pair.T), float(tick.reward[row]), bool(tick.terminated[row]))
            for tick, before, action, pair in steps
        ]
        return self._finish(model, events, beliefs)

    def _finish(self, model: "CategoricalModel", events: Sequence[Event], states: Tensor) -> dict[str, float]:
        """Count steps, prune what is due, give the model its new tables; what was learned is about `states` (b, n)."""
        paid = self._range()
        for event in events:
            self._happen(model, event)
        pruned = self.prune(model.version + 1)
        for name in self.parts:
            self._place(model, name)
        everywhere = bool({"A", "C"} & {*self.parts}) or any(pruned.values())
        everywhere = everywhere or self._range() != paid  # a wider range of rewards changes what each is worth
        touched = None if everywhere else (states > LEAST).any(0).nonzero().squeeze(-1)
        self._changes.append((model.version + 1, touched))
        return pruned

    def changed(self, since: int, now: int) -> Tensor | None:
        """The states whose one-step energies may differ between two versions; None where that is not known."""
        recent = [states for version, states in self._changes if version > since]
        if len(recent) != now - since or any(states is None for states in recent):
            return None
        known = [states for states in recent if states is not None]
        return torch.cat(known).unique() if known else torch.zeros(0, dtype=torch.int64)

    def _range(self) -> float:
        return 0.0 if self.rewards is None else self.rewards.range

    def gains(self, model: "CategoricalModel", path: Sequence[Step]) -> dict[str, Tensor]:
        """The information about A that is seen, I(o; A | z), and about B at the latents, I(z'; B | z, a), in nats."""
        found = {}
        if len(path) > 1 and {"A", "B"} & {*self.parts}:
            check_certain(step.after.mean for step in path)
        if "A" in self.parts:
            states = torch.stack(torch.broadcast_tensors(*[step.after.mean.argmax(-1) for step in path]), -1)
            gains = [
                path[0].after.mean @ _spread(each.information(), index)
                if len(path) == 1
                else path_gain(each.alpha(), states if index is None else index[states])
                for each, index in zip(self.counts("A"), self.index["A"], strict=True)
            ]
            found["parameter_gain"] = torch.stack(gains).sum(0)
        if "B" in self.parts:
            found["latent_parameter_gain"] = self._latent_gain(model, path)
        return found

    def _latent_gain(self, model: "CategoricalModel", path: Sequence[Step]) -> Tensor:
        actions = model.action.count
        parts = list(zip(self.counts("B"), self.index["B"], strict=True))
        if len(path) == 1:
            before, action = path[0].before.mean, model.transition.joint(path[0].action, path[0].before.mean.dtype)
            table = sum_of([_spread(each.information(), index) for each, index in parts]).view(-1, actions)
            return ((before @ table) * action).sum(-1)
        taken = [
            step.before.mean.argmax(-1) * actions
            + model.transition.joint(step.action, step.before.mean.dtype).argmax(-1)
            for step in path
        ]
        columns = torch.stack(torch.broadcast_tensors(*taken), -1)
        return sum_of([path_gain(each.alpha(), columns if own is None else own[columns]) for each, own in parts])

    def _events(self, model: "CategoricalModel", tick: Tick, rows: list[int], before: Tensor) -> list[Event]:
        actions = model.transition.joint(tick.action[rows], before.dtype).argmax(-1).tolist()
        wanted = {"A", "B", "ends"} & {*self.parts}
        costs = model.observation.costs(tick.next_obs[rows].to(before.dtype)) if wanted else before
        survival, events = model.survival(), []
        for row, q, action, cost in zip(rows, before, actions, costs, strict=True):
            terminated, pair = bool(tick.terminated[row]), None
            if wanted:
                likely = likelihood(cost)
                ending = 1.0 if survival is None else 1 - survival if terminated else survival
                likely = likely * ending if bool((likely * ending).any()) else likely
                columns = torch.arange(len(q)) * model.action.count + action
                pair = pair_belief(q, columns, model.transition.cpt, likely)
            events.append(Event(q, action, pair, float(tick.reward[row]), terminated))
        return events

    def _see(self, model: "CategoricalModel", obs: Tensor, states: Tensor) -> None:
        """Count observations (b, event) in states of probabilities (b, n)."""
        columns = (states > 0).any(0).nonzero().squeeze(-1)
        blocks = model.outcome.blocks(obs.to(states.dtype).nan_to_num(0.0))
        for seen, each, index in zip(blocks, self.counts("A"), self.index["A"], strict=True):
            each.add(*grouped(seen.T @ states[:, columns], columns, index))

    def _begin(self, model: "CategoricalModel", states: Tensor) -> None:
        for f, each in enumerate(self.counts("D")):
            if len(states):
                first = of_factor(states.sum(0).unsqueeze(-1), model.factors, f)
                each.add(first, torch.zeros(1, dtype=torch.int64))

    def _happen(self, model: "CategoricalModel", event: Event) -> None:
        """Count a step in the transitions, habits, rewards and ends."""
        pair = event.pair
        if "B" in self.parts and pair is not None:
            apart = self.lessons.lessons["B"].pairs == "outer"
            columns, weights = pair.held * model.action.count + event.action, pair.joint
            for f, (each, index) in enumerate(zip(self.counts("B"), self.index["B"], strict=True)):
                moved = of_factor(weights, model.factors, f)
                if apart:
                    moved = of_factor(weights.sum(1, keepdim=True), model.factors, f) * event.before[pair.held]
                each.add(*grouped(moved, columns, index))
        if "ends" in self.parts and pair is not None:
            entered = (pair.after > LEAST).nonzero().squeeze(-1)
            ended = torch.zeros(2, len(entered), dtype=pair.joint.dtype)
            ended[int(event.terminated)] = pair.after[entered]
            self.counts("ends")[0].add(ended, entered)
        if "E" in self.parts:
            taken = torch.zeros(model.action.count, 1, dtype=event.before.dtype)
            taken[event.action] = 1
            self.counts("E")[0].add(taken, torch.zeros(1, dtype=torch.int64))
        if self.rewards is not None:
            held = (event.before > LEAST).nonzero().squeeze(-1)
            self.rewards.add(held, event.before[held], event.action, event.reward)

    def _place(self, model: "CategoricalModel", name: str) -> None:
        """Give the model the means of the counts."""
        parts = zip(self.counts(name), self.index[name], strict=True)
        cpts = [each.cpt if index is None else each.cpt.spread(index) for each, index in parts]
        if name == "A":
            for i, cpt in enumerate(cpts):
                model.observation.modalities[i] = cpt
        elif name == "B":
            model.transition.cpt = joint(cpts, model.floor)
        elif name == "D":
            model.prior.cpt = tabled(outer([cpt.table.T for cpt in cpts]).T, model.floor)
        elif name == "E":
            model.log_habits = logarithm(cpts[0].table[:, 0])
        elif name == "ends":
            model.going_on, model.endless = cpts[0].table[0].clone(), False


def check_taught(learns: bool, kind: str) -> None:
    """Check that a model learns from counts. Raises UserError otherwise."""
    if not learns:
        raise UserError(f"a {kind} model learns from counts: give it counts=..., or leave the learner out")


def perceived(tick: Tick) -> Tensor:
    """The belief (b, n) in which an agent took a step. Raises UserError where it did not perceive."""
    if tick.decision.belief is None:
        raise UserError("counts are learned by an agent that perceives: set learn.warmup = 0, its actions are blind")
    return tick.decision.belief.mean


def of_factor(weights: Tensor, factors: Sequence[int], f: int) -> Tensor:
    """The marginal (states of the factor, m) of one factor in weights (n, m) of joint states, the last fastest."""
    if len(factors) == 1:
        return weights
    rest = [i for i in range(len(factors)) if i != f]
    return weights.reshape(*factors, -1).sum(rest)


def grouped(weights: Tensor, columns: Tensor, index: Tensor | None) -> tuple[Tensor, Tensor]:
    """Weights (k, m) of joint columns (m,) as those (k, c) of an array's own columns (c,)."""
    if index is None:
        return weights, columns
    own, place = index[columns].unique(return_inverse=True)
    return weights.new_zeros(len(weights), len(own)).index_add(1, place, weights), own


def _spread(values: Tensor, index: Tensor | None) -> Tensor:
    return values if index is None else values[index]


def check_certain(beliefs: Iterable[Tensor]) -> None:
    """Check that beliefs (*s, b, n) are sure of a value each. Raises UserError otherwise."""
    if any(bool((each.amax(-1) < 1 - 1e-9).any()) for each in beliefs):
        raise UserError("JointGain(target='weights') needs plans whose states are certain: use SummedGain")
