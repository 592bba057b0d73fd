"""Blackjack as Gymnasium deals it, from an endless deck: the exact expected return of a policy."""

from collections.abc import Callable, Mapping
from functools import cache

CARDS: Mapping[int, float] = {card: (4 if card == 10 else 1) / 13 for card in range(1, 11)}
BUST = 0


def shown(total: int, ace: bool) -> tuple[int, int]:
    """What a hand is worth, and whether an ace of it counts eleven; `total` counts aces one."""
    usable = ace and total + 10 <= 21
    return total + 10 * usable, int(usable)


@cache
def dealer(total: int, ace: bool) -> Mapping[int, float]:
    """The chances of what a dealer ends with, who draws below 17."""
    worth, _ = shown(total, ace)
    if worth >= 17:
        return {worth if worth <= 21 else BUST: 1.0}
    found = dict[int, float]()
    for card, chance in CARDS.items():
        for end, likely in dealer(total + card, ace or card == 1).items():
            found[end] = found.get(end, 0.0) + chance * likely
    return found


def value(hits: Callable[[int, int, int], float]) -> float:
    """The expected return of hitting with probability `hits(worth, dealer's card, usable ace)`."""

    def sticking(worth: int, card: int) -> float:
        after = [(chance, dealer(card + next_card, 1 in (card, next_card))) for next_card, chance in CARDS.items()]
        return sum(p * q * ((worth > end) - (worth < end)) for p, ends in after for end, q in ends.items())

    @cache
    def of(total: int, ace: bool, card: int) -> float:
        worth, usable = shown(total, ace)
        share = hits(worth, card, usable)
        drawn = [(p, total + more, ace or more == 1) for more, p in CARDS.items()]
        hitting = sum(p * (-1.0 if held > 21 else of(held, has, card)) for p, held, has in drawn) if share else 0.0
        return share * hitting + (1 - share) * (sticking(worth, card) if share < 1 else 0.0)

    deals = [(a, b, card) for a in CARDS for b in CARDS for card in CARDS]
    return sum(CARDS[a] * CARDS[b] * CARDS[c] * of(a + b, 1 in (a, b), c) for a, b, c in deals)
