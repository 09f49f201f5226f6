"""What the page of a document shows, worked out from its frozen paper and a few rows: no template computes anything.

Takes a document with its body, the acting person's rights, and the rows around it; gives plain values. Only adds and
compares. Figures of earlier months are those of the documents that the same holder got then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apportion.invoice.paper import Driver, Paper, PaperLine, PaperLineKind, Part
from apportion.invoice.papers import content, wording
from apportion.invoice.papers.words import Words
from apportion.money.amount import half_even
from apportion.records.disputes import Dispute
from apportion.records.documents import Document
from apportion.web.document_history import MONTHLY, History, Key, former_lines, group_key, key_of, last_periods
from apportion.web.document_rows import part_rows
from apportion.web.drawing.diagrams import budget_bar, part_bar
from apportion.web.words.figures import spoken

_DRIVERS = 3


@dataclass(frozen=True, slots=True)
class Beside:
    """An amount of this month beside that of the month before, and twelve months of it; None where not known."""

    minor: int
    before_minor: int | None
    months: tuple[int | None, ...]

    @property
    def change_minor(self) -> int | None:
        """By how much it differs from the month before."""
        return None if self.before_minor is None else self.minor - self.before_minor

    @property
    def size_minor(self) -> int | None:
        """The same without its sign, for sentences that say "more" or "less"."""
        return None if self.change_minor is None else abs(self.change_minor)


@dataclass(frozen=True, slots=True)
class LineView:
    """A line with what may be done about it. `why` is its reason without the name that stands above it.

    `title` is what a list calls it, `about` where it comes from, `named` its number in words.
    """

    line: PaperLine
    heading: str
    title: str
    about: str
    named: str
    why: str
    method: str
    beside: Beside
    disputes: tuple[Dispute, ...]
    may_dispute: bool
    category: str
    provider: str
    charges: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """Lines under one heading."""

    heading: str
    lines: tuple[LineView, ...]
    beside: Beside

    @property
    def is_several(self) -> bool:
        """Whether there is more than one line, so that the heading has a row of its own."""
        return len(self.lines) > 1


@dataclass(frozen=True, slots=True)
class SectionView:
    """The direct cost, the shared cost or the adjustments in one currency."""

    kind: str
    title: str
    about: str
    currency: str
    groups: tuple[GroupView, ...]
    beside: Beside
    is_converted: bool


@dataclass(frozen=True, slots=True)
class PartView:
    """One part of a change, in words, with its largest drivers."""

    part: str
    name: str
    about: str
    minor: int
    drivers: tuple[Driver, ...]
    scale: int = 0

    @property
    def bar(self) -> SafeString:
        """The part as a picture."""
        return part_bar(self.minor, self.scale)


@dataclass(frozen=True, slots=True)
class ChangeView:
    """Why a total changed; `parts` sum to the change, the largest first."""

    currency: str
    before_minor: int
    after_minor: int
    parts: tuple[PartView, ...]

    @property
    def change_minor(self) -> int:
        """By how much."""
        return self.after_minor - self.before_minor

    @property
    def rows(self) -> SafeString:
        """The parts as rows of a table."""
        return part_rows(self.parts, self.currency)

    @property
    def largest(self) -> tuple[PartView, ...]:
        """The two parts that say most, for a sentence."""
        return tuple(part for part in self.parts[:2] if part.part != Part.ROUNDING)

    @property
    def first_driver(self) -> Driver | None:
        """The largest single cause among the parts that say most, if it goes the way that the whole goes."""
        found = [each for part in self.largest for each in part.drivers if each.minor * self.change_minor > 0]
        return max(found, key=lambda each: abs(each.minor), default=None)


@dataclass(frozen=True, slots=True)
class TotalView:
    """The total in one currency against the month before and the budget."""

    currency: str
    minor: int
    direct_minor: int
    shared_minor: int
    adjusted_minor: int
    beside: Beside
    budget_minor: int | None
    noted_minor: int

    @property
    def left_minor(self) -> int | None:
        """What is left of the budget; below zero: over it."""
        return None if self.budget_minor is None else self.budget_minor - self.minor

    @property
    def over_minor(self) -> int | None:
        """By how much it is over the budget."""
        return None if self.left_minor is None else -self.left_minor

    @property
    def used_ppm(self) -> int | None:
        """How much of the budget is used, in millionths; None without a budget above zero."""
        return half_even(self.minor * 10**6, self.budget_minor) if self.budget_minor and self.budget_minor > 0 else None

    @property
    def bar(self) -> SafeString:
        """The budget as a picture."""
        return budget_bar(self.minor, self.budget_minor or 0)

    @property
    def after_notes_minor(self) -> int:
        """With the credit and debit notes about the document."""
        return self.minor + self.noted_minor


@dataclass(frozen=True, slots=True)
class PaperView:
    """All that is said of a paper."""

    paper: Paper
    kind: str
    basis: str
    periods: tuple[str, ...]
    totals: tuple[TotalView, ...]
    changes: tuple[ChangeView, ...]
    sections: tuple[SectionView, ...]
    is_monthly: bool
    main: str = ""
    several: bool = False
    by_number: Mapping[int, LineView] = field(default_factory=dict)

    @property
    def before(self) -> str:
        """The billing period before."""
        return self.periods[-2]


def view(
    document: Document,
    paper: Paper,
    *,
    disputes: Sequence[Dispute] = (),
    free: Collection[int] = (),
    noted: Mapping[str, int] | None = None,
    history: History | None = None,
) -> PaperView:
    """The page's figures. `free` are the lines that the reader may dispute, `noted` what notes add by currency."""
    said = spoken()
    is_monthly = paper.kind in MONTHLY
    periods = last_periods(paper.period)
    known = history if history is not None else former_lines(document, periods[:-1]) if is_monthly else {}
    maker = _Maker(paper, said, periods, known, disputes, free)
    sections = tuple(maker.sections())
    totals = tuple(maker.totals(noted or {}))
    return PaperView(
        paper=paper,
        kind=wording.kind(paper, said),
        basis=wording.basis(paper, said),
        periods=periods,
        totals=totals,
        changes=tuple(maker.changes()),
        sections=sections,
        is_monthly=is_monthly,
        main=max(totals, key=lambda total: abs(total.minor)).currency if totals else "",
        several=len(totals) > 1,
        by_number={each.line.number: each for part in sections for group in part.groups for each in group.lines},
    )


