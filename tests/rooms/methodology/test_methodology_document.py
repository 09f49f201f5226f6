"""The methodology document says everything that the policy holds, in words, and the same policy gives the same "
"bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from apportion.allocate.basis import Amount, Cost, Even
from apportion.allocate.policy import Commitment, CostBasis, Policy, Pool, PoolOrder, Uplift
from apportion.allocate.rule import And, Condition, Equals, Exists, Field, Glob, Not, Or, Rule
from apportion.methodology.compiled import compiled
from apportion.methodology.conditions import Teller
from apportion.methodology.document import (
    Block,
    Bullets,
    Document,
    Example,
    Facts,
    Item,
    Paragraph,
    Section,
    Steps,
    Table,
)
from apportion.methodology.document import plain_text as text_of
from apportion.methodology.render import html, markdown, typst_source
from apportion.methodology.words import column_name, day, days, shown
from apportion.organization.cost_group import Organization
from apportion.periods import BillingPeriod
from apportion.settings import ExchangeSettings
from tests.often import often
from tests.rooms.allocate.test_policy_round_trip import policies
from tests.rooms.methodology.everything import ALIASES, HOSTILE, ORGANIZATION, POLICY, SERVICE, STAGE, TEAM, group

DAY = date(2026, 5, 1)
DOCUMENT = compiled(POLICY, ORGANIZATION, DAY, company="Example Inc.")


def texts(document: Document) -> Iterator[str]:
    """All that stands in the document, one text for each block of words."""
    yield document.subtitle
    yield from _block(document.about)
    for section in document.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield section.title
    for block in section.blocks:
        yield from _block(block)
    for below in section.sections:
        yield from _section(below)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(words):
            yield text_of(words)
        case Bullets(items):
            yield from _items(items)
        case Facts(pairs):
            yield from (f"{label}: {text_of(words)}" for label, words in pairs)
        case Table():
            yield block.caption
            yield from (text_of(cell) for row in block.rows for cell in row)
        case Steps(steps):
            for step in steps:
                yield from (step.title, step.code)
                for each in step.blocks:
                    yield from _block(each)
        case Example(_, blocks):
            for each in blocks:
                yield from _block(each)


def _items(items: tuple[Item, ...]) -> Iterator[str]:
    for item in items:
        yield text_of(item.words)
        yield from _items(item.below)


def held(value: Any, name: str = "") -> Iterator[str]:
    """Every text that a policy holds and a reader must find."""
    if isinstance(value, str) and not hasattr(value, "name"):
        yield value
    elif isinstance(value, Field):
        yield value.name
    elif isinstance(value, tuple | list):
        for each in value:
            yield from held(each, name)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            if field.name not in ("place", "places", "holder", "by", "currency", "negative_basis", "buyer", "priority"):
                yield from held(getattr(value, field.name), field.name)


def stands(text: str, found: str) -> bool:
    """Whether a text stands there: as it is, or as a column in words or a tag without its prefix."""
    return any(each in found for each in (text, column_name(text), text.removeprefix("tags.")))


def test_everything_that_the_policy_holds_stands_in_the_document() -> None:
    found = "\n".join(texts(DOCUMENT))
    for text in held(POLICY):
        assert stands(text, found), text
    for figure in (
        "1/3 (about 33.3333 %)",
        "20.00 USD",
        "5,000.00 USD",
        "250.00 USD",
        "2.5 %",
        "4 times out",
        "1.50 USD",
    ):
        assert figure in found
    for on in (date(2026, 1, 1), date(2026, 12, 31), date(2026, 3, 1), date(2026, 4, 30), date(2026, 7, 1)):
        assert day(on) in found
    assert "100" in found
    assert "not at all" in found  # beyond the last tier


@settings(max_examples=often(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(policies())
def test_nothing_of_any_policy_is_left_out(policy: Policy) -> None:
    found = "\n".join(texts(compiled(policy, Organization((), ""), DAY)))
    for rule in (*policy.rules, *policy.consumers):
        for text in held(rule.when):
            assert stands(text, found)
    shared: tuple[Pool | Commitment | Uplift, ...] = (*policy.commitments, *policy.uplifts, *policy.pools)
    for each in shared:
        assert each.id in found
        assert each.name in found
    for _, pairs in policy.alias_tables:
        for spelling, code in pairs:
            assert spelling in found
            assert code in found
    for pool in policy.pools:
        for basis in pool.bases:
            if not isinstance(basis, Even):
                for text in held(basis):
                    assert stands(text, found)


def test_rules_are_sentences() -> None:
    said = list(texts(DOCUMENT))
    assert "Charges whose charge category is “Tax” and whose service name is “VAT” are kept central." in said
    assert (
        "Charges whose sub account ID is one of “account-1”, “account-2”, “account-3” and 5 more (all 8 in list 1) "
        "go to the pool Network." in said
    )
    assert "Charges for which all of these are true go to Payments (pay):" in said
    assert "the service name begins with “Amazon” or “AWS”" in said
    assert "the tag stage is none of “test” and “dev”, in capitals or not, or is missing" in said
    assert "the tag team is missing and the resource name meets the regular expression “^p”" in said
    assert "none of these is true" in said
    assert "In force from 1 January 2026 to 31 December 2026." in said
    assert "Charges whose tag team names a cost group go to that cost group." in said
    assert "Usage whose consumer names a cost group, and whose metric is “calls”, counts for that cost group." in said
    assert f"Every charge goes to {HOSTILE} (shop)." in said


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (Equals(SERVICE, ("A", "B"), fold=True), "whose service name is “A” or “B”, in capitals or not"),
        (Or((Glob(SERVICE, "a*"), Glob(SERVICE, "b*"))), "whose service name fits the pattern “a*” or “b*”"),
        (Or((Equals(SERVICE, ("A",)), Glob(SERVICE, "b*"))), "whose service name is “A” or fits the pattern “b*”"),
        (Not(Exists(STAGE)), "whose tag stage is missing"),
        (Not(Equals(TEAM, ("a",))), "whose tag team is not “a”, or is missing"),
        (And(()), ""),
    ],
)
def test_conditions_are_told_in_one_sentence(condition: Condition, said: str) -> None:
    told = Teller(lambda field, values: (f"{len(values)} values",)).told(condition)
    assert (text_of(told.words), told.below) == (said, ())


def test_a_policy_without_pools_and_rules_that_never_meet_still_reads() -> None:
    policy = Policy("Plain", CostBasis.BILLED, (Rule("r", "R", Or(()), group("pay")),), (), "")
    found = "\n".join(texts(compiled(policy, ORGANIZATION, DAY)))
    assert "nothing meets this" in found
    assert "cash view" in found
    assert "one provider invoice" in found


def test_days_between_which_nothing_changes_give_the_same_document() -> None:
    assert compiled(POLICY, ORGANIZATION, DAY) == compiled(POLICY, ORGANIZATION, DAY + timedelta(days=30))
    assert compiled(POLICY, ORGANIZATION, DAY) != compiled(POLICY, ORGANIZATION, date(2026, 6, 1))


def test_a_period_says_which_rules_are_not_in_force_and_what_groups_are_called_then() -> None:
    found = "\n".join(texts(compiled(POLICY, ORGANIZATION, BillingPeriod(2026, 10))))
    assert "In force up to 30 April 2026; not in force in October 2026." in found
    assert "Every charge goes to Shop (shop)." in found
    assert "The organization in October 2026" in found


def test_currencies_say_where_rates_come_from() -> None:
    exchange = ExchangeSettings(
        rates=("rates/ecb.csv", "own.csv"), choose="month average", reporting_currency="EUR", oldest=7
    )
    found = "\n".join(texts(compiled(POLICY, ORGANIZATION, DAY, exchange=exchange)))
    assert "the mean of all days of the billing period that have a rate; none is more than 7 days off" in found
    assert "rates/ecb.csv, then own.csv" in found
    assert "No rates of exchange are set" in "\n".join(texts(DOCUMENT))


@pytest.mark.parametrize("order", PoolOrder)
def test_every_order_of_pools_is_explained(order: PoolOrder) -> None:
    pools = (Pool("a", "A", Cost()), Pool("b", "B", Even()))
    policy = replace(POLICY, pools=pools, pool_order=order, consumers=())
    first = {
        "derived": "Each pool is shared after",
        "declared": "Step-down",
        "direct": "Direct",
        "reciprocal": "Reciprocal",
    }
    assert any(text.startswith(first[order]) for text in texts(compiled(policy, ORGANIZATION, DAY)))


def test_examples_come_with_the_methods_that_are_used() -> None:
    titles = [section.title for section in next(s for s in DOCUMENT.sections if s.anchor == "examples").sections]
    assert len(titles) == 16
    plain = replace(POLICY, pools=(), commitments=(), uplifts=(), consumers=(), pool_order=PoolOrder.DERIVED)
    found = next(s for s in compiled(plain, ORGANIZATION, DAY).sections if s.anchor == "examples")
    assert [section.title for section in found.sections] == ["The last cent"]


def test_the_figures_of_the_examples() -> None:
    """By hand: what each example must come to, read from the document."""

    def rows(title: str) -> list[list[str]]:
        examples = next(s for s in DOCUMENT.sections if s.anchor == "examples")
        section = next(s for s in examples.sections if s.title == title)
        (example,) = (block for block in section.blocks if isinstance(block, Example))
        (table,) = (block for block in example.blocks if isinstance(block, Table))
        return [[text_of(cell) for cell in row] for row in table.rows]

    assert [row[-1] for row in rows("In proportion")] == ["300.00", "150.00", "50.00"]
    assert [row[-1] for row in rows("A mix")] == ["520.00", "310.00", "170.00"]
    assert [row[-1] for row in rows("Two rates")] == ["540.00", "300.00", "160.00"]
    assert [row[-1] for row in rows("The greater of two")] == ["400.00", "500.00", "100.00"]
    assert [row[-1] for row in rows("A weighted sum")] == ["200.00", "200.00", "200.00"]
    assert [row[-1] for row in rows("Tiers")] == ["400.00", "200.00", "100.00"]
    assert [row[-1] for row in rows("An internal price")] == ["540.00", "270.00", "90.00", "100.00"]
    assert rows("A limit") == [
        ["Red", "800.00", "500.00", "500.00"],
        ["Green", "150.00", "375.00", "150.00"],
        ["Blue", "50.00", "125.00", "50.00"],
        ["Kept central", "0.00", "0.00", "300.00"],
    ]
    assert rows("Pools that serve each other")[:2] == [
        ["Desk", "600.00", "0.00", "300.00", "150.00", "150.00"],
        ["Network", "900.00", "180.00", "0.00", "540.00", "180.00"],
    ]
    assert rows("Pools that serve each other")[2][-2:] == ["690.00", "330.00"]
    assert [row[-1] for row in rows("A commitment, in an agreed order")] == ["60.00", "100.00"]
    assert [row[-1] for row in rows("A commitment, at one rate")] == ["80.00", "80.00"]
    assert [row[-1] for row in rows("A surcharge")] == ["1,050.00", "420.00", "130.00"]
    assert [row[-1] for row in rows("The last cent")] == ["33.34", "33.33", "33.33"]


def test_dates_and_columns_in_words() -> None:
    assert days(date(2026, 3, 1), date(2026, 5, 1)) == "from 1 March 2026 to 30 April 2026"
    assert days(None, date(2026, 5, 1)) == "up to 30 April 2026"
    assert days(None, date.min) == "up to the day before all others"
    assert column_name("SubAccountId") == "sub account ID"
    assert column_name("CommitmentDiscountStatus") == "commitment discount status"


# What a policy says comes out as text.


class Page(HTMLParser):
    """The elements and the visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


