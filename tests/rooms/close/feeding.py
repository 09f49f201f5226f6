"""Small workspaces that journals are made from: charges in euro, and invoices as their provider states them."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from apportion.close import month as closing
from apportion.close import run as runs
from apportion.close.journals import made
from apportion.ingest.load import ingest
from apportion.ledger.entry import Entry
from apportion.periods import BillingPeriod
from apportion.post.formats import hledger, json_text
from apportion.post.journal import Journal, of_entries
from apportion.post.lifecycle import JournalKind
from apportion.tie_out import Stage
from apportion.warehouse.store import Workspace

OCTOBER, NOVEMBER = BillingPeriod(2026, 10), BillingPeriod(2026, 11)

LEDGER = {
    "transferred_out": "600199",
    "payables": "330000",
    "accrued": "339000",
    "prepaid": "190000",
    "input_tax": "157700",
    "statistical": "950100",
    "suspense_cost_center": "9990",
}
ORGANIZATION = """\
organization: Northwind
groups:
  - {code: red, name: Red, coding: {company: "1000", cost_center: "0010", ledger_account: "600100"}}
  - {code: green, name: Green, coding: {company: "1000", cost_center: "0020", ledger_account: "600100"}}
"""
POLICY = """\
policy: Northwind policy
cost_basis: BASIS
rules:
  - {id: tax, when: {ChargeCategory: Tax}, charge_to: kept_central}
  - {id: purchases, when: {ChargeCategory: Purchase}, charge_to: kept_central}
  - {id: by-team, charge_to: {tag: team}}
"""
_USUAL = {
    "BilledCost": "0",
    "EffectiveCost": "",
    "BillingAccountId": "111",
    "BillingCurrency": "EUR",
    "ChargeCategory": "Usage",
    "ChargeDescription": "Hours of a machine",
    "ChargeFrequency": "Usage-Based",
    "CommitmentDiscountId": "",
    "CommitmentDiscountName": "",
    "CommitmentDiscountStatus": "",
    "InvoiceIssuerName": "Nimbus",
    "InvoiceId": "",
    "ProviderName": "Nimbus",
    "PublisherName": "Nimbus",
    "ServiceCategory": "Compute",
    "ServiceName": "Compute",
    "SubAccountId": "222",
    "team": "red",
}
Row = Mapping[str, str]


@dataclass
class Feed:
    """A workspace and the journals that were made from it."""

    root: Path
    known: list[Journal] = field(default_factory=list)

    @property
    def workspace(self) -> Workspace:
        return Workspace.open(self.root)

    def deliver(self, period: BillingPeriod, rows: Sequence[Row], *, allocated: bool = True) -> None:
        """The charges of a month, in place of those before."""
        days = {
            "BillingPeriodStart": f"{period.starts_on}T00:00:00Z",
            "BillingPeriodEnd": f"{period.ends_on}T00:00:00Z",
            "ChargePeriodStart": f"{period}-05T00:00:00Z",
            "ChargePeriodEnd": f"{period}-06T00:00:00Z",
        }
        full = [{**_USUAL, **days, **row} for row in rows]
        for row in full:
            row["EffectiveCost"] = row["EffectiveCost"] or row["BilledCost"]
            row["Tags"] = json.dumps({"team": team} if (team := row.pop("team")) else {})
        self.load(f"nimbus-{period}.csv", full, "nimbus")
        if allocated:
            self.allocate(period)

    def invoice(self, period: BillingPeriod, rows: Sequence[Row]) -> None:
        """The provider's own invoices of a month."""
        usual = {
            "BilledCost": "0", "BillingAccountId": "111", "BillingCurrency": "EUR", "ChargeCategory": "Usage",
            "BillingPeriodStart": f"{period.starts_on}T00:00:00Z", "InvoiceIssuerName": "Nimbus", "InvoiceId": "N-77",
            "InvoiceIssueStatus": "Issued", "InvoiceDetailGrain": "{}", "PaymentTerms": "Net 30",
        }  # fmt: skip
        self.load(
            f"invoices-{period}.csv",
            [{**usual, "InvoiceDetailId": f"L{place}", **row} for place, row in enumerate(rows)],
            "nimbus-invoices",
        )

    def status(self, period: BillingPeriod, status: str) -> None:
        """What the provider says of a month."""
        row = {
            "BillingPeriodStart": f"{period.starts_on}T00:00:00Z",
            "BillingPeriodStatus": status,
            "InvoiceIssuerName": "Nimbus",
        }
        self.load(f"periods-{status}.csv", [row], "nimbus-periods")

    def load(self, name: str, rows: Sequence[Row], source: str) -> None:
        path = self.root.parent / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        ingest(self.workspace, [path], source=source, allow_shrink=True)

    def allocate(self, period: BillingPeriod) -> None:
        runs.allocate(self.workspace, period)

    def settings(self, ledger: str = "", without: str = "", **more: str) -> None:
        """Write the settings; `ledger` are further lines of that section, `without` the key that is missing."""
        accounts = [f'  {name}: "{code}"\n' for name, code in LEDGER.items() if name != without]
        text = (
            "company: Northwind\nstatement_prefix: NW\n"
            'payer: {company: "1000", cost_center: "9900", ledger_account: "600100"}\n'
            f"ledger:\n{''.join(accounts)}{ledger}" + "".join(f"{name}: {value}\n" for name, value in more.items())
        )
        (self.root / "apportion.yaml").write_text(text, encoding="utf-8")

    def ask(self, kind: JournalKind, period: BillingPeriod = OCTOBER, posting_on: date | None = None) -> Journal | None:
        """The journal that would be made now."""
        place = self.workspace
        return made(kind, place, place.settings, period, posting_on, self.known)

    def make(self, kind: JournalKind, period: BillingPeriod = OCTOBER, posting_on: date | None = None) -> Journal:
        """Make a journal and keep it; asked again, there is none."""
        found = self.ask(kind, period, posting_on)
        assert found is not None
        self.known.append(found)
        assert self.ask(kind, period, posting_on) is None
        return found

    def transferred(self, period: BillingPeriod = OCTOBER) -> Journal:
        """The cost transfer of a month's statements, as documents would make it."""
        run = runs.current(self.workspace, period)
        found = closing.journal(run, closing.statements(run))
        self.known.append(found)
        return found

    def invoiced_units(self, period: BillingPeriod = OCTOBER) -> dict[str, int]:
        """What the tie-out says that the providers' invoices come to, by currency."""
        run = runs.current(self.workspace, period)
        sums: dict[str, int] = {}
        for row in closing.month(self.workspace, run).tie_out.rows:
            if row.stage is Stage.PROVIDER_INVOICES:
                sums[row.currency] = sums.get(row.currency, 0) + row.units
        return sums

    def sums(self, account: str) -> int:
        """What is on an account over all journals."""
        return sum(each.amount_minor for entry in self.entries for each in entry.postings if each.account == account)

    @property
    def entries(self) -> list[Entry]:
        return [entry for journal in self.known for entry in journal.entries]


