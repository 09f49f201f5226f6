"""The rows of a document's tables as HTML: what a page has most of, put together without the template engine.

An invoice of a hundred lines would otherwise spend most of its time in template nodes. Takes plain views, gives markup;
every text from outside goes through `escape`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from apportion.invoice.papers.words import Words
from apportion.web.drawing.pictures import line as picture
from apportion.web.templatetags.apportion import beside_as, dispute_badge
from apportion.web.words.figures import spoken
from apportion.web.words.reason_words import reason

if TYPE_CHECKING:
    from apportion.web.document_view import Beside, GroupView, LineView, PartView, SectionView

_NO_DISPUTE = '<td class="no-print dispute-cell"></td>'


class Rows:
    """The rows of one document's page. `disputable`: there is a column for disputing a line."""

    def __init__(self, document: int, *, is_monthly: bool, disputable: bool) -> None:
        self._here, self._raise = reverse("document", args=[document]), reverse("raise_dispute", args=[document])
        self._is_monthly, self._disputable = is_monthly, disputable
        self._said = spoken()
        self._amount = self._said.amount
        self._credit, self._dispute = escape(_("credit")), escape(_("Dispute"))

    def of_section(self, section: SectionView) -> SafeString:
        """Every group of a section as a part of the table, with a row of its own where it has several lines."""
        return mark_safe("".join(self._group(section, group) for group in section.groups))  # noqa: S308 - escaped below

    def _group(self, section: SectionView, group: GroupView) -> str:
        lines = "".join(self._line(section, each, several=group.is_several) for each in group.lines)
        if not group.is_several:
            return f"<tbody>{lines}</tbody>"
        amount = self._amount(group.beside.minor, section.currency)
        no_dispute = _NO_DISPUTE if self._disputable else ""
        return (
            f'<tbody class="several"><tr class="group"><th scope="rowgroup">{escape(group.heading)}</th>'
            f'<td class="number">{amount}</td>{self._beside(group.beside, section.currency)}{no_dispute}</tr>'
            f"{lines}</tbody>"
        )

    def _line(self, section: SectionView, each: LineView, *, several: bool) -> str:
        number = each.line.number
        disputes = "".join(
            f' <a href="{reverse("dispute", args=[dispute.pk])}">{dispute_badge(dispute.state)}</a>'
            for dispute in each.disputes
        )
        credit = f'<div class="said">{self._credit}</div>' if each.line.minor < 0 else ""
        return (
            f'<tr{_OF_GROUP if several else ""} id="line-{number}"><th scope="row">'
            f'<a class="row-link" href="{self._here}lines/{number}/">{escape(each.title)}</a>{disputes}'
            f'<div class="{"line-about" if section.kind == "direct" else "line-why"}">{escape(reason(each.why))}</div>'
            f'<div class="line-about">{escape(each.about)}</div></th>'
            f'<td class="number">{self._amount(each.line.minor, section.currency)}{credit}</td>'
            f"{self._beside(each.beside, section.currency)}{self._may_dispute(each)}</tr>"
        )

    def _beside(self, found: Beside, currency: str) -> str:
        if not self._is_monthly:
            return ""
        change = beside_as(self._said, found, currency)
        return f'<td class="number">{change}</td><td class="spark">{picture(found.months, "")}</td>'

    def _may_dispute(self, each: LineView) -> str:
        if not self._disputable:
            return ""
        if not each.may_dispute:
            return _NO_DISPUTE
        return (
            f'<td class="no-print dispute-cell"><a class="btn btn-sm" href="{self._raise}?line={each.line.number}">'
            f'{self._dispute}<span class="visually-hidden"> {escape(each.named)}</span></a></td>'
        )


_OF_GROUP = ' class="of-group"'
_NOW = ' class="now"'


def part_rows(parts: Iterable[PartView], currency: str) -> SafeString:
    """The parts of a change, each with what drove it, its bar and its amount."""
    return mark_safe("".join(_part(part, spoken(), currency) for part in parts))  # noqa: S308 - escaped below


def _part(part: PartView, said: Words, currency: str) -> str:
    drivers = "".join(
        f'<li>{escape(reason(driver.about))} <span class="number">{said.amount(driver.minor, currency, signed=True)}'
        "</span></li>"
        for driver in part.drivers
    )
    listed = f'<ul class="drivers">{drivers}</ul>' if drivers else ""
    return (
        f'<tr><th scope="row">{escape(part.name)}<div class="line-about">{escape(part.about)}</div>{listed}</th>'
        f'<td class="why-bars">{part.bar}</td>'
        f'<td class="number">{said.amount(part.minor, currency, signed=True)}</td></tr>'
    )


def month_rows(periods: Sequence[str], months: Sequence[int | None], currency: str) -> SafeString:
    """Months with their amounts, the last of them now; a dash where there was no document."""
    said = spoken()
    rows = [
        f'<tr{_NOW if place == len(periods) else ""}><th scope="row">{escape(said.month(period))}</th>'
        f'<td class="number">{"–" if minor is None else said.amount(minor, currency)}</td></tr>'
        for place, (period, minor) in enumerate(zip(periods, months, strict=True), start=1)
    ]
    return mark_safe("".join(rows))  # noqa: S308 - made of figures and escaped text
