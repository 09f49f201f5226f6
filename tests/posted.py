"""Books whose October is accepted and whose payer keeps euros, for tests that post it into a ledger and look again."""

from __future__ import annotations

from pathlib import Path

from pytest_django.fixtures import Settings

from apportion.actions.close import charging, issuing
from apportion.actions.post import handing_over, journals
from apportion.actions.review import accepting
from apportion.post.erp.report import PushReport
from apportion.records.documents import Document
from apportion.records.groups import Charging, CostGroup
from apportion.records.journals import LedgerJournal
from tests.books import OCTOBER, ORGANIZATION, Books, books

CHARGED = ("red", "blue")

# Codes that the ledgers of tests know. One company, whose books are in euro; the clouds bill dollars.
_SETTINGS = """\
company: Northwind
statement_prefix: NW
payer: {company: "1000", cost_center: "9900", ledger_account: "600100"}
ledger: {transferred_out: "600199", currencies: {"1000": EUR}}
exchange: {rates: [rates.csv], choose: agreed, reporting_currency: EUR}
"""
RATES = "period,from,to,rate\n2026-09,USD,EUR,0.9\n2026-10,USD,EUR,0.9\n"
_CODES = {'"2000"': '"1000"', '"4000"': '"0010"', '"5000"': '"0020"', '"600150"': '"600100"'}


def northwind(root: Path, site: Settings, targets: str = "") -> Books:
    """Red and blue are charged for October, 130.00 and 87.77 US dollars, and accept; `targets` is YAML."""
    found = books(root, site, _SETTINGS + (f"targets:\n{targets}" if targets else ""))
    organization = ORGANIZATION
    for old, new in _CODES.items():
        organization = organization.replace(old, new)
    found.write("organization.yaml", organization)
    found.write("rates.csv", RATES)
    found.allocated()
    controller = found.actor("controller")
    for code in CHARGED:
        group = CostGroup.objects.get(code=code)
        charging.set_charging(controller, group.pk, Charging.CHARGEBACK, OCTOBER, "Three quiet months")
    issuing.issue(controller, OCTOBER)
    for code in CHARGED:
        document = Document.objects.get(cost_group__code=code, period=str(OCTOBER), issue_state="issued")
        accepting.accept(found.actor(code), document.pk)
    return found


def approved(found: Books, target: str = "") -> LedgerJournal:
    """Draw up the transfer of October and approve it."""
    made = journals.draw_up(found.actor("second"), OCTOBER, target=target)
    return journals.approve(found.actor("controller"), made.pk)


def pushed(found: Books, target: str = "") -> tuple[LedgerJournal, PushReport]:
    """The same, and push it."""
    made = approved(found, target)
    report = handing_over.push(found.actor("second"), made.pk)
    return journals.journal_row(made.pk), report


def reversed_by(found: Books, journal: LedgerJournal) -> LedgerJournal:
    """Take it back in the ledger."""
    made = journals.draw_up_reversal(found.actor("second"), journal.pk, "Booked in the wrong year")
    journals.approve(found.actor("controller"), made.pk)
    handing_over.push(found.actor("second"), made.pk)
    return journals.journal_row(made.pk)