def feed(root: Path, basis: str = "effective") -> Feed:
    """An empty workspace."""
    root.mkdir()
    found = Feed(root)
    found.settings()
    (root / "organization.yaml").write_text(ORGANIZATION, encoding="utf-8")
    (root / "policy.yaml").write_text(POLICY.replace("BASIS", basis), encoding="utf-8")
    Workspace.create(root)
    return found


def copied(base: Feed, root: Path) -> Feed:
    """The same workspace elsewhere: loading and allocating it once is enough."""
    shutil.copytree(base.root, root)
    return Feed(root)


def by_hledger(made: Feed, folder: Path) -> tuple[int, str]:
    """What hledger says of all journals together; each is also read back as it was."""
    for journal in made.known:
        assert hledger.parse(hledger.render(journal)) == journal
        assert json_text.parse(json_text.render(journal)) == journal
    text = folder / "all.hledger"
    text.write_text(hledger.render(of_entries(OCTOBER, made.entries)), encoding="utf-8")
    done = subprocess.run(
        ["hledger", "-f", str(text), "check", "--strict"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    return done.returncode, done.stderr


with_hledger = pytest.mark.skipif(
    shutil.which("hledger") is None, reason="hledger is not installed (apt-get install hledger)"
)


def rows(entries: Iterable[Entry]) -> list[tuple[str, str, str, int]]:
    """Day, account, cost center and amount of each posting."""
    return [
        (entry.posting_on.isoformat(), each.account, each.cost_center, each.amount_minor)
        for entry in entries
        for each in entry.postings
    ]
