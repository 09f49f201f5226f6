"""Worked examples F and G through the journal of documents: cost, uplift and tax between two companies of a group.

The figures are those of the accounting examples; minor units, debit above zero.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from apportion.ledger.auditor import audit
from apportion.organization.coding import Coding
from apportion.periods import BillingPeriod
from apportion.post.charging import agrees, on_top
from apportion.post.document import of_paper
from apportion.post.foreign import Quote
from apportion.post.formats import csv_text, hledger, json_text
from apportion.post.journal import journal, reversal
from apportion.post.mapping import BY_CODING, LedgerMapping
from apportion.post.tax import Tax
from apportion.post.terms import Terms
from tests.charging import ACCOUNTS, GERMAN, REVERSE, F, charged, credit_note, document, rows

HLEDGER = shutil.which("hledger")
DOC = "KES-2026-000017"


def test_example_f() -> None:
    made = charged([document(100_000)])
    assert rows(made) == [
        ("1000", "140000", "", 124_950, ""),
        ("1000", "820000", "", -100_000, ""),
        ("1000", "820000", "", -5_000, ""),
        ("1000", "177600", "", -19_950, ""),
        ("2000", "600150", "0010", 100_000, DOC),
        ("2000", "600150", "0010", 5_000, ""),
        ("2000", "157600", "", 19_950, ""),
        ("2000", "160000", "", -124_950, ""),
    ]
    entry = made.entries[0]
    assert (entry.kind, entry.text) == ("intercompany", "Cloud cost 2026-10 charged to company 2000")
    assert {each.partner for each in entry.postings if each.company == "1000"} == {"2000"}
    assert {each.partner for each in entry.postings if each.company == "2000"} == {"1000"}
    assert {each.tax_code for each in entry.postings if each.account not in {"140000", "160000"}} == {"V19"}
    assert [each.text for each in entry.postings if each.text.endswith(", uplift")] == [
        "Cloud cost 2026-10 charged to company 2000, uplift",
        "Cloud cost 2026-10: Web shop, uplift",
    ]


def test_example_f_under_reverse_charge() -> None:
    """What is due is the net amount; the buyer owes the tax and reclaims it."""
    assert rows(charged([document(100_000)], Terms("5", REVERSE))) == [
        ("1000", "140000", "", 105_000, ""),
        ("1000", "820000", "", -100_000, ""),
        ("1000", "820000", "", -5_000, ""),
        ("2000", "600150", "0010", 100_000, DOC),
        ("2000", "600150", "0010", 5_000, ""),
        ("2000", "157600", "", 19_950, ""),
        ("2000", "177600", "", -19_950, ""),
        ("2000", "160000", "", -105_000, ""),
    ]


def test_example_f_inside_a_tax_group_needs_no_tax_account() -> None:
    accounts = replace(ACCOUNTS, intercompany_input_tax="", intercompany_output_tax="", transferred_out="")
    assert [row[3] for row in rows(charged([document(100_000)], Terms("5"), accounts))] == [
        105_000, -100_000, -5_000, 100_000, 5_000, -105_000,
    ]  # fmt: skip


def test_the_groups_own_account_is_used_where_no_other_is_named() -> None:
    made = charged([document(100_000)], accounts=replace(ACCOUNTS, intercompany_expense=""))
    assert [row for row in rows(made) if row[1] == "600100"] == [
        ("2000", "600100", "0010", 100_000, DOC),
        ("2000", "600100", "0010", 5_000, ""),
    ]


def test_example_g_tax_is_rounded_once_for_a_document() -> None:
    """19 % of 30.09 is 5.7171: 5.72, and not three times 1.91."""
    made = charged([document(1003, 1003, 1003)], Terms("0", GERMAN))
    assert [row[3] for row in rows(made)] == [3581, -3009, -572, 3009, 572, -3581]
    each = charged([document(1003, 1003, 1003)], Terms("0", GERMAN), each_line=True)
    assert [row[3:] for row in rows(each)] == [
        (3581, ""), (-3009, ""), (-572, ""), (1003, f"{DOC}:1"), (1003, f"{DOC}:2"), (1003, f"{DOC}:3"), (572, ""),
        (-3581, ""),
    ]  # fmt: skip


def test_the_tax_of_a_journal_is_the_sum_of_its_documents() -> None:
    """Three documents of 10.03 are three e-invoices of 11.94 each: 1.91 three times, not 5.72."""
    three = [document(1003, label=f"KES-2026-00001{count}") for count in range(3)]
    made = charged(three, Terms("0", GERMAN))
    assert [row[3] for row in rows(made)] == [3582, -3009, -573, 3009, 573, -3582]
    assert len(rows(made)) == 6
    (found,) = on_top(made.entries, [of_paper(each) for each in three], ACCOUNTS, mapping(Terms("0", GERMAN)))
    assert (found.uplift_minor, found.tax_minor, found.off) == (0, 573, ())


def test_each_line_gives_each_document_lines_of_its_own() -> None:
    two = [document(100_000), document(20_000, label="KES-2026-000018", coding=Coding("2000", "0020", "", "600100"))]
    made = charged(two, each_line=True)
    assert [row for row in rows(made) if row[1] == "140000"] == [
        ("1000", "140000", "", 124_950, ""),
        ("1000", "140000", "", 24_990, ""),
    ]
    assert [each.text for each in made.entries[0].postings if each.account == "140000"] == [
        "Cloud cost 2026-10, KES-2026-000017",
        "Cloud cost 2026-10, KES-2026-000018",
    ]
    grouped = charged(two)
    assert rows(grouped)[4:8] == [
        ("2000", "600150", "0010", 100_000, DOC),
        ("2000", "600150", "0020", 20_000, "KES-2026-000018"),
        ("2000", "600150", "0010", 5_000, ""),
        ("2000", "600150", "0020", 1_000, ""),
    ]


def test_a_credit_note_is_the_mirror_of_its_invoice() -> None:
    invoice, note = charged([document(100_000)]), charged([credit_note(-100_000)])
    assert [row[:4] for row in rows(note)] == [(*row[:3], -row[3]) for row in rows(invoice)]
    assert charged([document(100_000), credit_note(-100_000)]).entries == ()


def test_elimination_takes_out_everything_but_tax() -> None:
    """All companies together: each account is zero but those of tax, and the seller's own cost stays what it was."""
    accounts = replace(ACCOUNTS, elimination_company="ELIM")
    made = charged([document(100_000), document(-30_000, 1_003, label="KES-2026-000018")], accounts=accounts)
    assert [entry.kind for entry in made.entries] == ["intercompany", "elimination"]
    assert {each.company for each in made.entries[1].postings} == {"ELIM"}
    sums: dict[str, int] = {}
    for entry in made.entries:
        for each in entry.postings:
            sums[each.account] = sums.get(each.account, 0) + each.amount_minor
    assert {account: minor for account, minor in sums.items() if minor} == {"157600": 14_165, "177600": -14_165}
    assert audit(made.entries) == ()
    assert charged([document(5), credit_note(-5)], accounts=accounts, each_line=True).entries[-1].kind == "intercompany"


