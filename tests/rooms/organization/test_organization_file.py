"""The organization file: YAML nested or flat, and CSV, with versions over time."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion import organization
from apportion.errors import DocumentError, EmptyFileError, UnreadableFileError
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup, Organization
from apportion.organization.life import covers, joined, life_text
from apportion.organization.ownership import Owners
from apportion.yamlfile import MOST_BYTES
from tests.often import often

NESTED = """
organization: Harbour Foods
groups:
  - code: emea
    name: Europe
    owners: {finance: f@example.com, technical: t@example.com}
    coding: {company: "1000", cost_center: 0010}
    groups:
      - code: payments
        owners: {technical: p@example.com}
        coding: {cost_center: 0020}
        changes:
          - from: 2026-07-01
            parent: apac
            coding: {cost_center: 0120}
          - from: 2026-09-01
            name: Payments and billing
            owners: {technical: }
  - code: apac
    from: 2026-01-01
    coding: {company: "2000", cost_center: "0100"}
    groups:
      - code: search
        until: 2026-10-01
"""

FLAT = """
groups:
  - {code: emea, name: Europe, owners: {finance: f@example.com, technical: t@example.com},
     coding: {company: "1000", cost_center: 0010}}
  - code: payments
    parent: emea
    owners: {technical: p@example.com}
    coding: {cost_center: 0020}
    changes:
      - {from: 2026-07-01, parent: apac, coding: {cost_center: 0120}}
      - {from: 2026-09-01, name: Payments and billing, owners: {technical: ""}}
  - {code: apac, from: 2026-01-01, coding: {company: "2000", cost_center: "0100"}}
  - {code: search, parent: apac, from: 2026-01-01, until: 2026-10-01}
"""

TABLE = """code,name,parent,company,cost_center,department,ledger_account,finance_owner,technical_owner,business_owner,\
valid_from,valid_until
emea,Europe,,1000,0010,,,f@example.com,t@example.com,,,
payments,,emea,,0020,,,,p@example.com,,,2026-07-01
payments,,apac,,0120,,,,p@example.com,,2026-07-01,2026-09-01
payments,Payments and billing,apac,,0120,,,,,,2026-09-01,

apac,,,2000,0100,,,,,,2026-01-01,
search,,apac,,,,,,,,2026-01-01,2026-10-01
"""


def read(tmp_path: Path, text: str, name: str = "organization.yaml") -> Organization:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return organization.read(path)


def test_nested_groups_with_changes_become_versions(tmp_path: Path) -> None:
    found = read(tmp_path, NESTED)
    technical = Owners(technical="p@example.com")
    assert found.versions == (
        CostGroup("emea", "Europe", None, Owners("f@example.com", "t@example.com"), Coding("1000", "0010")),
        CostGroup("payments", "payments", "emea", technical, Coding("", "0020"), None, date(2026, 7, 1)),
        CostGroup("payments", "payments", "apac", technical, Coding("", "0120"), date(2026, 7, 1), date(2026, 9, 1)),
        CostGroup("payments", "Payments and billing", "apac", Owners(), Coding("", "0120"), date(2026, 9, 1)),
        CostGroup("apac", "apac", None, Owners(), Coding("2000", "0100"), date(2026, 1, 1)),
        CostGroup("search", "search", "apac", Owners(), Coding(), date(2026, 1, 1), date(2026, 10, 1)),
    )
    assert found.digest == hashlib.sha256(NESTED.encode()).hexdigest()


def test_flat_list_and_table_say_the_same_as_nested_groups(tmp_path: Path) -> None:
    nested = read(tmp_path, NESTED).versions
    assert read(tmp_path, FLAT, "flat.yml").versions == nested
    assert read(tmp_path, TABLE, "table.csv").versions == nested
    with_semicolons = TABLE.replace(",", ";").replace("\n", "\r\n")
    (tmp_path / "excel.CSV").write_bytes(b"\xef\xbb\xbf" + with_semicolons.encode())
    assert organization.read(tmp_path / "excel.CSV").versions == nested


def test_the_tree_of_a_day_inherits_from_the_parent_of_that_day(tmp_path: Path) -> None:
    found = read(tmp_path, NESTED)
    before, after = found.on(date(2026, 6, 30)), found.on(date(2026, 10, 1))
    assert before.path("payments") == ("emea", "payments")
    assert before["payments"].coding == Coding("1000", "0020")
    assert before["payments"].owners == Owners("f@example.com", "p@example.com")
    assert after.path("payments") == ("apac", "payments")
    assert after["payments"].coding == Coding("2000", "0120")
    assert "search" in before
    assert "search" not in after
    assert "apac" not in found.on(date(2025, 12, 31))


WITH_ATTRIBUTES = """
groups:
  - code: emea
    attributes: {region: emea, kind: holding}
    currency: EUR
    groups:
      - code: payments
        attributes: {kind: product, "Size of team": 12}
        changes:
          - {from: 2026-07-01, attributes: {kind: platform, stage: live}}
          - {from: 2026-09-01, attributes: {kind: }, currency: GBP}
          - {from: 2026-10-01, currency: }
