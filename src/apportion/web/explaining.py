"""How a line was worked out, in words: from its settled amount back through shares and pools to what rules brought.

Takes a document's line and looks it up in the run that is on disk now; gives steps whose parts sum to their totals. A
line that is not in that run any more, or comes to something else there, is not explained: `found` says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from django.utils.translation import gettext as _

from apportion.actions.workspace import workspace
from apportion.allocate.allocation import Cell
from apportion.allocate.basis import Mix
from apportion.allocate.trace import PoolTrace, ShareTrace
from apportion.close.explain import Explanation, taken_apart
from apportion.errors import ApportionError, NotFoundError
from apportion.invoice import reasons, wording
from apportion.invoice.paper import PaperLine, PaperLineKind
from apportion.money.currency import units_per_minor
from apportion.records.documents import Document
from apportion.web.words.figures import spoken

_MOST_PARTS = 40
_LONG = 24  # digits of a fraction that a person still reads


class GoneError(NotFoundError):
    """A line that cannot be followed any further: the run that it was made from is not the one on disk."""

    code = "RUN_GONE"


@dataclass(frozen=True, slots=True)
class Part:
    """One amount of a step, as exact text, and what it is; `share` is an exact fraction with about how much it is."""

    text: str
    amount: str
    share: str = ""
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Parts that sum to `total`."""

    title: str
    parts: tuple[Part, ...]
    total: Part
    note: str = ""


def reference(document: Document, line: PaperLine) -> str:
    """What the core calls a line. Raises `GoneError` for one that no run has: adjustments are agreed, not allocated."""
    if line.kind is PaperLineKind.ADJUSTMENT or not document.statement:
        raise GoneError(
            _("This line was agreed, not allocated, so there is nothing below it."),
            advice=_("The document that it is about has the charges behind it."),
        )
    return f"{document.statement}:{line.number}"


def found(document: Document, line: PaperLine) -> Explanation:
    """The line as the run on disk has it. Raises `GoneError` where it is another one, or none."""
    try:
        made = taken_apart(workspace(), reference(document, line))
    except GoneError:
        raise
    except ApportionError as error:
        raise _gone() from error
    there = made.line
    same_holder = (str(made.statement.holder.holder), made.statement.holder.code) == (
        document.holder,
        document.cost_group.code if document.cost_group is not None else "",
    )
    if (
        there is None
        or not same_holder
        or (
            there.stated.minor,
            there.stated.currency,
            there.service,
            there.charge_category,
            there.pool_id,
            there.corrects,
        )
        != (line.minor, line.currency, line.service, line.charge_category, line.pool_id, line.corrects)
    ):
        raise _gone()
    return made


def steps(made: Explanation) -> tuple[Step, ...]:
    """From the settled amount down to what rules brought."""
    if made.line is None or made.trace is None:
        return ()
    return tuple(_Steps(made).all())


def exact_share(weight: int, total: int) -> str:
    """The exact fraction, and about how much that is: ``50/401 (12.5 %)``."""
    if not total:
        return ""
    part = Fraction(weight, total)
    said = spoken()
    about = said.percent(part.numerator, part.denominator).lstrip("+")
    text = f"{part.numerator}/{part.denominator}"
    return f"{text} ({about})" if len(text) <= _LONG else about


