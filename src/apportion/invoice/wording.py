"""How amounts, periods, bases and reasons are said on statements: plain words, the same in every format."""

from __future__ import annotations

from collections.abc import Sequence

from apportion.allocate.allocation import Scope, Share
from apportion.allocate.policy import CostBasis, Method, Pool
from apportion.allocate.rule import Holder
from apportion.money.amount import half_even, plain
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


def period_name(period: BillingPeriod) -> str:
    """``October 2026``."""
    return f"{_MONTHS[period.month - 1]} {period.year}"


def grouped(minor: int, currency: str) -> str:
    """Minor units with the currency's decimals and commas between thousands: ``-1,234.50``."""
    return _commas(minor_text(minor, currency))


def exact(units: int, currency: str) -> str:
    """Units with every decimal they have, and at least those of the currency: ``1,234.5000001``, ``7.00``."""
    whole, _, fraction = plain(units).partition(".")
    fraction = fraction.ljust(exponent(currency), "0")
    return _commas(f"{whole}.{fraction}" if fraction else whole)


def rounded(units: int, currency: str) -> str:
    """Units to the nearest minor unit, as a sum of money is said: ``1,234.56 USD``."""
    return f"{grouped(to_step(units, units_per_minor(currency)), currency)} {currency}"


def scope_text(scope: Scope) -> str:
    """The provider and its invoice: ``Amazon Web Services, invoice 123``."""
    issuer = scope.invoice_issuer or "Unnamed issuer"
    if scope.invoice_id:
        return f"{issuer}, invoice {scope.invoice_id}"
    if scope.billing_account_id:
        return f"{issuer}, billing account {scope.billing_account_id}"
    return issuer


def share_reason(pool: Pool, shares: Sequence[Share], holder: Holder) -> str:
    """Why a holder carries its part of a pool: ``Support: your direct cost 1.00 USD of 8.00 USD in total``."""
    return f"{pool.name}: {'; '.join(_share(pool.method, share, holder) for share in shares)}"


def _share(method: Method, share: Share, holder: Holder) -> str:
    if method is Method.PROPORTIONAL:
        currency = share.scope.currency
        own = "your direct cost" if holder is Holder.COST_GROUP else "direct cost"
        return f"{own} {rounded(share.weight, currency)} of {rounded(share.total_weight, currency)} in total"
    if method is Method.FIXED:
        return f"fixed share {percent(share.weight, share.total_weight)}"
    if share.weight == 1:
        return f"even among {share.total_weight:,} cost groups" if share.total_weight > 1 else "the only cost group"
    return f"{share.weight:,} of {share.total_weight:,} even parts"


def direct_reason(rules: Sequence[str]) -> str:
    """Which rules brought the cost here, by name."""
    if not rules:
        return "No rule met these charges"
    if len(rules) == 1:
        return f"By rule “{rules[0]}”"
    named = ", ".join(f"“{rule}”" for rule in rules[:3])
    return f"By rules {named}" + (f" and {len(rules) - 3} more" if len(rules) > 3 else "")


def percent(weight: int, total: int) -> str:
    """A share in per cent: ``45 %``, ``33.34 %``; ``1 of 3 parts (33.3333 %)`` where per cents do not end."""
    shown = half_even(weight * 10**6, total)
    text = f"{plain(shown * 10**14)} %"
    return text if shown * total == weight * 10**6 else f"{weight:,} of {total:,} parts ({text})"


def _commas(number: str) -> str:
    whole, point, fraction = number.partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.removeprefix('-')):,}{point}{fraction}"
