"""Learning after the episode: what was seen later says which states the steps before were taken in."""

from collections.abc import Mapping
from typing import final

import torch

from agentic import Hindsight, Learner, Model, Tick, UserError
from agentic_optimizers.conjugate_learner import settle
from agentic_optimizers.smoothing import Smoothed, smooth


@final
class EpisodeLearner(Learner):
    """Offline learning by counts: at the end of a row's episode, its steps are smoothed and teach the model.

    One expectation step of variational Bayes for hidden Markov models (MacKay 1997; Baum-Welch with Dirichlet counts)
    for every episode: `smooth` gives the beliefs and pairs under the tables of now, exactly for one discrete latent and
    by structured mean field for several factors. Episodes that end at once are smoothed before any of them is counted.
    An episode that the run cuts off teaches nothing; that one went on is not counted as observed. `settles` is that of
    the learner `conjugate`. Raises UserError for a model that cannot be taught in hindsight.
    """

    def __init__(self, model: Model, *, settles: bool = False) -> None:
        if not isinstance(model, Hindsight):
            raise UserError(
                f"EpisodeLearner needs a model that learns in hindsight, got {type(model).__name__}: use a discrete "
                "model with counts, or the learner 'conjugate'"
            )
        self.model: Model = model
        self.settles = settles
        self._hindsight, self._ticks = model, dict[int, list[Tick]]()

    def start(self, *, generator: torch.Generator) -> None:
        self._ticks.clear()

    def finish(self) -> None:
        if self.settles:
            settle(self.model, True)

    def update(self, tick: Tick) -> Mapping[str, float]:
        if self.settles:
            settle(self.model, False)
        over = []
        for row in tick.valid.nonzero()[0].tolist():
            if tick.t[row] == 0:
                self._ticks[row] = []
            self._ticks.setdefault(row, []).append(tick)
            if tick.terminated[row] or tick.truncated[row]:
                over.append((row, self._ticks.pop(row)))
        smoothed = [self._smoothed(row, ticks) for row, ticks in over]
        report: dict[str, float] = {}
        for (row, ticks), each in zip(over, smoothed, strict=True):
            found = self._hindsight.condition_on(ticks, row, each.beliefs[:, 0], each.pairs[:, 0])
            report.update({name: report.get(name, 0.0) + value for name, value in found.items()})
        if smoothed:
            total = torch.cat([each.free_energies for each in smoothed]).sum()
            report["free_energy"] = float(total.detach()) / len(smoothed)
        return report

    def _smoothed(self, row: int, ticks: list[Tick]) -> Smoothed:
        obs = torch.stack([*[tick.obs[[row]] for tick in ticks], ticks[-1].next_obs[[row]]])
        return smooth(self.model, obs, torch.stack([tick.action[[row]] for tick in ticks]))
