"""Division by largest remainder: the parts sum to the whole, always.

Two shapes of the same rule. `split` divides one amount by weights. `settle` rounds many amounts to a coarser
step so that they sum to their rounded total. Both take toward zero first and hand the missing steps to the
largest remainders, ties in the order given; both mirror for negatives, so a credit is the exact opposite of
its charge. Method: Hamilton's largest remainder; W11 and W13 of the worked examples.
"""

from __future__ import annotations

from collections.abc import Sequence

from apportion.errors import NegativeBasisError, ZeroBasisError


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Parts of `amount` in proportion to `weights`, in the same unit as `amount`.

    Each part is within one unit of the exact share, has the sign of `amount`, and is zero where the weight is
    zero. Raises `ZeroBasisError` when the weights add up to zero, `NegativeBasisError` for a weight below zero.
    """
    total = sum(weights)
    if any(weight < 0 for weight in weights):
        raise NegativeBasisError("A weight is below zero.")
    if total == 0:
        raise ZeroBasisError("The weights add up to zero.")
    size = abs(amount)
    parts: list[int] = []
    rests: list[int] = []
    for weight in weights:
        part, rest = divmod(size * weight, total)
        parts.append(part)
        rests.append(rest)
    for place in _largest(rests, size - sum(parts)):
        parts[place] += 1
    return [-part for part in parts] if amount < 0 else parts


def settle(amounts: Sequence[int], step: int, whole: int | None = None) -> list[int]:
    """Each amount in whole `step`s, so that they sum to `whole`, or else to `to_step(sum(amounts), step)`.

    Amounts may have either sign; every result is within one step of its amount, and zero stays zero. `whole` must
    itself be within one step of the sum, and zero where every amount is.
    """
    if whole is None:
        whole = to_step(sum(amounts), step)
    parts = [_toward_zero(amount, step) for amount in amounts]
    rests = [amount - part * step for amount, part in zip(amounts, parts, strict=True)]
    missing = whole - sum(parts)
    if missing > 0:
        for place in _largest(rests, missing, amounts):
            parts[place] += 1
    elif missing < 0:
        for place in _largest([-rest for rest in rests], -missing, amounts):
            parts[place] -= 1
    return parts


def to_step(amount: int, step: int) -> int:
    """`amount` in whole `step`s, halves away from zero: the usual rounding of an invoice total."""
    size = (2 * abs(amount) + step) // (2 * step)
    return -size if amount < 0 else size


def _toward_zero(amount: int, step: int) -> int:
    return -(-amount // step) if amount < 0 else amount // step


def _largest(rests: Sequence[int], count: int, amounts: Sequence[int] = ()) -> list[int]:
    """Places of the `count` largest rests; of equal ones, the first, but an amount of zero last."""
    if count == 0:
        return []
    if amounts:
        return sorted(range(len(rests)), key=lambda place: (-rests[place], not amounts[place]))[:count]
    return sorted(range(len(rests)), key=lambda place: -rests[place])[:count]
