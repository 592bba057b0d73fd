"""Processes of finite machines, whose stored information is known: the test cases of its estimators.

A machine emits a symbol at every step and moves among finitely many hidden states. All information is in bits.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self, final

import numpy as np
from numpy.typing import ArrayLike

from agentic import UserError
from agentic_metrics.finite.arrays import Floats
from agentic_metrics.finite.laws import checked_chain, checked_law, entropy, positive, stationary

DIGITS = 12  # beliefs about the hidden state that agree to so many digits are one
RARE = 1e-18  # probability below which a past is left out
MOST = 100_000  # beliefs kept at once
LONGEST = 20_000  # symbols
SETTLED = 1e-14  # bits: excess of the conditional entropy over its limit


@final
@dataclass(frozen=True, eq=False)
class Machine:
    """A hidden Markov process in its stationary regime.

    `moves` (symbols, states, states): probability, in a state, to emit the symbol and go to the next state. Raises
    UserError where they do not sum to 1 over symbols and next states, or the states have no single stationary law.
    """

    moves: Floats

    def __post_init__(self) -> None:
        moves = np.asarray(self.moves, np.float64)
        if moves.ndim != 3 or moves.shape[1] != moves.shape[2]:
            raise UserError(f"the moves of a machine are an array (symbols, states, states), got shape {moves.shape}")
        checked_law(moves.transpose(1, 0, 2).reshape(moves.shape[1], -1), "the moves of a machine", dimensions=2)
        object.__setattr__(self, "moves", moves)
        _ = self.law

    @classmethod
    def of_chain(cls, transition: ArrayLike) -> Self:
        """The Markov chain (n, n) whose states are seen."""
        table = checked_chain(transition)
        return cls(np.einsum("sx,xn->xsn", table, np.eye(len(table))))

    @cached_property
    def law(self) -> Floats:
        """The stationary law of the hidden states, (states,)."""
        return stationary(self.moves.sum(0))

    @property
    def emissions(self) -> Floats:
        """The probability of each symbol in each state, (states, symbols)."""
        return np.asarray(self.moves.sum(2).T)

    def conditional_entropies(self, length: int) -> Floats:
        """The entropies H(Y_{k+1} | Y_1..Y_k), k = 0 .. length, (length + 1,): falling toward the entropy rate."""
        found, beliefs, weights = [], self.law[None, :], np.ones(1)
        for _ in range(length + 1):
            found.append(float(weights @ entropy(beliefs @ self.emissions)))
            beliefs, weights = self._after_one_more(beliefs, weights)
        return np.array(found)

    def _after_one_more(self, beliefs: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """What is believed about the hidden state after one more symbol, (m, states), and how likely that is, (m,)."""
        rows = np.einsum("m,ms,xsn->xmn", weights, beliefs, self.moves).reshape(-1, beliefs.shape[1])
        total = rows.sum(1)
        rows, total = rows[total > RARE], total[total > RARE]
        sorted_out = np.round(rows / total[:, None], DIGITS)
        _, first, which = np.unique(sorted_out, axis=0, return_index=True, return_inverse=True)
        if len(first) > MOST:
            raise UserError(
                f"the pasts of this machine leave more than {MOST} different beliefs about its state: ask for a "
                "shorter history, or for a machine that tells its state sooner"
            )
        return (rows / total[:, None])[first], np.bincount(which.reshape(-1), total).astype(np.float64)


def entropy_rate(machine: Machine) -> float:
    """The entropy rate h = sum_s p(s) H(symbol | s), bits per symbol. Raises UserError unless it is unifilar."""
    if ((machine.moves > 0).sum(2) > 1).any():
        raise UserError(
            "the entropy rate is known where state and symbol determine the next state: this machine is not unifilar"
        )
    return float(machine.law @ entropy(machine.emissions))


def statistical_complexity(machine: Machine) -> float:
    """The statistical complexity C = H(hidden state), in bits, where no two states predict the same future.

    Crutchfield and Young (1989). That the states are the causal ones is for the caller to see to.
    """
    return float(entropy(machine.law))


def exact_storage(machine: Machine, *, history: int = 1) -> float:
    """The active information storage I(Y_{t+1}; Y_{t-history+1}..Y_t) of the process, in bits (Lizier et al. 2012)."""
    if history < 1:
        raise UserError(f"history must be at least 1, got {history}")
    rates = machine.conditional_entropies(history)
    return positive(float(rates[0] - rates[-1]))


def excess_entropy(machine: Machine) -> float:
    """The excess entropy E = I(past; future) = sum_k H(Y_{k+1} | Y_1..Y_k) - h, in bits (Crutchfield, Feldman 2003).

    Summed until what is left is below 1e-14. Raises UserError for a machine that is not unifilar, or takes too long.
    """
    rate, total = entropy_rate(machine), 0.0
    beliefs, weights = machine.law[None, :], np.ones(1)
    for _ in range(LONGEST):
        excess = float(weights @ entropy(beliefs @ machine.emissions)) - rate
        total += excess
        if excess < SETTLED:
            return positive(total)
        beliefs, weights = machine._after_one_more(beliefs, weights)
    raise UserError(f"after {LONGEST} symbols the past of this machine still tells more of its future: it has no end")


def autoregressive_storage(coefficient: float) -> float:
    """The active information storage of y' = coefficient y + noise: -log2(1 - coefficient^2) / 2, in bits.

    As the process is Markov, it is the excess entropy too. Raises UserError unless -1 < coefficient < 1.
    """
    if not -1 < coefficient < 1:
        raise UserError(f"an autoregressive process is stationary for a coefficient within (-1, 1), got {coefficient}")
    return positive(float(-0.5 * np.log2(1 - coefficient**2)))
