"""Every target: what it takes is read back, the same bytes twice, and what it cannot take is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from apportion.errors import BadValueError, InputRefusedError, UnbalancedEntryError
from apportion.ledger.entry import Entry
from apportion.post.formats import targets
from apportion.post.formats.target import Options
from apportion.post.journal import Journal
from tests.formats import ALL, DAY, OCTOBER, OURS, SHEETS, hard, in_euro, options, posting, rendered, small, whole

pytestmark = pytest.mark.thorough


def journal(*postings: object, entry_id: str = "JN-1", text: str = "Transfer") -> Journal:
    return Journal("JN", OCTOBER, "hash", (Entry(entry_id, DAY, DAY, text, postings),))  # type: ignore[arg-type]


def pair(currency: str = "EUR", amount: int = 500, **more: object) -> Journal:
    """Two lines, the second of which is as asked for."""
    first = posting("600100", "1000", currency, -amount, text="Plain")
    return journal(first, posting("600199", "1000", currency, amount, **({"text": "Plain"} | more)))


@pytest.mark.parametrize("name", ALL)
def test_a_journal_is_read_back_and_written_to_the_same_bytes_again(name: str) -> None:
    made = whole(small(), name)
    files = rendered(name, made).files
    assert rendered(name, made).files == files
    assert targets.parse(name, files) == made


@pytest.mark.parametrize("name", OURS)
def test_texts_that_stay_in_the_companion_come_back(name: str) -> None:
    made = whole(small(), name)
    files = rendered(name, made, companion=frozenset({"text", "entry_text"})).files
    assert targets.parse(name, files) == made


@pytest.mark.parametrize("name", ALL)
def test_an_empty_journal_is_read_back(name: str) -> None:
    made = replace(small(), entries=(), statistical=())
    assert targets.parse(name, rendered(name, made).files) == made


@pytest.mark.parametrize("name", ALL)
def test_the_control_file_has_the_digest_of_every_other_file(name: str) -> None:
    found = rendered(name, whole(small(), name))
    control = json.loads(found.files[found.control])
    digests = {each["file"]: each["sha256"] for each in control["files"]}
    others = {file: sha256(content).hexdigest() for file, content in found.files.items() if file != found.control}
    assert digests == others


@pytest.mark.parametrize("name", OURS)
def test_the_parts_add_up_to_the_journal(name: str) -> None:
    made = whole(small(), name)
    found = rendered(name, made)
    control = json.loads(found.files[found.control])
    money = [part for part in control["parts"] if ".statistical" not in part["file"]]
    assert sum(part["lines"] for part in money) == sum(len(entry.postings) for entry in made.entries)
    for part in money:
        for total in part["totals"]:
            assert total["debit"] == total["credit"]


@pytest.mark.parametrize("name", ALL)
def test_a_changed_file_is_refused(name: str) -> None:
    files = rendered(name, whole(small(), name)).files
    for file, content in files.items():
        for changed in (content.replace(b"1", b"2", 1), content[:-3], b""):
            with pytest.raises(BadValueError):
                targets.parse(name, {**files, file: changed})
    with pytest.raises(BadValueError):
        targets.parse(name, {})


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_twelve_thousand_plain_lines_are_carried_exactly(name: str) -> None:
    made = hard(tame=True)
    if name == "netsuite-csv":  # amounts of two decimals only: dinars are refused
        with pytest.raises(BadValueError, match=r"KWD has 3 decimals.*takes 2"):
            rendered(name, made)
        return
    files = rendered(name, made).files
    assert targets.parse(name, files) == made
    assert rendered(name, made).files == files


# What a target does with long texts, quotes and letters of other scripts: None carries them, a text refuses them.
HARD = {
    **dict.fromkeys(ALL),
    "sap-csv": "characters, and SAP's upload (CSV) takes 50",
    "sap-xlsx": "characters, and SAP's upload (XLSX) takes 50",
    "sap-soap": "characters, and SAP's Journal Entry – Post takes 50",
    "netsuite-csv": "KWD has 3 decimals",
    "dynamics-csv": "takes 60",
    "business-central": "takes 100",
    "quickbooks-iif": "cannot be written in cp1252",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_the_hard_journal_is_carried_exactly_or_refused_by_line(name: str) -> None:
    made, said = hard(), HARD[name]
    if said is None:
        assert targets.parse(name, rendered(name, made).files) == made
        return
    with pytest.raises(BadValueError) as refused:
        rendered(name, made)
    assert said in refused.value.sentence
    assert refused.value.sentence.startswith("Entry JN-2026-10-0123456789ab-0001, line ")
    assert refused.value.place is not None
    assert refused.value.place.row
    assert refused.value.advice
    if "decimals" not in said:  # the advice works: with the texts in the companion it is carried
        files = rendered(name, made, companion=frozenset({"text"})).files
        assert targets.parse(name, files) == made


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize("text", ["=1+1", "+1", "-x", "@SUM(A1)"])
def test_machine_files_refuse_formulas_and_say_where(name: str, text: str) -> None:
    with pytest.raises(BadValueError, match="begins like a spreadsheet formula") as refused:
        rendered(name, pair(text=text))
    assert refused.value.place is not None
    assert refused.value.place.row == 2


@pytest.mark.parametrize("name", sorted(set(OURS) - set(SHEETS)))
def test_files_that_run_nothing_carry_such_text(name: str) -> None:
    made = pair(text="=1+1")
    assert targets.parse(name, rendered(name, made).files) == made


LONG: list[tuple[str, str, int]] = [
    ("sap-csv", "text", 50), ("sap-xlsx", "account", 10), ("sap-soap", "text", 50), ("sap-soap", "company", 4),
    ("sap-soap", "cost_center", 10), ("sap-soap", "tax_code", 2), ("oracle-fbdi", "account", 25),
    ("oracle-fbdi", "text", 240), ("dynamics-csv", "text", 60), ("business-central", "text", 100),
    ("business-central", "account", 20), ("quickbooks-csv", "text", 4000), ("quickbooks-json", "account", 100),
    ("intacct-csv", "account", 24), ("intacct-xml", "department", 20), ("erpnext-json", "account", 140),
    ("erpnext-csv", "cost_center", 140), ("xero-csv", "cost_center", 100), ("xero-json", "department", 100),
]  # fmt: skip


@pytest.mark.parametrize(("name", "field", "most"), LONG)
def test_what_is_too_long_is_refused_and_never_cut(name: str, field: str, most: int) -> None:
    def made(code: str) -> Journal:
        lines = [
            posting("600100", "1000", "EUR", amount, **({"text": "Plain"} | {field: code})) for amount in (-500, 500)
        ]
        return journal(*lines)

    fits, over = made("x" * most), made("x" * (most + 1))
    books = {each.company: "EUR" for both in (fits, over) for each in both.entries[0].postings}
    assert targets.parse(name, rendered(name, fits, books=books).files) == fits
    with pytest.raises(BadValueError, match=f"has {most + 1} characters, and .* takes {most}") as refused:
        rendered(name, over, books=books)
    assert refused.value.place is not None
    assert refused.value.place.field


@pytest.mark.parametrize(
    ("name", "currency", "amount", "said"),
    [
        ("netsuite-csv", "EUR", 10**12, "11 digits before the point"),
        ("netsuite-csv", "KWD", 1000, "3 decimals"),
        ("xlsx", "EUR", 10**15, "more than 15 digits"),
        ("workday-xlsx", "JPY", 10**15, "more than 15 digits"),
        ("sap-xlsx", "EUR", 10**15, "more than 15 digits"),
    ],
)
def test_amounts_beyond_the_digits_of_a_target_are_refused(name: str, currency: str, amount: int, said: str) -> None:
    with pytest.raises(BadValueError, match=said):
        rendered(name, pair(currency, amount))
    fits = pair("EUR", 10**12 - 1)
    assert targets.parse(name, rendered(name, fits).files) == fits


@pytest.mark.parametrize("text", ["日本", "Ł", "ő"])
def test_text_that_cannot_be_written_is_refused(text: str) -> None:
    with pytest.raises(BadValueError, match="cannot be written in cp1252"):
        rendered("quickbooks-iif", pair(text=text))


@pytest.mark.parametrize("name", ["sap-soap", "intacct-xml", "xlsx", "sap-xlsx", "workday-xlsx"])
def test_characters_that_xml_cannot_have_are_refused(name: str) -> None:
    with pytest.raises(BadValueError, match="XML cannot have"):
        rendered(name, pair(text="a\uffffb"))


BOOKED = tuple(name for name in OURS if targets.TARGETS[name].shape.in_books)


@pytest.mark.parametrize("name", BOOKED)
def test_a_target_in_the_currency_of_the_books_takes_no_other(name: str) -> None:
    with pytest.raises(InputRefusedError, match=r"line 1: USD is not EUR, the currency of the books"):
        rendered(name, pair("USD"))
    with pytest.raises(InputRefusedError, match="nobody said which"):
        rendered(name, pair("USD"), books={})


@pytest.mark.parametrize("name", [name for name in OURS if targets.TARGETS[name].shape.per_currency])
def test_a_currency_that_does_not_balance_alone_in_the_own_one_is_refused(name: str) -> None:
    made = journal(
        posting("1", "1000", "USD", 100, local=in_euro(90)),
        posting("2", "1000", "USD", -100, local=in_euro(-91)),
        posting("3", "1000", "JPY", 0, local=in_euro(1)),
    )
    with pytest.raises(UnbalancedEntryError, match=r"out of balance by -0\.01 EUR"):
        rendered(name, made)


def _options(**changes: object) -> Callable[[str], Options]:
    return lambda name: replace(options(name), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("nowhere", _options(), "There is no target 'nowhere'"),
        ("xero-csv", _options(settings={"colour": "red"}), "has no setting 'colour'"),
        ("oracle-fbdi", _options(settings={}), "needs the setting 'ledger_id'"),
        ("oracle-fbdi", _options(settings={"ledger_id": "1", "segments": "company"}), "must be one of them"),
        ("oracle-fbdi", _options(settings={"ledger_id": "1", "segments": "account x"}), "'x' cannot be a segment"),
        ("oracle-fbdi", _options(settings={"ledger_id": "1", "group_id": "a"}), "not the number of an interface"),
        ("netsuite-csv", _options(settings={"day": "d.m."}), "cannot be the setting 'day'"),
        ("netsuite-csv", _options(columns={"Class": "colour"}), "'colour' is not a field"),
        ("netsuite-csv", _options(columns={"Debit": "ref"}), "would get no amounts"),
        ("netsuite-csv", _options(columns={"account": "ref"}), "two columns 'Account'"),
        ("netsuite-csv", _options(columns={"=x": "ref"}), "cannot be the name of a column"),
        ("intacct-xml", _options(columns={"a b": "ref"}), "cannot be the name of a column"),
        ("dynamics-csv", _options(settings={"order": "cost_center"}), "no order of main account"),
        ("sap-csv", _options(template=()), "none was given"),
    ],
)
def test_options_that_do_not_fit_are_refused(name: str, asked: Callable[[str], Options], said: str) -> None:
    with pytest.raises(InputRefusedError, match=said):
        targets.render(name, pair(), asked(name))


@pytest.mark.parametrize("name", OURS)
def test_a_column_takes_another_field_where_it_is_asked_for(name: str) -> None:
    made = pair(ref="ST-1", dimensions=(("project", "P-7"),))
    asked = {"OwnReference": "ref", "OwnProject": "dimension.project"}
    assert targets.parse(name, rendered(name, made, columns=asked).files) == made
    found = rendered(name, made, columns=asked)
    kept = json.loads(found.files[found.control])["kept_in_the_companion"]
    assert "ref" not in kept
    assert "dimension.project" not in kept


@pytest.mark.parametrize("name", OURS)
def test_an_entry_of_too_many_lines_becomes_parts_that_balance(name: str) -> None:
    most = targets.TARGETS[name].shape.most_lines
    made = hard(1_002, tame=True) if name != "netsuite-csv" else pair()
    found = rendered(name, made)
    documents = json.loads(found.files[next(file for file in found.files if "companion" in file)])["journal_lines"]
    lengths = [length for _, _, length, _ in documents["documents"]]
    assert not most or max(lengths) <= most
    assert targets.parse(name, found.files) == made
