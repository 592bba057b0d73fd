"""What a model with a belief per factor has learned by counting, each array by the factors that it looks at.

The weight of a column is the product of what its parents are believed to be. Nothing is as large as the joint state,
but for the gain of the own update, which follows every outcome.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, final

import torch
from torch import Tensor, nn

from agentic import Simplex, Step, Tick, UserError
from agentic.engine import outer
from agentic_energies.arrays import logarithm
from agentic_energies.counts import DenseCounts
from agentic_energies.dependencies import column_index
from agentic_energies.dirichlet import path_gain
from agentic_energies.learned import check_certain, perceived
from agentic_energies.multilinear import states_first, sum_of
from agentic_energies.own_update import LIKELY, LIMIT, NAMES, moves
from agentic_energies.pair_belief import LEAST
from agentic_energies.parts import Parts, shown
from agentic_energies.product import Product

if TYPE_CHECKING:
    from agentic_energies.factored import FactoredModel

SWEEPS, CONVERGED = 200, 1e-14


class Seen(NamedTuple):
    """What one array is taught: weights (size, c) in its different columns (c,)."""

    weights: Tensor
    columns: Tensor


@final
class FactoredLearned(Parts):
    """What a factored model learns, array by array.

    A counts what was seen under the product of its factors' beliefs. B counts the mean-field pair, what the parents are
    believed to be given where their child went: q(parents) p(z' | parents, a) q(z') / p(z'), exact for factors that are
    seen and move by themselves; or with `pairs="outer"` the product q(z') q(parents).
    """

    def hold(self, model: "FactoredModel", arrays: Mapping[str, Sequence[Tensor]]) -> None:
        """Learn from now on what the lessons name, of which `arrays` are the means before."""
        for name, lesson in self.lessons.lessons.items():
            if name not in arrays:
                raise UserError(f"a factored model learns {', '.join(arrays)}, got {name!r}: that needs a joint state")
            counts = self.lessons.start(name, arrays[name])
            self.parts[name] = nn.ModuleList(
                DenseCounts(each.reshape(len(each), -1), model.floor, **lesson.options(i, len(counts)))
                for i, each in enumerate(counts)
            )
            self._place(model, name)

    def condition(self, model: "FactoredModel", tick: Tick) -> dict[str, float]:
        """Count the valid rows of a tick, and give the model its new tables. It is expected to bump `version` next."""
        self.like(model.outcome, shown(tick))
        if self.likes_alone():
            return {}
        over = torch.as_tensor(tick.terminated | tick.truncated)
        ended, first = torch.as_tensor(tick.terminated), torch.as_tensor(tick.t) == 0
        rows, before = torch.as_tensor(tick.valid).nonzero().squeeze(-1), perceived(tick)
        after = torch.full_like(before, torch.nan)
        if {"A", "B", "ends"} & {*self.parts}:
            after[rows] = self._after(model, before[rows], tick.action[rows], tick.next_obs[rows], ended[rows])
        known = [int(row) for row in rows if bool(after[row].isfinite().all())]
        if "A" in self.parts:
            last = [row for row in known if over[row]]  # which no later tick will show
            self.add("A", self.observed(model, tick.obs[rows], before[rows]))
            self.add("A", self.observed(model, tick.next_obs[last], after[last]))
        if "D" in self.parts:
            self.begin(model, before[[int(row) for row in rows if first[row]]])
        for row in rows.tolist():
            self.act(model, tick.action[row])
        for row in known:
            self.enter(model, after[row], bool(ended[row]))
        if "B" in self.parts:
            steps = ([each[[row]] for each in (before, tick.action, after)] for row in known)
            for moved in [self.moved(model, *step) for step in steps]:  # all by the tables before any is counted
                self.add("B", moved)
        return self._finish(model)

    def revise(
        self, model: "FactoredModel", ticks: Sequence[Tick], row: int, beliefs: Tensor, pairs: Tensor
    ) -> dict[str, float]:
        """Count an episode of one row by what is believed of it afterwards, see `Hindsight`."""
        obs = torch.stack([*[tick.obs[row] for tick in ticks], ticks[-1].next_obs[row]])
        self.like(model.outcome, obs)
        if "A" in self.parts:
            self.add("A", self.observed(model, obs, beliefs))
        self.begin(model, beliefs[:1])
        for tick, before, after, pair in zip(ticks, beliefs[:-1], beliefs[1:], pairs, strict=True):
            self.act(model, tick.action[row])
            self.enter(model, after, bool(tick.terminated[row]))
            if "B" in self.parts:
                self.add("B", self._followed(model, before, tick.action[row], pair))
        return self._finish(model)

    def _finish(self, model: "FactoredModel") -> dict[str, float]:
        """Prune what is due, and give the model its new tables."""
        pruned = self.prune(model.version + 1)
        for name in self.parts:
            self._place(model, name)
        return pruned

    def add(self, name: str, seen: Iterable[Seen]) -> None:
        """Count what each array of a part is taught."""
        for each, (weights, columns) in zip(self.counts(name), seen, strict=True):
            each.add(weights, columns)

    def observed(self, model: "FactoredModel", obs: Tensor, states: Tensor) -> list[Seen]:
        """What observations (b, event) teach about A in states of probabilities (b, n)."""
        blocks, found = model.latent.blocks(states), []
        seen = model.outcome.blocks(obs.to(states.dtype).nan_to_num(0.0))
        for block, own in zip(seen, model.observation.parents, strict=True):
            weights = outer([blocks[f] for f in own])
            columns = (weights > 0).any(0).nonzero().squeeze(-1)
            found.append(Seen(block.T @ weights[:, columns], columns))
        return found

    def moved(self, model: "FactoredModel", before: Tensor, action: Tensor, after: Tensor) -> list[Seen]:
        """What one step teaches about B, each vector (1, event): the belief before, the action, the belief after."""
        variables, found = (*model.latent.blocks(before), *model.action.blocks(action.to(before.dtype))), []
        for f, (cpt, ahead) in enumerate(zip(model.transition.cpts(), model.latent.blocks(after), strict=True)):
            parents = model.transition.form.parents_of_B(f)
            weights = outer([variables[i] for i in parents])[0] if parents else before.new_ones(1)
            columns, joint = (weights > LEAST).nonzero().squeeze(-1), ahead.T * weights[weights > LEAST]
            if self.lessons.lessons["B"].pairs == "joint":
                pair = cpt.spread(columns).table * weights[columns]
                expected = pair.sum(1, keepdim=True)
                joint = pair * ahead.T / torch.where(expected > 0, expected, 1.0)
            found.append(Seen(joint, columns))
        return found

    def _followed(self, model: "FactoredModel", before: Tensor, action: Tensor, pair: Tensor) -> Iterable[Seen]:
        """What a step teaches about B whose pairs (n, n) of states are known, the earlier first."""
        variables, start = (*model.latent.blocks(before), *model.action.blocks(action.to(before.dtype))), 0
        for f, size in enumerate(model.latent.sizes):
            place, parents = slice(start, start + size), model.transition.form.parents_of_B(f)
            own = pair[place, place].T  # (later, earlier)
            ahead = own.sum(1, keepdim=True)
            if self.lessons.lessons["B"].pairs == "outer":
                own = ahead * variables[f]
            each = [own if i == f else variables[i].expand(size, -1) for i in parents]
            weights = outer(each) if f in parents else ahead * outer([torch.ones_like(ahead), *each])
            columns = (weights > LEAST).any(0).nonzero().squeeze(-1)
            yield Seen(weights[:, columns], columns)
            start += size

    def begin(self, model: "FactoredModel", states: Tensor) -> None:
        """Count first states, as likely as (b, n) say."""
        if "D" in self.parts and len(states):
            blocks = model.latent.blocks(states)
            self.add("D", [Seen(block.sum(0).unsqueeze(-1), torch.zeros(1, dtype=torch.int64)) for block in blocks])

    def act(self, model: "FactoredModel", action: Tensor) -> None:
        """Count an action (event,) in the habits."""
        if "E" in self.parts:
            taken = model.action.joint(action.to(torch.float64)).unsqueeze(-1)
            self.add("E", [Seen(taken, torch.zeros(1, dtype=torch.int64))])

    def enter(self, model: "FactoredModel", states: Tensor, ended: bool) -> None:
        """Count whether entering the `states` (n,) ended the episode."""
        if "ends" in self.parts:
            blocks = model.latent.blocks(states)
            weights = outer([blocks[f] for f in model.ending])
            columns = (weights > LEAST).nonzero().squeeze(-1)
            seen = weights.new_zeros(2, len(columns))
            seen[int(ended)] = weights[columns]
            self.add("ends", [Seen(seen, columns)])

    def gains(self, model: "FactoredModel", path: Sequence[Step]) -> dict[str, Tensor]:
        """The information about A, I(o; A | z), and about B, I(z'; B | z, a), in nats, summed over arrays."""
        found = {}
        if "A" in self.parts:
            visited = [model.latent.blocks(step.after.mean) for step in path]
            parents: Sequence[Sequence[int]] = model.observation.parents
            found["parameter_gain"] = self._gain("A", parents, visited)
        if "B" in self.parts:
            form, visited = model.transition.form, []
            for step in path:
                before, action = step.before.mean, step.action.to(step.before.mean.dtype)
                rows = torch.broadcast_shapes(before.shape[:-1], action.shape[:-1])
                own = (model.latent.blocks(before.expand(*rows, -1)), model.action.blocks(action.expand(*rows, -1)))
                visited.append((*own[0], *own[1]))
            parents = [form.parents_of_B(f) for f in range(len(form.factors))]
            found["latent_parameter_gain"] = self._gain("B", parents, visited)
        return found

    def update_gain(self, model: "FactoredModel", step: Step) -> dict[str, Tensor]:
        """E_o KL(Dir(counts + what the own update adds) || Dir(counts)) of A and of B, in nats."""
        if not {"A", "B"} & {*self.parts}:
            return {}
        if model.latent.count * model.outcome.count > LIMIT:
            raise UserError(
                "the gain of the own update follows every outcome: use by='information' in a world this large"
            )
        before, action = step.before.mean, model.action.joint(step.action.to(step.before.mean.dtype))
        shape = torch.broadcast_shapes(before.shape[:-1], action.shape[:-1])
        rows = zip(*(each.expand(*shape, -1).flatten(0, -2) for each in (before, action)), strict=True)
        found = [self._expected(model, q.unsqueeze(0), weights) for q, weights in rows]
        return {name: torch.stack([each[name] for each in found]).view(shape) for name in found[0]}

    def _expected(self, model: "FactoredModel", before: Tensor, action: Tensor) -> dict[str, Tensor]:
        gains = {name: before.new_zeros(()) for part, name in NAMES.items() if part in self.parts}
        outcomes, corners = model.outcome.corners(before.dtype), model.action.corners(before.dtype)
        for a in (action > 0).nonzero().squeeze(-1).tolist():
            taken = corners[a].unsqueeze(0)
            prior = model.transition.given((before, taken)).probs
            chances = _chances(model, prior)
            after = posterior(model, prior.expand(len(outcomes), -1), outcomes)
            for i in (chances > LIKELY).nonzero().squeeze(-1).tolist():
                taught = {}
                if "A" in self.parts:
                    taught["A"] = self.observed(model, outcomes[[i]], after[[i]])
                if "B" in self.parts:
                    taught["B"] = self.moved(model, before, taken, after[[i]])
                for part, seen in taught.items():
                    gain = sum_of([moves(counts, *each) for counts, each in zip(self.counts(part), seen, strict=True)])
                    gains[NAMES[part]] = gains[NAMES[part]] + action[a] * chances[i] * gain
        return gains

    def _gain(self, name: str, parents: Sequence[Sequence[int]], visited: Sequence[Sequence[Tensor]]) -> Tensor:
        """The information about the columns of each array that variables (*s, b, size) of one or more steps select."""
        if len(visited) > 1:
            check_certain(each for step in visited for each in step)
        gains = []
        for counts, own in zip(self.counts(name), parents, strict=True):
            each = [outer([step[i] for i in own]) if own else torch.ones_like(step[0][..., :1]) for step in visited]
            if len(each) == 1:
                gains.append(each[0] @ counts.information())
            else:
                columns = torch.stack(torch.broadcast_tensors(*[weights.argmax(-1) for weights in each]), -1)
                gains.append(path_gain(counts.alpha(), columns))
        return sum_of(gains)

    def _after(self, model: "FactoredModel", before: Tensor, action: Tensor, obs: Tensor, ended: Tensor) -> Tensor:
        """The beliefs (b, n) after a step that was seen to end the episode or not."""
        prior = model.transition.given((before, action)).probs
        if model.ending:
            whole = Product(states_first(prior), prior.new_ones(len(prior)), model.latent.sizes)
            chance = torch.where(ended, 1 - model.going_on.unsqueeze(-1), model.going_on.unsqueeze(-1))
            prior = whole.given(chance, model.ending).mass.T
        return posterior(model, prior, obs)

    def _place(self, model: "FactoredModel", name: str) -> None:
        """Give the model the means of the counts."""
        cpts = [each.cpt for each in self.counts(name)]
        if name == "A":
            model.observation.cpts = nn.ModuleList(cpts)
        elif name == "B":
            model.transition.tables = nn.ModuleList(cpts)
        elif name == "D":
            model.prior.start = torch.cat([cpt.table[:, 0] for cpt in cpts])
        elif name == "E":
            model.log_habits = logarithm(cpts[0].table[:, 0])
        elif name == "ends":
            model.going_on = cpts[0].table[0].clone()


def posterior(model: "FactoredModel", prior: Tensor, obs: Tensor) -> Tensor:
    """The mean-field beliefs (b, n) given observations (b, event), settled one factor after the other from the prior.

    As `Mirror` does, until no probability changes; NaN where the model holds what was seen impossible.
    """
    energy, domain = model.observation.swapped(), model.latent
    start, blocks = [logarithm(block) for block in domain.blocks(prior)], list(domain.blocks(prior))
    obs = obs.to(prior.dtype)
    for _ in range(SWEEPS if len(blocks) > 1 else 1):
        former = torch.cat(blocks, -1)
        for f in range(len(blocks)):
            slope = domain.blocks(energy.gradient(obs, torch.cat(blocks, -1)))[f]
            blocks[f] = torch.softmax(start[f] - slope, -1)
        if not bool(((torch.cat(blocks, -1) - former).abs() > CONVERGED).any()):
            break
    return torch.cat(blocks, -1)


def _chances(model: "FactoredModel", prior: Tensor) -> Tensor:
    """The probability (outcomes,) of every joint outcome, the last modality fastest, under a product (1, n)."""
    factors: Simplex = model.latent
    joint = factors.joint(prior)  # (1, states)
    for cpt, own in model.observation.pairs():
        index = column_index(own, factors.sizes)
        table = cpt.table if index is None else cpt.table[:, index]
        joint = (joint.unsqueeze(1) * table).flatten(0, 1)
    return joint.sum(-1)