def test_other_companies_take_their_cost_over_as_before() -> None:
    """Company 3000 has no terms: its entry is the cost transfer that it was, beside the charge of 2000."""
    other = document(700, label="KES-2026-000019", coding=Coding("3000", "0030", "", "600100"))
    made = charged([document(100_000), other])
    assert [entry.kind for entry in made.entries] == ["intercompany", "cost_transfer"]
    alone = journal([of_paper(other)], ACCOUNTS)
    assert made.entries[1].postings == alone.entries[0].postings


def test_terms_of_others_change_nothing() -> None:
    """A journal without charges is the same to the byte, id included, whatever is agreed with other companies."""
    inside = of_paper(document(100_000, coding=Coding("1000", "0010", "", "600100")))
    for own in (BY_CODING, LedgerMapping(each_line=True)):
        plain = journal([inside], ACCOUNTS, own)
        assert json_text.render(journal([inside], ACCOUNTS, replace(own, charges={"2000": F}))) == json_text.render(
            plain
        )
    ids = {charged([document(100_000)], terms).id for terms in (F, Terms("6", GERMAN), Terms("5"), Terms("5", REVERSE))}
    assert len(ids) == 4


def test_what_the_terms_say_twice_is_the_same_journal() -> None:
    assert charged([document(100_000)]) == charged([document(100_000)])