PAGE = html.render(DOCUMENT)


def test_hostile_text_is_text_in_html() -> None:
    page = Page(PAGE)
    assert "script" not in page.tags
    assert shown(HOSTILE) in page.text
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert all((value or "").startswith("#") for name, value in page.attributes if name == "href")


def test_the_page_is_whole_and_stands_alone() -> None:
    page = Page(PAGE)
    anchors = [value for name, value in page.attributes if name == "id"]
    assert len(anchors) == len(set(anchors))
    assert {(value or "")[1:] for name, value in page.attributes if name == "href"} <= set(anchors)
    assert not {name for name, _ in page.attributes} & {"src", "style"}
    assert ("lang", "en") in page.attributes
    assert "url(" not in PAGE
    assert "@import" not in PAGE
    assert POLICY.digest in page.text


def test_hostile_text_is_text_in_markdown() -> None:
    text = markdown.render(DOCUMENT)
    assert "<script" not in text.replace("\\<script", "")
    # Undoing the escapes gives the text back, and nothing that means something stands there without one.
    plain = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)
    assert shown(HOSTILE) in unescape(plain)
    table = next(line for line in text.splitlines() if "alert" in line and line.startswith("|"))
    assert len(re.findall(r"(?<!\\)\|", table)) == 3
    begins = compiled(replace(POLICY, name="# 1. not a heading"), ORGANIZATION, DAY)
    assert "\n\\# 1. not a heading\n" in markdown.render(begins)