def _inside(reason: str, heading: str) -> str:
    """A reason below its heading, which need not name it again."""
    rest = reason.removeprefix(f"{heading}: ") if heading else reason
    return f"{rest[:1].upper()}{rest[1:]}" if rest[1:2].islower() else rest


class _Maker:
    """Puts lines beside what they were."""

    def __init__(
        self,
        paper: Paper,
        said: Words,
        periods: Sequence[str],
        history: History,
        disputes: Sequence[Dispute],
        free: Collection[int],
    ) -> None:
        self._paper, self._said, self._periods, self._history = paper, said, periods, history
        self._free = free
        self._unnamed, self._named = _("No service named"), _("line %(n)s")
        self._disputes: dict[int, list[Dispute]] = defaultdict(list)
        for each in disputes:
            if each.line is not None:
                self._disputes[each.line].append(each)
        self._groups: dict[str, dict[Key, int]] = {}
        self._kinds: dict[str, dict[Key, int]] = {}
        for period, lines in history.items():
            groups: dict[Key, int] = defaultdict(int)
            kinds: dict[Key, int] = defaultdict(int)
            for key, minor in lines.items():
                groups[group_key(key)] += minor
                kinds[key[:2]] += minor
            self._groups[period], self._kinds[period] = groups, kinds
        keys = [key_of(line) for line in paper.lines]
        self._shared_keys = {key for key in keys if keys.count(key) > 1}

    def sections(self) -> Iterator[SectionView]:
        for part in content.sections(self._paper):
            groups = tuple(self._group(group) for group in part.groups)
            yield SectionView(
                kind=str(part.kind),
                title=wording.heading(part, self._paper, self._said),
                about=_ABOUT[part.kind](),
                currency=part.currency,
                groups=groups,
                beside=self._beside(part.minor, self._kinds, {(str(part.kind), part.currency)}),
                is_converted=part.is_converted,
            )

    def _group(self, group: content.Group) -> GroupView:
        keys = {group_key(key_of(line)) for line in group.lines}
        return GroupView(
            heading=group.heading or self._unnamed,
            lines=tuple(self._line(line, several=len(group.lines) > 1) for line in group.lines),
            beside=self._beside(group.minor, self._groups, keys),
        )

    def _line(self, line: PaperLine, *, several: bool) -> LineView:
        key = key_of(line)
        # Of lines that differ in nothing but their provider invoice, nobody can say which was which last month.
        is_alone = key not in self._shared_keys and not line.corrects
        heading, category = line.heading or self._unnamed, wording.category(line, self._said)
        return LineView(
            line=line,
            heading=heading,
            title=self._title(line, category or heading) if several else heading,
            about=self._about(line, "" if several else category),
            named=self._named % {"n": line.number},
            why=_inside(line.reason, line.heading),
            method=wording.method(line, self._said) if line.method else "",
            beside=self._beside(line.minor, self._history, {key}) if is_alone else Beside(line.minor, None, ()),
            disputes=tuple(self._disputes.get(line.number, ())),
            may_dispute=line.number in self._free,
            category=category,
            provider=wording.provider_document(line, self._said),
            charges=wording.charges(line, self._said),
        )

    def _title(self, line: PaperLine, name: str) -> str:
        if not line.corrects:
            return name
        return f"{name}, {_('correction of %(month)s') % {'month': self._said.month(line.corrects)}}"

    def _about(self, line: PaperLine, category: str) -> str:
        """Service or category, who billed it on which document, how many charges, and at which rate."""
        document = wording.provider_document(line, self._said)
        billed = f"{line.invoice_issuer}, {document}" if document else line.invoice_issuer
        parts = [line.service if line.kind is PaperLineKind.SHARE else category, billed]
        parts.append(wording.charges(line, self._said))
        if line.billed_currency != line.currency:
            amount = self._said.money(line.billed_minor, line.billed_currency)
            parts.append(_("billed %(billed)s at %(rate)s") % {"billed": amount, "rate": line.rate})
        if line.of_line:
            parts.append(_("about %(of)s") % {"of": line.of_line})
        return " · ".join(part for part in parts if part)

    def _beside(self, minor: int, history: History, keys: Collection[Key]) -> Beside:
        """A month in which the holder had a document, but not this, is a month of nothing."""
        months: list[int | None] = [
            sum(history[period].get(key, 0) for key in keys) if period in history else None
            for period in self._periods[:-1]
        ]
        return Beside(minor, months[-1], (*months, minor))

    def totals(self, noted: Mapping[str, int]) -> Iterator[TotalView]:
        budgets = {budget.currency: budget.minor for budget in self._paper.budgets}
        of = {(month.period, month.currency): month.minor for month in self._paper.history}
        for total in self._paper.totals:
            before = content.against_before(self._paper, total.currency, total.minor)
            months = [of.get((period, total.currency)) for period in self._periods[:-1]]
            yield TotalView(
                currency=total.currency,
                minor=total.minor,
                direct_minor=total.direct_minor,
                shared_minor=total.shared_minor,
                adjusted_minor=total.adjusted_minor,
                beside=Beside(total.minor, before.before_minor if before else None, (*months, total.minor)),
                budget_minor=budgets.get(total.currency),
                noted_minor=noted.get(total.currency, 0),
            )

    def changes(self) -> Iterator[ChangeView]:
        for change in self._paper.changes:
            scale = max((abs(minor) for _part, minor in change.parts), default=0)
            parts = [
                PartView(
                    part=str(part),
                    name=self._said.say(wording.PARTS[part][0]),
                    about=self._said.say(wording.PARTS[part][1]),
                    minor=minor,
                    drivers=tuple(each for each in change.drivers if each.part is part)[:_DRIVERS],
                    scale=scale,
                )
                for part, minor in change.parts
                if minor
            ]
            parts.sort(key=lambda each: (each.part == Part.ROUNDING, -abs(each.minor)))
            yield ChangeView(change.currency, change.before_minor, change.after_minor, tuple(parts))


_ABOUT = {
    PaperLineKind.DIRECT: lambda: _("What your own resources cost."),
    PaperLineKind.SHARE: lambda: _("Your part of what several groups use together. Each line says how it was shared."),
    PaperLineKind.ADJUSTMENT: lambda: _("What was agreed afterwards."),
}
