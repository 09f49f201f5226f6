"""`ledger.charges`: what is agreed with each company, and what is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion import settings
from apportion.close.month import charge_terms, ledger_mapping, posting_accounts
from apportion.errors import DocumentError
from apportion.organization.cost_group import Tree
from apportion.post.tax import Tax
from apportion.post.terms import Terms
from tests.charging_books import ACCOUNTS


def load(tmp_path: Path, text: str) -> settings.Settings:
    (tmp_path / "apportion.yaml").write_text(text, encoding="utf-8")
    return settings.load(tmp_path)


def test_terms_come_from_the_settings(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        f"""{ACCOUNTS}  tax_code: V19
  charges:
    "0200": {{uplift: 5 %, tax: {{rate: 19%}}}}
    "3000": {{uplift: "7.25", tax: {{rate: 21, code: RC, reverse_charge: true}}}}
    "4000": {{}}
""",
    )
    assert ledger_mapping(found, Tree([])).charges == {
        "0200": Terms("5", Tax("19", "V19")),
        "3000": Terms("7.25", Tax("21", "RC", reverse_charge=True)),
        "4000": Terms("0", None),
    }
    assert charge_terms(found, "4000") == Terms()
    assert posting_accounts(found).intercompany_revenue == "820000"


def test_without_charges_nobody_is_charged(tmp_path: Path) -> None:
    assert ledger_mapping(load(tmp_path, ACCOUNTS), Tree([])).charges == {}


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ('"2000": {uplift: five}', "BAD_PER_CENT", "'five' is not a per cent between 0 and 100."),
        ('"2000": {uplift: -5}', "BAD_PER_CENT", "'-5'"),
        ('"2000": {uplift: 100.01}', "BAD_PER_CENT", "'100.01'"),
        ('"2000": {uplift: "1,5"}', "BAD_PER_CENT", "Write for example 5, 7.7 or 19%."),
        ('"2000": {tax: {rate: 1900%}}', "BAD_PER_CENT", "'1900%'"),
        ('"2000": {tax: {code: V19}}', "MISSING_KEY", "rate"),
        ('"2000": {tax: {rate: 19, reverse: true}}', "UNKNOWN_KEY", "reverse"),
        ('"2000": {tax: {rate: 19, reverse_charge: maybe}}', "BAD_VALUE", ""),
        ('"2000": {upilft: 5}', "UNKNOWN_KEY", "Did you mean 'uplift'?"),
        ('"1000": {uplift: 5}', "SAME_COMPANY", "Company 1000 is the payer's own, which cannot charge itself."),
    ],
)
def test_each_mistake_has_its_place(tmp_path: Path, line: str, code: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, f"{ACCOUNTS}  charges:\n    {line}\n")
    (mistake,) = caught.value.mistakes
    assert (mistake.code, mistake.place.line) == (code, 13)
    assert mistake.place.column
    assert said in f"{mistake.sentence} {mistake.advice}"


def test_accounts_that_a_charge_needs_are_asked_for_at_once(tmp_path: Path) -> None:
    text = "company: A\npayer: {company: '1000'}\nledger:\n  intercompany_receivable: '1'\n  charges:\n"
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, text + "    '2000': {tax: {rate: 19}}\n    '3000': {}\n")
    assert [(each.code, each.place.line, each.sentence) for each in caught.value.mistakes] == [
        (
            "MISSING_KEY",
            6,
            "Charging company 2000 needs 'intercompany_payable', 'intercompany_revenue', 'intercompany_input_tax' and "
            "'intercompany_output_tax'.",
        ),
        ("MISSING_KEY", 7, "Charging company 3000 needs 'intercompany_payable' and 'intercompany_revenue'."),
    ]
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, ACCOUNTS.replace('company: "1000", ', "") + "  charges: {'2000': {}}\n")
    assert [each.code for each in caught.value.mistakes] == ["MISSING_KEY"]
    assert "payer: company" in caught.value.mistakes[0].advice


@pytest.mark.parametrize("company", ["1000", "2000"])
def test_nothing_is_eliminated_in_books_of_their_own(tmp_path: Path, company: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, f"{ACCOUNTS}  elimination_company: '{company}'\n  charges: {{'2000': {{}}}}\n")
    (mistake,) = caught.value.mistakes
    assert (mistake.code, mistake.place.line) == ("SAME_COMPANY", 12)
