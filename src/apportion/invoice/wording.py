"""How amounts, periods, bases and reasons are said on statements: plain words, the same in every format."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from apportion.allocate.allocation import Corrected, Scope
from apportion.allocate.policy import CostBasis
from apportion.money.amount import ONE, half_even, plain
from apportion.money.currency import exponent, minor_text, units_per_minor
from apportion.money.split import to_step
from apportion.periods import BillingPeriod

NOTICE = "This is a showback statement: nothing is charged."

BASIS = {
    CostBasis.EFFECTIVE: "Effective cost: a prepaid commitment counts when it is used, not when it is paid.",
    CostBasis.BILLED: "Billed cost: what the providers invoice for this period, prepaid amounts included in full.",
}

UNALLOCATED_NAME = "Unallocated"
KEPT_CENTRAL_NAME = "Kept central"

# Not from the calendar module, whose names follow the locale of the machine.
_MONTHS = "January February March April May June July August September October November December".split()

_QUANTITY_STEP = ONE // 10**6


def period_name(period: BillingPeriod) -> str:
    """``October 2026``."""
    return f"{_MONTHS[period.month - 1]} {period.year}"


def correction(corrects: str) -> str:
    """What a late correction is called: ``Correction of May 2025``; nothing for the cost of the period itself."""
    return f"Correction of {period_name(BillingPeriod.parse(corrects))}" if corrects else ""


def grouped(minor: int, currency: str) -> str:
    """Minor units with the currency's decimals and commas between thousands: ``-1,234.50``."""
    return _commas(minor_text(minor, currency))


def exact(units: int, currency: str) -> str:
    """Units with every decimal they have, and at least those of the currency: ``1,234.5000001``, ``7.00``."""
    whole, _, fraction = plain(units).partition(".")
    fraction = fraction.ljust(exponent(currency), "0")
    return _commas(f"{whole}.{fraction}" if fraction else whole)


@lru_cache(maxsize=4096)
def rounded(units: int, currency: str) -> str:
    """Units to the nearest minor unit, as a sum of money is said: ``1,234.56 USD``."""
    return f"{grouped(to_step(units, units_per_minor(currency)), currency)} {currency}"


@lru_cache(maxsize=4096)  # totals stand on the line of every recipient
def quantity(units: int) -> str:
    """A metered quantity to six decimals, or to all it has where those say nothing: ``1,250``, ``0.333333``."""
    shown = to_step(units, _QUANTITY_STEP) * _QUANTITY_STEP
    return _commas(plain(shown or units))


def exact_quantity(units: int) -> str:
    """A metered quantity with every decimal it has."""
    return _commas(plain(units))


def scope_text(scope: Scope) -> str:
    """The provider and its invoice: ``Amazon Web Services, invoice 123``."""
    issuer = scope.invoice_issuer or "Unnamed issuer"
    if scope.invoice_id:
        return f"{issuer}, invoice {scope.invoice_id}"
    if scope.billing_account_id:
        return f"{issuer}, billing account {scope.billing_account_id}"
    return issuer


def direct_reason(rules: Sequence[str], corrects: str = "") -> str:
    """Which rules brought the cost here, by name; for a late correction, also of which month."""
    if not corrects:
        return _by_rules(rules)
    text = _by_rules(rules)
    return f"{correction(corrects)}: {text[0].lower()}{text[1:]}, as the policy was then"


def _by_rules(rules: Sequence[str]) -> str:
    if not rules:
        return "No rule met these charges"
    if len(rules) == 1:
        return f"By rule “{rules[0]}”"
    named = ", ".join(f"“{rule}”" for rule in rules[:3])
    return f"By rules {named}" + (f" and {len(rules) - 3} more" if len(rules) > 3 else "")


def first_stated(found: Sequence[Corrected]) -> str:
    """Which statements a late correction puts right, and what became of whose they were; to stand after a reason."""
    said = []
    for each in found:
        whose = "" if each.first == each.holder else f" of '{each.first}', which is not in the tree any more"
        if each.statement:
            said.append(f"statement {each.statement}{whose}")
        elif whose:
            said.append(f"cost{whose}")
    return f"; corrects {listed(said)}" if said else ""


def percent(weight: int, total: int) -> str:
    """A share in per cent: ``45 %``, ``33.34 %``; ``1 of 3 parts (33.3333 %)`` where per cents do not end."""
    shown = half_even(weight * 10**6, total)
    text = f"{plain(shown * 10**14)} %"
    return text if shown * total == weight * 10**6 else f"{weight:,} of {total:,} parts ({text})"


def about(part: Fraction) -> str:
    """A part of a whole in per cent, to four decimals: ``33.3333 %``."""
    return f"{plain(half_even(part.numerator * 10**6, part.denominator) * 10**14)} %"


def listed(names: Sequence[str], most: int = 3) -> str:
    """``a``, ``a and b``, ``a, b and c``, ``a, b, c and 4 more``."""
    shown = list(names) if len(names) <= most else [*names[:most], f"{len(names) - most} more"]
    *first, last = shown
    return f"{', '.join(first)} and {last}" if first else last


def _commas(number: str) -> str:
    whole, point, fraction = number.partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.removeprefix('-')):,}{point}{fraction}"
