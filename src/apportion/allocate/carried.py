"""What rounding to minor units leaves over, carried from one month to the next.

On effective cost an issuer's month is settled as a whole, and no document of the provider says how it is to be
rounded. So what one month's rounding left over counts in the next month's total: over the months, holders are charged
the rounded sum of all that was delivered, and a correction of a tenth of a cent is never lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from apportion.allocate.allocation import Allocation, Carried, Line, Scope
from apportion.money.currency import units_per_minor


def carried_on(lines: Iterable[Line], left_over: Mapping[Scope, int]) -> tuple[Carried, ...]:
    """What came in and goes out of every scope that rounding touched, or that nothing was delivered in."""
    out: dict[Scope, int] = defaultdict(int, left_over)
    for line in lines:
        out[line.scope] += line.units - line.minor * units_per_minor(line.scope.currency)
    return tuple(
        Carried(scope, left_over.get(scope, 0), out[scope])
        for scope in sorted(out)
        if out[scope] or left_over.get(scope)
    )


def left_over(allocation: Allocation) -> dict[Scope, int]:
    """What the next month is to count in, by scope."""
    made = carried_on(allocation.lines, {}) if allocation.carried is None else allocation.carried
    return {carried.scope: carried.units_out for carried in made if carried.units_out}