"""

ATTRIBUTES_AS_TABLE = """Code,PARENT,Currency,Attributes.kind,attributes.Size of team,attributes.stage,\
attributes.region,valid_from,valid_until
emea,,EUR,holding,,,emea,,
payments,emea,,product,12,,,,2026-07-01
payments,emea,,platform,12,live,,2026-07-01,2026-09-01
payments,emea,GBP,,12,live,,2026-09-01,2026-10-01
payments,emea,,,12,live,,2026-10-01,
"""


def test_attributes_and_the_currency_of_statements(tmp_path: Path) -> None:
    found = read(tmp_path, WITH_ATTRIBUTES)
    _, first, second, third, fourth = found.versions
    assert first.attributes == (("Size of team", "12"), ("kind", "product"))
    assert second.attributes == (("Size of team", "12"), ("kind", "platform"), ("stage", "live"))
    assert third.attributes == fourth.attributes == (("Size of team", "12"), ("stage", "live"))
    assert [version.currency for version in found.versions] == ["EUR", "", "", "GBP", ""]
    assert read(tmp_path, ATTRIBUTES_AS_TABLE, "table.csv").versions == found.versions


def test_attributes_and_currency_are_inherited(tmp_path: Path) -> None:
    found = read(tmp_path, WITH_ATTRIBUTES)
    months = [found.on(date(2026, month, 1))["payments"] for month in (6, 8, 9, 10)]
    assert [group.attribute("kind") for group in months] == ["product", "platform", "holding", "holding"]
    assert {group.attribute("region") for group in months} == {"emea"}
    assert [group.currency for group in months] == ["EUR", "EUR", "GBP", "EUR"]


def test_a_group_may_leave_the_tree_and_come_back(tmp_path: Path) -> None:
    found = read(tmp_path, "groups:\n  - {code: a, until: 2026-02-01}\n  - {code: a, from: 2026-05-01}\n")
    assert [("a" in found.on(date(2026, month, 1))) for month in (1, 3, 5)] == [True, False, True]


def test_a_nested_group_that_moves_away_outlives_the_group_it_stands_in(tmp_path: Path) -> None:
    text = """
groups:
  - code: old
    until: 2026-07-01
    groups:
      - code: stays
      - {code: moves, changes: [{from: 2026-06-01, parent: new}]}
      - {code: rises, changes: [{from: 2026-06-01, parent: }]}
  - code: new
"""
    found = read(tmp_path, text)
    after = found.on(date(2026, 8, 1))
    assert list(after) == ["rises", "new", "moves"]
    assert after["rises"].parent is None


def test_deep_trees_are_fine_and_endless_ones_are_not(tmp_path: Path) -> None:
    chain = "groups:\n  - {code: g0}\n" + "".join(f"  - {{code: g{n}, parent: g{n - 1}}}\n" for n in range(1, 100))
    assert len(read(tmp_path, chain).on(date(2026, 1, 1)).path("g99")) == 100
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, chain + "  - {code: g100, parent: g99}\n")
    assert [(mistake.code, mistake.place.line) for mistake in caught.value.mistakes] == [("TOO_DEEP", 102)]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("o.txt", b"code\na\n", UnreadableFileError),
        ("o.yaml", b"# nothing\n", EmptyFileError),
        ("o.csv", b"", EmptyFileError),
        ("o.csv", b"code,name\n\n", EmptyFileError),
        ("o.csv", b"x" * (MOST_BYTES + 1), UnreadableFileError),
    ],
)
def test_files_that_say_nothing(tmp_path: Path, name: str, content: bytes, error: type[Exception]) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error):
        organization.read(tmp_path / name)
    with pytest.raises(UnreadableFileError):
        organization.read(tmp_path / f"not-there-{name}")


def test_spans_join_and_cover() -> None:
    day = [date(2026, month, 1) for month in range(1, 8)]
    spans = joined([(day[3], None), (None, day[1]), (day[1], day[2])])
    assert spans == [(None, day[2]), (day[3], None)]
    assert covers(spans, (day[0], day[2]))
    assert not covers(spans, (day[0], day[3]))
    assert not covers(spans, (None, None))
    assert covers(spans, (day[5], None))
    assert life_text(spans) == "until 2026-03-01 and from 2026-04-01"
    assert life_text([(None, None)]) == "always"


days = st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 20))


@settings(max_examples=often(60))
@given(st.lists(st.tuples(days, days).filter(lambda s: s[0] is None or s[1] is None or s[0] < s[1]), max_size=5))
def test_joined_spans_hold_the_same_days(spans: list[tuple[date | None, date | None]]) -> None:
    found = joined(spans)
    for number in range(1, 25):
        day = date(2026, 1, number)
        inside = [(a is None or a <= day) and (b is None or day < b) for a, b in spans]
        assert any(inside) == any((a is None or a <= day) and (b is None or day < b) for a, b in found)
    ends = [end for _, end in found[:-1]]
    starts = [start for start, _ in found[1:]]
    assert all(end is not None and start is not None and end < start for end, start in zip(ends, starts, strict=True))
