"""The mean return of few episodes: normal, exponential and 0/1 returns."""

from collections.abc import Callable

from agentic_metrics import EpisodeReturn, Estimate
from calibration.case import Case, Source, covers

COUNTS = (2, 5, 10, 20)  # episodes
SKEWED = 0.9  # what the warning of few episodes says of exponential returns


def earned(law: Callable[[Source, int], object], episodes: int) -> Callable[[Source], Estimate]:
    """The mean of so many returns of a law."""
    return lambda source: EpisodeReturn().estimate(law(source, episodes))


def won(share: float, episodes: int) -> Case:
    """So many successes or failures."""
    name = f"{episodes} returns of 0 or 1, {share:g} succeed"
    return covers(name, earned(lambda source, n: source.random(n) < share, episodes), share, side="at least")


CASES = (
    *(covers(f"{n} normal returns", earned(lambda source, n: source.normal(size=n), n), 0.0) for n in COUNTS),
    *(
        covers(
            f"{n} exponential returns",
            earned(lambda source, n: source.exponential(size=n), n),
            1.0,
            side="at least",
            rate=SKEWED,
        )
        for n in COUNTS
    ),
    *(won(share, n) for share, n in ((0.5, 5), (0.8, 2), (0.8, 10), (0.95, 20))),
)