class _Steps:
    def __init__(self, made: Explanation) -> None:
        assert made.line is not None and made.trace is not None  # noqa: S101, PT018 - `steps` has asked
        self._line, self._trace = made.line, made.trace
        policy = made.run.former.get(made.line.corrects, made.run.policy)
        self._rules = {rule.id: rule.name or rule.id for rule in policy.rules}
        self._names: Mapping[str, str] = {
            **{each.id: each.name or each.id for each in policy.uplifts},
            **{each.id: each.name or each.id for each in policy.commitments},
            **{each.id: each.name or each.id for each in policy.pools},
        }
        self._pools = {pool.id for pool in policy.pools}
        self._currency = made.line.scope.currency

    def all(self) -> Iterator[Step]:
        yield self._settled()
        yield self._direct() if self._trace.cells else self._shares()
        for part in self._trace.shares:
            if part.parts and part.based is not None and isinstance(part.based.basis, Mix):
                yield self._mixed(part)
        for pool in self._trace.pools:
            yield self._pool(pool)

    def _exact(self, units: int) -> str:
        return wording.exact(units, self._currency)

    def _settled(self) -> Step:
        line = self._line
        settled = line.minor * units_per_minor(self._currency)
        return Step(
            _("The amount as it was billed"),
            (
                Part(_("exact amount"), self._exact(line.units)),
                Part(
                    _("cents settled, so that the lines of the provider invoice sum to it"),
                    self._exact(settled - line.units),
                ),
            ),
            Part(_("amount on the document, in %s") % self._currency, self._exact(settled)),
        )

    def _direct(self) -> Step:
        cells = self._trace.cells
        return Step(
            _("Charges that rules brought here"),
            tuple(self._brought(cells)),
            Part(_("exact amount"), self._exact(sum(cell.units for cell in cells))),
        )

    def _brought(self, cells: tuple[Cell, ...]) -> Iterator[Part]:
        said = spoken()
        for rule in dict.fromkeys(cell.rule_id for cell in cells):
            these = [cell for cell in cells if cell.rule_id == rule]
            rows = sum(cell.rows for cell in these)
            name = _("Rule “%s”") % self._rules.get(rule, rule) if rule is not None else _("No rule met these charges")
            charges = _("1 charge") if rows == 1 else _("%s charges") % said.count(rows)
            yield Part(f"{name}: {charges}", self._exact(sum(cell.units for cell in these)))

    def _shares(self) -> Step:
        return Step(
            _("A share of what is used together"),
            tuple(self._share(part) for part in self._trace.shares),
            Part(_("exact amount"), self._exact(sum(part.share.units for part in self._trace.shares))),
        )

    def _share(self, part: ShareTrace) -> Part:
        share, based = part.share, part.based
        name = self._names.get(share.pool_id, share.pool_id)
        if share.pool_id not in self._pools:
            return Part(name, self._exact(share.units), more=(_("moved between cost groups, as was agreed"),))
        more: list[str] = []
        if based is not None:
            method = reasons.basis_words(based.basis)
            if based.is_limited:
                method = f"{method}, {reasons.limit_words(based.pool)}"
            own, whole = (
                reasons.exact_weight(each, based.weight_in, self._currency)
                for each in (share.weight, share.total_weight)
            )
            more.append(_("%(method)s: %(own)s of %(whole)s") % {"method": method, "own": own, "whole": whole})
            more += reasons.refused_words(based)
        more.append(_("of %s in the pool") % f"{self._exact(share.pool_units)} {self._currency}")
        return Part(name, self._exact(share.units), exact_share(share.weight, share.total_weight), tuple(more))

    def _mixed(self, part: ShareTrace) -> Step:
        assert part.based is not None and isinstance(part.based.basis, Mix)  # noqa: S101, PT018 - `all` has asked
        mix = part.based.basis
        return Step(
            _("The share of %s in its parts") % self._names.get(part.share.pool_id, part.share.pool_id),
            tuple(
                Part(
                    f"{reasons.size_words(each.part, mix)} {reasons.basis_words(each.part.basis)}",
                    self._exact(each.units),
                    exact_share(each.weight, each.total_weight),
                )
                for each in part.parts
            ),
            Part(_("share"), self._exact(part.share.units)),
        )

    def _pool(self, pool: PoolTrace) -> Step:
        received = sorted(pool.received, key=lambda part: -abs(part.share.units))
        shown, rest = received[:_MOST_PARTS], received[_MOST_PARTS:]
        parts = [*self._brought(pool.cells), *map(self._share, shown)]
        if rest:
            more = _("and %d more shares of other pools") % len(rest)
            parts.append(Part(more, self._exact(sum(part.share.units for part in rest))))
        others = ", ".join(self._names.get(code, code) for code in pool.loop if code != pool.pool_id)
        note = _("Solved together with %s, with what came back from them.") % others if others else ""
        return Step(
            _("What is in the pool “%s”") % self._names.get(pool.pool_id, pool.pool_id),
            tuple(parts),
            Part(_("the pool holds"), self._exact(pool.units)),
            note,
        )


def _gone() -> GoneError:
    return GoneError(
        _("The month was allocated anew since this document was issued, so the charges behind the line are not shown."),
        advice=_("The document itself stands as it was issued. Ask in a comment, and a controller can look it up."),
    )
