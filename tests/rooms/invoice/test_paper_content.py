"""What a document shows adds up, and its bars are as long as their amounts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apportion.invoice.paper import MonthTotal, PaperKind, PaperLineKind
from apportion.invoice.papers import content
from apportion.invoice.papers.page import breakable
from tests.papers import MONTHS, PAPERS, credit_note, invoice, line, paper, statement


@pytest.mark.parametrize("name", PAPERS)
def test_sections_hold_every_line_once_and_add_up(name: str) -> None:
    printed = PAPERS[name]()
    found = list(content.sections(printed))
    lines = [each for section in found for group in section.groups for each in group.lines]
    assert sorted(each.number for each in lines) == [each.number for each in printed.lines]
    for section in found:
        assert section.minor == sum(group.minor for group in section.groups)
    for total in printed.totals:
        of = {section.kind: section.minor for section in found if section.currency == total.currency}
        assert of.get(PaperLineKind.DIRECT, 0) == total.direct_minor
        assert of.get(PaperLineKind.SHARE, 0) == total.shared_minor
        assert of.get(PaperLineKind.ADJUSTMENT, 0) == total.adjusted_minor


def test_groups_stand_in_the_order_of_their_first_lines() -> None:
    printed = paper((line(1, 5, service="b"), line(2, 5, service="a"), line(3, 7, service="b")))
    (section,) = content.sections(printed)
    assert [(group.heading, group.minor) for group in section.groups] == [("b", 12), ("a", 5)]


def test_a_chart_ends_with_the_month_of_the_paper() -> None:
    (chart,) = content.charts(statement())
    assert [bar.period for bar in chart.bars] == [*MONTHS, "2026-10"]
    assert chart.bars[-1].minor == statement().totals[0].minor
    assert [bar.is_now for bar in chart.bars] == [False] * 11 + [True]
    assert chart.bars[-1].height == content.FULL
    assert chart.below == 0


def test_bars_below_zero_share_the_height_with_those_above() -> None:
    history = (MonthTotal("2026-08", "USD", -100), MonthTotal("2026-09", "USD", 200))
    (chart,) = content.charts(paper((line(1, 300),), history=history))
    assert [bar.height for bar in chart.bars[-3:]] == [-250, 500, 750]
    assert chart.below == 250
    assert [bar.minor for bar in chart.bars[:-3]] == [None] * 9


@pytest.mark.parametrize("history", [(), (MonthTotal("2026-10", "USD", 5),), (MonthTotal("2025-10", "USD", 5),)])
def test_one_month_alone_is_no_chart(history: tuple[MonthTotal, ...]) -> None:
    assert list(content.charts(paper((line(1, 300),), history=history))) == []


def test_nothing_but_zeros_is_a_flat_chart() -> None:
    (chart,) = content.charts(paper((line(1, 0),), history=(MonthTotal("2026-09", "USD", 0),)))
    assert {bar.height for bar in chart.bars} == {0}


def test_the_month_before_is_taken_from_the_change_or_else_from_the_history() -> None:
    assert content.against_before(statement(), "USD", 1) == content.Comparison(972_316, 81_329)
    bare = replace(statement(), changes=())
    assert content.against_before(bare, "USD", 1_000_000) == content.Comparison(972_316, 27_684)
    assert content.against_before(replace(bare, history=()), "USD", 1) is None
    assert content.against_before(bare, "EUR", 1) is None


def test_a_budget_is_compared_in_its_currency_only() -> None:
    assert content.against_budget(invoice(), "JPY", 151_401) == content.Comparison(140_000, 11_401)
    assert content.against_budget(invoice(), "KWD", 1) is None


def test_a_credit_note_is_not_a_month_of_its_chart() -> None:
    note = replace(credit_note(), history=statement().history)
    assert note.kind is PaperKind.CREDIT_NOTE
    (chart,) = content.charts(note)
    assert chart.bars[-1].minor is None


def test_months_go_back_over_the_new_year() -> None:
    assert content.month_before("2026-01") == "2025-12"


@pytest.mark.parametrize(
    "text",
    ["", "short words only", "x" * 300, "a/b" * 40, "two  spaces and averyveryverylongword", " " * 30, "視" * 60],
)
def test_a_text_in_pieces_is_the_same_text(text: str) -> None:
    pieces = breakable(text)
    assert "".join(pieces) == text
    assert isinstance(pieces, str) or max(map(len, pieces)) <= 25


def test_control_characters_become_spaces() -> None:
    assert breakable("a\0b\x1b[31m\u202ec\n") == "a b [31m c "
