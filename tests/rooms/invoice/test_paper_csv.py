"""A document as CSV: read back to the digit, and harmless in a spreadsheet."""

from __future__ import annotations

import csv as reader
import io
import re
from decimal import Decimal
from pathlib import Path

import pytest

from apportion.invoice.paper import Paper
from apportion.invoice.papers.csv_file import COLUMNS, csv
from tests.papers import PAPERS, invoice, line, paper


def rows(*papers: Paper) -> list[dict[str, str]]:
    return list(reader.DictReader(io.StringIO(csv(papers).decode(), newline="")))


@pytest.mark.parametrize("name", PAPERS)
def test_amounts_come_back_to_the_digit(name: str) -> None:
    printed = PAPERS[name]()
    found = rows(printed)
    places = {"USD": 2, "JPY": 0, "KWD": 3, "EUR": 2}
    assert len(found) == len(printed.lines)
    for row, each in zip(found, printed.lines, strict=True):
        assert Decimal(row["amount"]).scaleb(places[row["currency"]]) == each.minor
        assert Decimal(row["billed_amount"]).scaleb(places[row["billed_currency"]]) == each.billed_minor
        assert (row["line"], row["line_kind"], row["reason"]) == (str(each.number), each.kind, each.reason)


def test_days_are_iso_and_empty_for_a_draft() -> None:
    assert [rows(invoice())[0][key] for key in ("issued_on", "review_until")] == ["2026-11-05", "2026-11-19"]
    draft = paper((line(1, 5),), issued_on=None, review_until=None)
    assert [rows(draft)[0][key] for key in ("issued_on", "review_until")] == ["", ""]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "  =", "＝"])
def test_no_text_is_a_formula(start: str) -> None:
    text = f"{start}cmd|'/c calc'!A1"
    texts = dict.fromkeys(
        ("service", "charge_category", "pool_id", "pool_name", "method", "reason", "invoice_issuer", "invoice_id",
         "billing_account_id", "rate", "corrects", "of_line"), text,
    )  # fmt: skip
    names = dict.fromkeys(("label", "statement", "company", "code", "name", "policy_name", "about"), text)
    (row,) = rows(paper((line(1, -5, **texts),), **names))
    guarded = [key for key, value in row.items() if value == f"'{text}"]
    assert len(guarded) == len(texts) + len(names)
    assert text not in row.values()
    assert row["amount"] == "-0.05"


def test_several_documents_stand_below_each_other_under_one_head() -> None:
    text = csv([made() for made in PAPERS.values()]).decode()
    assert text.splitlines()[0].split(",") == COLUMNS
    assert text.count("document,kind") == 1
    assert len(text.splitlines()) == 1 + sum(len(made().lines) for made in PAPERS.values())
    assert csv(invoice()) == csv([invoice()])


def test_the_reference_names_the_columns_in_their_order() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "documents.md").read_text(encoding="utf-8")
    listed = page.partition("in this order:")[2].partition("RFC 4180")[0]
    assert re.findall(r"`(\w+)`", listed) == COLUMNS
