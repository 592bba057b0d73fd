"""Samples of variables, from which their information and its null are estimated."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import final

import numpy as np

from agentic import Null, UserError
from agentic_metrics.sampling.embedding import Places, window
from agentic_metrics.sampling.information import Estimator, Information, Values
from agentic_metrics.sampling.series import Series
from agentic_metrics.sampling.surrogates import null


@final
@dataclass(frozen=True)
class Samples:
    """Samples of I(X; Y | Z) whose X is read from a series at places, so that a surrogate reads it at others.

    `places` (n, depth) are the steps of `source` that are X side by side; `target` Y and `given` Z are (n, d), None
    where nothing is conditioned on; `episode` (n,) is that of each sample.
    """

    source: Series
    places: Places
    target: Values
    given: Values | None
    episode: Places

    @classmethod
    def of_steps(cls, source: Series, target: Series) -> "Samples":
        """The samples of I(X; Y) of two series of the same steps, each step one sample."""
        episode = np.repeat(np.arange(len(source.lengths)), source.lengths)
        return cls(source, np.arange(len(episode))[:, None], target.joined(), None, episode)

    def information(self, estimator: Estimator, order: Places | None = None) -> Information:
        """The information; with `order`, each step of the source is replaced by the one at that place.

        Samples for which that is -1 are left out. Raises UserError where none is left.
        """
        places = self.places if order is None else order[self.places]
        kept = (places >= 0).all(axis=1)
        if not kept.any():
            raise UserError("no step is left: the episodes in the place of others are all shorter")
        given = None if self.given is None else self.given[kept]
        return estimator.information(window(self._values, places[kept]), self.target[kept], given)

    def compared(
        self, estimator: Estimator, *, surrogates: int, generator: np.random.Generator
    ) -> tuple[Information, Null | None]:
        """The information and its null, in which the source is that of other episodes or turned in time."""
        found, again = self.information(estimator), partial(self.information, estimator)
        return null(found, self.source, self.episode, again, surrogates=surrogates, generator=generator)

    @cached_property
    def _values(self) -> Values:
        return self.source.joined()