def test_a_foreign_currency_is_converted_document_by_document() -> None:
    """The seller keeps euros, the buyer yen: each invoice's tax in the seller's books is what its e-invoice says."""
    day = date(2026, 10, 30)
    quotes = {
        ("1000", "USD"): Quote("EUR", "1.0873", day, "ECB", inverted=True),
        ("2000", "USD"): Quote("JPY", "151.37", day, "ECB"),
    }
    two = [document(1003, currency="USD"), document(2007, currency="USD", label="KES-2026-000018")]
    made = charged(two, Terms("0", GERMAN), quotes=quotes)
    taxes = [each for each in made.entries[0].postings if each.account == "177600"]
    assert [(each.amount_minor, each.local and each.local.amount_minor) for each in taxes] == [
        (-191, -176),
        (-381, -350),
    ]
    assert {each.local.currency for each in made.entries[0].postings if each.local} == {"EUR", "JPY"}
    assert audit(made.entries) == ()


def test_a_late_journal_and_its_reversal() -> None:
    posted = date(2026, 11, 3)
    made = journal([of_paper(document(100_000))], ACCOUNTS, mapping(F), posted)
    assert (made.entries[0].posting_on, made.entries[0].belongs_to) == (posted, BillingPeriod(2026, 10))
    back = reversal(made, posted)
    assert [each.amount_minor for each in back.entries[0].postings] == [
        -each.amount_minor for each in made.entries[0].postings
    ]


def test_what_the_journal_has_otherwise_is_found() -> None:
    paper = of_paper(document(100_000))
    made = charged([document(100_000)])
    (found,) = on_top(made.entries, [paper], ACCOUNTS, mapping(F))
    assert (found.company, found.currency, found.uplift_minor, found.tax_minor) == ("2000", "EUR", 5_000, 19_950)
    assert found.off == ()
    (off,) = on_top(made.entries, [paper], ACCOUNTS, mapping(Terms("5", Tax("7", "V7"))))
    assert off.off == (
        ("company 1000, account 140000", 12_600),
        ("company 1000, account 177600", -12_600),
        ("company 2000, account 157600", 12_600),
        ("company 2000, account 160000", -12_600),
    )
    assert agrees(made.entries, [paper], ACCOUNTS, mapping(F), "2000")
    assert agrees(made.entries, [paper], replace(ACCOUNTS, intercompany_revenue="830000"), mapping(F), "2000")
    for other in (Terms("6", GERMAN), Terms("5"), Terms("5", REVERSE), Terms("5", Tax("7"))):
        assert not agrees(made.entries, [paper], ACCOUNTS, mapping(other), "2000"), other
    at_cost = journal([paper], ACCOUNTS)
    assert agrees(at_cost.entries, [paper], ACCOUNTS, mapping(Terms()), "2000")
    assert not agrees(at_cost.entries, [paper], ACCOUNTS, mapping(F), "2000")


@pytest.mark.parametrize("terms", [F, Terms("5", REVERSE), Terms("0")])
def test_the_texts_are_read_back_and_hledger_takes_them(terms: Terms, tmp_path: Path) -> None:
    accounts = replace(ACCOUNTS, elimination_company="ELIM")
    made = charged([document(70_000, 40_000, -10_000), document(3, label="KES-2026-000018")], terms, accounts)
    for form in (json_text, csv_text, hledger):
        assert form.parse(form.render(made)) == made
    if HLEDGER is None:
        pytest.skip("hledger is not installed (apt-get install hledger)")
    path = tmp_path / "charges.hledger"
    path.write_text(hledger.render(made), encoding="utf-8")
    judged = subprocess.run(
        [HLEDGER, "-f", str(path), "check", "--strict"],
        capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert (judged.returncode, judged.stderr) == (0, "")


def mapping(terms: Terms) -> LedgerMapping:
    return LedgerMapping(charges={"2000": terms})