def test_every_text_of_the_typesetter_is_a_literal() -> None:
    source = typst_source.source(DOCUMENT)
    literal = shown(HOSTILE).replace("\\", "\\\\").replace('"', '\\"')
    assert literal in source
    assert HOSTILE not in source
    without = re.sub(r'"(?:[^"\\]|\\.)*"', '""', source)
    assert "alert" not in without
    assert "gnp" not in without


def test_invisible_marks_are_shown_by_their_number() -> None:
    assert shown("a\u202eb\nc\u200b") == "a⟨U+202E⟩b⟨U+000A⟩c⟨U+200B⟩"
    assert shown("Zürich 東京") == "Zürich 東京"


def test_amounts_keep_their_decimals() -> None:
    policy = replace(POLICY, uplifts=(replace(POLICY.uplifts[1], fixed=Amount(10**15, "USD")),))
    assert any("0.001 USD" in text for text in texts(compiled(policy, ORGANIZATION, DAY)))


def test_aliases_stand_in_tables_with_what_the_policy_calls_them() -> None:
    tables = [
        b for s in DOCUMENT.sections for b in s.blocks if isinstance(b, Table) and b.anchor.startswith("spellings")
    ]
    assert [table.caption for table in tables] == ["Table 1: names, 2 spellings", "Table 2: unused, 1 spelling"]
    assert [text_of(row[0]) for row in tables[0].rows] == [f"“{spelling}”" for spelling, _ in ALIASES]
