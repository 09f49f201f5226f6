"""Whatever is invoiced late, in parts or never: accrued cost is what waits, payables are what is invoiced, once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.close.journals import made
from apportion.ledger.auditor import audit
from apportion.ledger.entry import Entry
from apportion.money.currency import units_per_minor
from apportion.periods import BillingPeriod
from apportion.post.journal import Journal
from apportion.post.lifecycle import JournalKind
from apportion.settings import Settings
from apportion.warehouse.snapshot import DeliveredInvoice, Total
from apportion.warehouse.store import Workspace

CENT = units_per_minor("EUR")
SETTINGS = Settings.model_validate(
    {
        "company": "Northwind",
        "payer": {"company": "1000", "cost_center": "9900", "ledger_account": "600100"},
        "ledger": {"payables": "330000", "accrued": "339000"},
    }
)
ISSUERS = ("Nimbus", "Hoshi")
KINDS = (JournalKind.PROVIDER, JournalKind.ACCRUAL, JournalKind.TRUE_UP)


@dataclass
class Delivered:
    """What journals ask of a workspace: months of cost in cents, and of invoices, both by issuer."""

    cost: dict[BillingPeriod, dict[str, int]] = field(default_factory=dict)
    invoices: dict[BillingPeriod, dict[str, list[int]]] = field(default_factory=dict)

    def totals(self, period: BillingPeriod) -> tuple[Total, ...]:
        return tuple(
            Total("cloud", issuer, "1", None, "EUR", "Usage", "", 1, cents * CENT, cents * CENT, None, None)
            for issuer, cents in self.cost.get(period, {}).items()
        )

    def provider_invoices(self, period: BillingPeriod) -> tuple[DeliveredInvoice, ...]:
        return tuple(
            DeliveredInvoice("cloud", issuer, f"{issuer}-{period}-{place}", "EUR", cents * CENT, "Issued", 0)
            for issuer, found in self.invoices.get(period, {}).items()
            for place, cents in enumerate(found)
        )

    def billing_statuses(self, _: BillingPeriod) -> tuple[tuple[str, str], ...]:
        return ()

    def sealed(self, _: BillingPeriod) -> None:
        return None

    def waits(self, period: BillingPeriod) -> int:
        """What of a month's cost no invoice asks for."""
        asked_for = self.invoices.get(period, {})
        return sum(max(cents - sum(asked_for.get(issuer, ())), 0) for issuer, cents in self.cost[period].items())


def asked(kind: JournalKind, delivered: Delivered, period: BillingPeriod, known: list[Journal]) -> None:
    """Make a journal and keep it: asked again, there is none."""
    for _ in range(2):
        found = made(kind, cast(Workspace, delivered), SETTINGS, period, None, known)
        if found is None:
            return
        known.append(found)
    raise AssertionError(f"{kind} of {period} was made twice")


def on(entries: list[Entry], account: str, until: BillingPeriod) -> int:
    return sum(
        each.amount_minor
        for entry in entries
        if entry.posting_on < until.ends_on
        for each in entry.postings
        if each.account == account
    )


month = st.dictionaries(st.sampled_from(ISSUERS), st.integers(1, 10**7), max_size=2)
arrival = st.tuples(st.integers(0, 5), st.sampled_from(ISSUERS), st.integers(1, 10**7))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(month, st.lists(arrival, max_size=3), st.permutations(KINDS)), min_size=1, max_size=5),
)
def test_month_by_month(
    months: list[tuple[dict[str, int], list[tuple[int, str, int]], list[JournalKind]]],
) -> None:
    delivered, known = Delivered(), list[Journal]()
    periods = [BillingPeriod(2026, 1)]
    for cost, arrivals, order in months:
        now = periods[-1]
        delivered.cost[now] = cost
        for back, issuer, cents in arrivals:  # an invoice of this month or an earlier one
            of = periods[max(len(periods) - 1 - back, 0)]
            delivered.invoices.setdefault(of, {}).setdefault(issuer, []).append(cents)
        asked(JournalKind.TRUE_UP, delivered, now.previous, known)
        for kind in order:
            for period in periods if kind is JournalKind.PROVIDER else [now]:
                asked(kind, delivered, period, known)
        entries = [entry for journal in known for entry in journal.entries]
        assert -on(entries, "339000", now) == sum(delivered.waits(period) for period in periods)
        periods.append(now.next)
    last = periods[-1]
    asked(JournalKind.TRUE_UP, delivered, last.previous, known)
    entries = [entry for journal in known for entry in journal.entries]
    assert on(entries, "339000", last) == 0
    invoiced = sum(sum(cents) for by_issuer in delivered.invoices.values() for cents in by_issuer.values())
    assert on(entries, "600100", last.next) == -on(entries, "330000", last.next) == invoiced
    assert audit(entries) == ()
    ids = [entry.id for entry in entries]
    assert len(set(ids)) == len(ids)
