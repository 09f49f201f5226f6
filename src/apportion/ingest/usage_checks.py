"""What rows of usage are checked for. Each check refuses the delivery, unless bad rows are kept aside."""

from __future__ import annotations

from collections.abc import Mapping

from apportion.focus.checks import ROW_RAGGED, Check
from apportion.focus.finding import Behaviour

PERIOD_UNREADABLE = Check(
    "USAGE_PERIOD_UNREADABLE",
    ("period",),
    Behaviour.REFUSED,
    "The period is neither a month nor a date.",
    "Write it as 2026-10, or as a date or date-time inside the month.",
)
VALUE_MISSING = Check(
    "USAGE_VALUE_MISSING",
    ("period", "metric", "consumer", "value"),
    Behaviour.REFUSED,
    "Nothing stands in this column.",
    "Every row needs a period, a metric, a consumer and a value; a quantity of nothing is 0.",
)
NUMBER_UNREADABLE = Check(
    "USAGE_NUMBER_UNREADABLE",
    ("value",),
    Behaviour.REFUSED,
    "The value is not a plain decimal number with at most 20 digits before the point.",
    "Write it with digits, a point and a minus only, for example 1234.5 or 1.81E-8.",
)
SPANS_MONTHS = Check(
    "USAGE_SPANS_MONTHS",
    ("window",),
    Behaviour.REFUSED,
    "The window reaches into another month.",
    "Export each day or each month by itself.",
)

CHECKS: Mapping[str, Check] = {
    "ragged": ROW_RAGGED,
    "period": PERIOD_UNREADABLE,
    "missing": VALUE_MISSING,
    "number": NUMBER_UNREADABLE,
    "window": SPANS_MONTHS,
}
"""By the word that the reading of a file has for it."""
