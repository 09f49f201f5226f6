"""From billed to effective cost: every piece of the difference, named.

Cash and accrual differ by the prepaid commitments: what is bought is billed now and used later. Whatever else
differs is named by its charge category, so that nothing hides behind the commitments.
"""

from __future__ import annotations

from collections.abc import Iterable

from apportion.tie_out.stage import Difference, Stage
from apportion.warehouse.snapshot import Total

_COMMITMENTS = {
    "purchase": ("commitments_bought", "commitments bought, billed now and used over their term"),
    "used": ("commitments_used", "commitments used, paid when they were bought"),
    "unused": ("commitments_unused", "commitments not used, paid when they were bought"),
}


def bridge(totals: Iterable[Total]) -> list[Difference]:
    """Effective minus billed cost by currency, issuer and kind; pieces of zero are left out."""
    pieces: dict[tuple[str, str, str, str], int] = {}
    for total in totals:
        key = (total.currency, total.invoice_issuer, *_kind(total))
        pieces[key] = pieces.get(key, 0) + total.effective_units - total.billed_units
    return [
        Difference(currency, Stage.EFFECTIVE_COST, issuer, units, reason, sentence, accepted=True)
        for (currency, issuer, reason, sentence), units in sorted(pieces.items())
        if units
    ]


def _kind(total: Total) -> tuple[str, str]:
    named = _COMMITMENTS.get(total.commitment.casefold())
    if named:
        return named
    category = total.charge_category or "no charge category"
    return (
        f"{(total.charge_category or 'uncategorized').casefold()}_differs",
        f"{category} without a commitment, delivered with another effective than billed cost",
    )
