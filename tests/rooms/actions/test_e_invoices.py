"""Charges between companies in the books: the journal of a small workspace, its e-invoices, and who may have them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from lxml import etree
from pypdf import PdfReader
from pytest_django.fixtures import Settings

from apportion.actions.post import e_invoices, journals
from apportion.close import month as months
from apportion.close import run as runs
from apportion.errors import EInvoiceRefusedError, InputRefusedError, NotFoundError, TieOutError, WorkspaceError
from apportion.invoice.paper import totals
from apportion.ledger.entry import Posting
from apportion.post import einvoice
from apportion.post.document import of_statement
from apportion.post.formats import hledger
from apportion.post.journal import journal as make_journal
from apportion.records import convert
from apportion.records.audit import AuditEntry
from tests.books import OCTOBER
from tests.charging_books import ACCOUNTS, CHARGES, PARTIES, document, group_of_companies
from tests.einvoices import joined

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]
HLEDGER = shutil.which("hledger")


def rows(postings: tuple[Posting, ...]) -> list[tuple[str, str, str, int]]:
    return [(each.company, each.account, each.cost_center, each.amount_minor) for each in postings]


def asked_for(content: bytes) -> str:
    """The amount due (BT-115) of a UBL file."""
    found = etree.fromstring(content).xpath("//*[local-name()='PayableAmount']/text()")
    assert len(found) == 1
    return str(found[0])


def test_examples_f_and_g_in_one_journal(tmp_path: Path, settings: Settings) -> None:
    """Blue is F: 1,000.00 + 5 % + 19 %. Green is G with F's terms: 30.09 + 1.50 = 31.59, tax 6.00, due 37.59."""
    books = group_of_companies(
        tmp_path / "books", settings, f'{ACCOUNTS}  elimination_company: "ELIM"\n{CHARGES}{PARTIES}'
    )
    found = journals.content(journals.draw_up(books.actor("second"), OCTOBER))
    own, charge, eliminated = found.entries
    assert rows(own.postings) == [("1000", "600100", "0030", 50_000), ("1000", "600199", "9900", -50_000)]
    assert rows(charge.postings) == [
        ("1000", "140000", "", 124_950 + 3_759),
        ("1000", "820000", "", -100_000 - 3_009),
        ("1000", "820000", "", -5_000 - 150),
        ("1000", "177600", "", -19_950 - 600),
        ("2000", "600150", "0010", 100_000),
        ("2000", "600150", "0020", 3_009),
        ("2000", "600150", "0010", 5_000),
        ("2000", "600150", "0020", 150),
        ("2000", "157600", "", 19_950 + 600),
        ("2000", "160000", "", -124_950 - 3_759),
    ]
    assert {(each.partner, each.account): each.amount_minor for each in eliminated.postings} == {
        ("1000", "140000"): -128_709,
        ("1000", "820000"): 108_159,
        ("2000", "600150"): -108_159,
        ("2000", "160000"): 128_709,
    }
    due = 0
    for code in ("blue", "green"):
        _, content = e_invoices.file(books.actor(code), document(code).pk, "xml")
        due += int(asked_for(content).replace(".", ""))
    assert due == charge.postings[0].amount_minor
    if HLEDGER:
        text = tmp_path / "charges.hledger"
        text.write_text(hledger.render(found), encoding="utf-8")
        judged = subprocess.run(
            [HLEDGER, "-f", str(text), "check", "--strict"],
            capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        assert (judged.returncode, judged.stderr) == (0, "")


def test_the_tie_out_knows_what_is_on_top(tmp_path: Path, settings: Settings) -> None:
    """Every stage is cost alone and the same; uplift and tax stand beside it, and what was changed is found."""
    books = group_of_companies(tmp_path / "books", settings)
    done = months.month(books.workspace, runs.current(books.workspace, OCTOBER))
    assert done.tie_out.holds
    assert {row.units for row in done.tie_out.rows} == {153_009 * 10**16}
    beside = [(each.name, each.reason, each.units, each.accepted) for each in done.tie_out.differences if each.aside]
    assert beside == [
        ("company 2000", "tax", 20_550 * 10**16, True),
        ("company 2000", "uplift", 5_150 * 10**16, True),
    ]
    run = done.run
    plain = run.settings.model_copy(update={"ledger": run.settings.ledger.model_copy(update={"charges": {}})})
    other = make_journal(
        [of_statement(each) for each in done.statements],
        months.posting_accounts(plain),
        months.ledger_mapping(plain, run.tree),
    )
    wrong = months.tie_out(books.workspace, run, done.statements, other)
    assert {each.name for each in wrong.open_differences} == {
        "company 1000, account 140000",
        "company 1000, account 177600",
        "company 1000, account 820000",
        "company 2000, account 157600",
        "company 2000, account 160000",
        "company 2000, uplift",
    }
    with pytest.raises(TieOutError):
        wrong.require()


def test_the_files_say_what_they_are(tmp_path: Path, settings: Settings) -> None:
    books = group_of_companies(tmp_path / "books", settings)
    before = AuditEntry.objects.count()
    blue = document("blue")
    made = e_invoices.files(books.actor("blue"), blue.pk, "de")
    assert list(made) == [f"{blue.label}.pdf", f"{blue.label}.ubl.xml"]
    assert asked_for(made[f"{blue.label}.ubl.xml"]) == "1249.50"
    assert "Rechnung" in PdfReader(BytesIO(made[f"{blue.label}.pdf"])).pages[0].extract_text()
    assert e_invoices.file(books.actor("blue"), blue.pk, "pdf", "USD", "de") == (
        f"{blue.label}.pdf",
        made[f"{blue.label}.pdf"],
    )
    with pytest.raises(NotFoundError, match="no e-invoice in EUR"):
        e_invoices.file(books.actor("blue"), blue.pk, "pdf", "EUR")
    with pytest.raises(NotFoundError, match="no such kind"):
        e_invoices.file(books.actor("blue"), blue.pk, "csv")
    assert AuditEntry.objects.count() == before


def test_only_who_may_see_the_document_has_its_e_invoice(tmp_path: Path, settings: Settings) -> None:
    books = group_of_companies(tmp_path / "books", settings)
    for name in ("blue", "controller", "auditor"):
        assert e_invoices.file(books.actor(name), document("blue").pk, "xml")[1]
    for name in ("red", "green", "administrator"):
        with pytest.raises(NotFoundError):
            e_invoices.file(books.actor(name), document("blue").pk, "xml")


def test_all_that_is_missing_is_said_at_once(tmp_path: Path, settings: Settings) -> None:
    parties = re.sub(r"    (vat_id|phone|electronic_\w+):.*\n", "", PARTIES)
    books = group_of_companies(tmp_path / "books", settings, ACCOUNTS + CHARGES + parties)
    with pytest.raises(EInvoiceRefusedError) as caught:
        e_invoices.files(books.actor("blue"), document("blue").pk)
    assert [(each.code, each.place.field) for each in caught.value.mistakes] == [
        ("NO_ELECTRONIC_ADDRESS", "parties.1000.electronic_address"),
        ("NO_VAT_ID", "parties.1000.vat_id"),
        ("NO_ELECTRONIC_ADDRESS", "parties.2000.electronic_address"),
        ("NO_CONTACT", "parties.1000.phone"),
    ]
    assert all(each.advice for each in caught.value.mistakes)


def test_what_is_not_between_companies_has_none(tmp_path: Path, settings: Settings) -> None:
    books = group_of_companies(tmp_path / "books", settings)
    controller = books.actor("controller")
    with pytest.raises(EInvoiceRefusedError) as caught:
        e_invoices.files(controller, document("red").pk)
    assert [each.code for each in caught.value.mistakes] == ["SAME_COMPANY"]
    books.write("apportion.yaml", ACCOUNTS + PARTIES)
    with pytest.raises(EInvoiceRefusedError) as caught:
        e_invoices.files(controller, document("blue").pk)
    assert [(each.code, each.place.field) for each in caught.value.mistakes] == [("NO_CHARGE", "ledger.charges.2000")]


def test_an_e_invoice_never_says_otherwise_than_its_journal(tmp_path: Path, settings: Settings) -> None:
    books = group_of_companies(tmp_path / "books", settings)
    journal = journals.draw_up(books.actor("second"), OCTOBER)
    blue, controller = document("blue"), books.actor("controller")
    same = e_invoices.files(controller, blue.pk)
    books.write("apportion.yaml", ACCOUNTS + CHARGES.replace("5 %", "6") + PARTIES)
    with pytest.raises(EInvoiceRefusedError) as caught:
        e_invoices.files(controller, blue.pk)
    assert [each.code for each in caught.value.mistakes] == ["CHARGED_OTHERWISE"]
    renamed = ACCOUNTS.replace("820000", "830000")  # another account is no other amount
    books.write("apportion.yaml", renamed + CHARGES + PARTIES)
    assert e_invoices.files(controller, blue.pk) == same
    books.write("apportion.yaml", ACCOUNTS + CHARGES.replace("5 %", "6") + PARTIES)
    journals.withdraw(books.actor("second"), journal.pk, "New terms")
    assert asked_for(e_invoices.file(controller, blue.pk, "xml")[1]) == "1261.40"


def test_foreign_tax_is_said_in_the_sellers_currency(tmp_path: Path, settings: Settings) -> None:
    """199.50 dollars of tax at 0.9 are 179.55 euros; without a rate, that is what is missing."""
    own = f'{ACCOUNTS}  currencies: {{"1000": EUR}}\n{CHARGES}{PARTIES}'
    rates = "exchange: {rates: [rates.csv], choose: agreed, reporting_currency: EUR}\n"
    root = tmp_path / "books"
    root.mkdir()
    (root / "rates.csv").write_text("period,from,to,rate\n2026-10,USD,EUR,0.9\n", encoding="utf-8")
    books = group_of_companies(root, settings, own + rates)
    blue = document("blue")
    name, content = e_invoices.file(books.actor("blue"), blue.pk, "xml")
    assert name == f"{blue.label}-USD.ubl.xml"
    said = etree.fromstring(content).xpath("//*[local-name()='TaxAmount'][@currencyID='EUR']/text()")
    assert said == ["179.55"]
    taxes = [
        each
        for entry in journals.content(journals.draw_up(books.actor("second"), OCTOBER)).entries
        for each in entry.postings
        if each.account == "177600"
    ]
    assert [(each.amount_minor, each.local and each.local.amount_minor) for each in taxes] == [
        (-19_950, -17_955),
        (-600, -540),
    ]
    assert e_invoices.file(books.actor("blue"), blue.pk, "xml") == (name, content)


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = group_of_companies(tmp_path / "books", settings)
    monkeypatch.setattr(einvoice, "find_spec", lambda _name: None)
    with pytest.raises(WorkspaceError) as caught:
        e_invoices.files(books.actor("blue"), document("blue").pk)
    assert "pip install 'apportion[einvoice]'" in caught.value.advice


def test_several_currencies_have_to_be_told_apart(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = CHARGES.replace(", tax: {rate: 19}", "")  # a tax group, so that no rate of exchange is needed
    own = f'{ACCOUNTS}  currencies: {{"1000": USD}}\n{inside}{PARTIES}'
    books = group_of_companies(tmp_path / "books", settings, own)
    blue, red = document("blue"), document("red")
    paper = convert.paper(blue)
    assert e_invoices.currencies(blue, paper) == ("USD",)
    assert e_invoices.currencies(red, convert.paper(red)) == ()
    lines = tuple(replace(line, currency="EUR") for line in paper.lines)
    both = joined(paper, replace(paper, lines=lines, totals=totals(lines)))
    monkeypatch.setattr(convert, "paper", lambda _row: both)
    assert e_invoices.currencies(blue, both) == ("EUR", "USD")
    with pytest.raises(InputRefusedError, match="is in EUR, USD, and has an e-invoice in each"):
        e_invoices.file(books.actor("blue"), blue.pk, "xml")
    name, content = e_invoices.file(books.actor("blue"), blue.pk, "xml", "EUR")
    assert (name, asked_for(content)) == (f"{blue.label}-EUR.ubl.xml", "1050.00")
