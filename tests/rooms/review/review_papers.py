"""Documents to dispute: the search team's invoice, as a person can check it by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from apportion.allocate.rule import Holder, Target
from apportion.invoice.paper import Paper, PaperKind, PaperLine, PaperLineKind, totals
from apportion.organization.coding import Coding
from apportion.organization.ownership import Owners
from apportion.review.states import Act, Situation, step

LABEL = "KES-1000-FY2026-000017"
AT = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)
SEARCH, SHOP, ADS = (Target(Holder.COST_GROUP, code) for code in ("search", "shop", "ads"))


def line(
    number: int,
    minor: int,
    *,
    pool: str = "",
    invoice: str = "A-1",
    currency: str = "EUR",
    billed: int | None = None,
    billed_in: str = "",
) -> PaperLine:
    """A line in euros, billed in euros where nothing else is said; a share where a pool is."""
    return PaperLine(
        number=number,
        kind=PaperLineKind.SHARE if pool else PaperLineKind.DIRECT,
        service="" if pool else "Compute",
        charge_category="" if pool else "Usage",
        pool_id=pool,
        pool_name=pool.title(),
        method="proportional" if pool else "",
        reason="By rule “search”",
        invoice_issuer="Cloud A",
        invoice_id=invoice,
        billing_account_id="",
        billed_currency=billed_in or currency,
        billed_minor=minor if billed is None else billed,
        currency=currency,
        minor=minor,
        rate="1 USD = 0.91 EUR" if billed_in else "",
    )


def paper(*lines: PaperLine, code: str = "search", kind: PaperKind = PaperKind.INVOICE, label: str = LABEL) -> Paper:
    """An issued document of October 2026."""
    return Paper(
        kind=kind,
        label=label,
        statement="KES-2026-10-0004",
        company="Harbour Foods",
        period="2026-10",
        issued_on=date(2026, 11, 9),
        review_until=date(2026, 11, 16),
        holder="cost_group",
        code=code,
        name=code.title(),
        path=((code, code.title()),),
        owners=Owners(finance="fay@example.com"),
        coding=Coding(company="1000"),
        cost_basis="effective_cost",
        lines=lines,
        totals=totals(lines),
        policy_name="Policy",
        policy_digest="p" * 64,
        organization_digest="o" * 64,
        snapshot_digest="s" * 64,
        run_digest="r" * 64,
    )


def in_review(kind: PaperKind = PaperKind.INVOICE) -> Situation:
    """A document that was just issued."""
    return step(Situation(kind), Act.ISSUE)


def disputed() -> Situation:
    """One with an undecided dispute."""
    return step(in_review(), Act.DISPUTE)


def past(now: Situation) -> Situation:
    """The same after its review deadline."""
    return replace(now, is_past_deadline=True)
