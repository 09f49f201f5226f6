"""Commitments paid upfront, in books whose own currency is another: terms, months' rates, and the journals so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import pytest

from apportion.allocate.policy import CostBasis
from apportion.close import run as runs
from apportion.close.journals import made
from apportion.ledger.entry import Entry, EntryKind
from apportion.money.currency import minor_text
from apportion.money.exchange import Leg, Rate
from apportion.periods import BillingPeriod
from apportion.post.foreign import Quote
from apportion.post.journal import Journal, reversal
from apportion.post.lifecycle import JournalKind
from apportion.settings import Settings
from apportion.warehouse.store import Workspace

ASSET = "190000"
COMMITMENT = "RI-7"


@dataclass
class Books:
    """One commitment in `currency` and the journals of a company that keeps its books in `own`.

    It is what journals ask of a workspace, of which nothing but terms, delivered months and their rates matters here.
    """

    currency: str
    own: str
    price: int
    starts: date
    ends: date
    ended: date | None = None
    rates: dict[BillingPeriod, str] = field(default_factory=dict)
    known: list[Journal] = field(default_factory=list)
    first: BillingPeriod | None = None

    def periods(self) -> tuple[BillingPeriod, ...]:
        return (self.first or BillingPeriod.of(self.starts),)

    def totals(self, _: BillingPeriod) -> tuple[Any, ...]:
        return ()

    def run(self, period: BillingPeriod) -> SimpleNamespace:
        """As far as journals look at it: on effective cost, with the rate of the month or the last one before it."""
        rate = self.rates[max(each for each in self.rates if each <= period)]
        leg = Leg(
            self.currency, self.own, Fraction(rate), False, period.starts_on, period.starts_on, 1, f"rates of {period}"
        )
        exchange = SimpleNamespace(rate=lambda *_: Rate((leg,)))
        return SimpleNamespace(allocation=SimpleNamespace(cost_basis=CostBasis.EFFECTIVE), exchange=exchange)

    @property
    def settings(self) -> Settings:
        term = {"starts": self.starts, "ends": self.ends, "ended": self.ended, "currency": self.currency}
        upfront = minor_text(self.price, self.currency)
        return Settings.model_validate(
            {
                "company": "Northwind",
                "payer": {"company": "1000", "cost_center": "9900", "ledger_account": "600100"},
                "ledger": {
                    "payables": "330000",
                    "prepaid": ASSET,
                    "currencies": {"1000": self.own} if self.own else {},
                    "commitments": {COMMITMENT: {**term, "upfront": upfront}},
                },
            }
        )

    def ask(self, period: BillingPeriod) -> Journal | None:
        """The month's journal, kept where there is one."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(runs, "current", lambda _, asked: self.run(asked))
            found = made(JournalKind.PREPAID, cast(Workspace, self), self.settings, period, None, self.known)
        if found:
            self.known.append(found)
        return found

    def reverse(self, place: int) -> None:
        self.known.append(reversal(self.known[place], max(each.posting_on for each in self.known[place].entries)))

    def standing(self) -> list[int]:
        """Places of the journals that can be reversed."""
        back = {entry.reverses for entry in self.entries if entry.reverses}
        return [
            place
            for place, journal in enumerate(self.known)
            if not any(entry.reverses or entry.id in back for entry in journal.entries)
        ]

    def months(self) -> list[BillingPeriod]:
        """Those of the term."""
        found = [BillingPeriod.of(self.starts)]
        while found[-1] < BillingPeriod.of(self.ends):
            found.append(found[-1].next)
        return found

    @property
    def entries(self) -> list[Entry]:
        return [entry for journal in self.known for entry in journal.entries]

    @property
    def asset(self) -> int:
        """What is on the asset's account in the commitment's currency."""
        return sum(each.amount_minor for entry in self.entries for each in entry.postings if each.account == ASSET)

    @property
    def own_asset(self) -> int:
        """The same in the company's own."""
        return sum(parts(self.entries))


def parts(entries: Sequence[Entry], *kinds: EntryKind) -> list[int]:
    """What each entry puts on the asset's account in the company's own currency."""
    return [
        sum(each.local.amount_minor for each in entry.postings if each.account == ASSET and each.local)
        for entry in entries
        if not kinds or entry.kind in kinds
    ]


def each_by_itself(journal: Journal, rate: str) -> Journal:
    """The journal as one that was made before: every instalment converted by itself, at the rate of the asset."""

    def converted(entry: Entry) -> Entry:
        if entry.kind is not EntryKind.AMORTISATION:
            return entry
        postings = []
        for each in entry.postings:
            if each.amount_minor and each.local:
                at = Quote(each.local.currency, rate, each.local.rate_on, each.local.source)
                postings.append(replace(each, local=at.local(each.amount_minor, each.currency)))
        return replace(entry, postings=tuple(postings))

    return replace(journal, entries=tuple(converted(entry) for entry in journal.entries))
