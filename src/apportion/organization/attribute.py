"""Attributes of a company's own, and the currency of statements, as people write them."""

from __future__ import annotations

from apportion.money.currency import CODES
from apportion.organization.coding import FIELDS
from apportion.yamlfile import refuse


def check_attribute(name: str) -> str:
    """The name of an attribute. Refuses an empty one, and those of the coding, which stand there already."""
    if not name.strip():
        raise refuse("BAD_ATTRIBUTE", "The name of an attribute is missing.", "Write for example region.")
    if name in FIELDS:
        advice = "It belongs to the coding; pools can choose their recipients by it all the same."
        raise refuse("BAD_ATTRIBUTE", f"'{name}' is a code of the ledger, not an attribute.", advice)
    return name


def check_currency(code: str) -> str:
    """A currency by its ISO 4217 code; an empty text is none."""
    if code and code not in CODES:
        near = code.strip().upper()
        advice = f"Did you mean '{near}'?" if near in CODES else "Use a code such as USD, EUR or JPY."
        raise refuse("BAD_CURRENCY", f"'{code}' is not an ISO 4217 currency.", advice)
    return code
