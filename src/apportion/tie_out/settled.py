"""From exact amounts to whole minor units: what rounding moves, and what is carried from month to month."""

from __future__ import annotations

from apportion.allocate.allocation import Allocation, Carried, Scope
from apportion.allocate.rule import Target
from apportion.allocate.waterfall import settled_total
from apportion.invoice.wording import scope_text
from apportion.money.currency import units_per_minor
from apportion.periods import BillingPeriod
from apportion.tie_out.stage import UNEXPLAINED, Difference, Stage


def settled(allocation: Allocation, unsealed: BillingPeriod | None = None) -> list[Difference]:
    """Rounding: each scope may move to its nearest minor unit with what is carried into it, and no further.

    On effective cost what came in and what goes out are two differences. `unsealed` is a month that could hand
    nothing on: that is said, too.
    """
    totals: dict[Scope, dict[Target, int]] = {}
    minor: dict[Scope, int] = {}
    for line in allocation.lines:
        held = totals.setdefault(line.scope, {})
        held[line.holder] = held.get(line.holder, 0) + line.units
        minor[line.scope] = minor.get(line.scope, 0) + line.minor
    carried = {each.scope: each for each in allocation.carried or ()}
    found: list[Difference] = []
    for scope in sorted(totals.keys() | carried.keys()):
        step = units_per_minor(scope.currency)
        sums = list(totals.get(scope, {}).values())
        units = minor.get(scope, 0) * step - sum(sums)
        came = carried.get(scope, Carried(scope, 0, 0))
        is_kept = allocation.carried is None or came.units_in - came.units_out == units
        if minor.get(scope, 0) != settled_total(sums, came.units_in, step) or not is_kept:
            sentence = "not the rounded sum of its lines"
            found.append(_difference(scope, units, UNEXPLAINED, sentence, is_accepted=False))
        elif allocation.carried is None:
            found.append(_difference(scope, units, "rounding", "rounded once to whole minor units"))
        else:
            before, after = allocation.period.previous, allocation.period.next
            found.append(_difference(scope, came.units_in, "carried_in", f"left over by the rounding of {before}"))
            sentence = f"left over by rounding to whole minor units, carried to {after}"
            found.append(_difference(scope, -came.units_out, "carried_out", sentence))
    found = [each for each in found if each.units or not each.accepted]
    if unsealed is not None:
        sentence = "not sealed, so what its rounding left over is not carried in"
        found += [
            Difference(currency, Stage.SETTLED, str(unsealed), 0, "not_carried_in", sentence, accepted=True)
            for currency in sorted({scope.currency for scope in totals})
        ]
    return found


def _difference(scope: Scope, units: int, reason: str, sentence: str, *, is_accepted: bool = True) -> Difference:
    return Difference(scope.currency, Stage.SETTLED, scope_text(scope), units, reason, sentence, accepted=is_accepted)
