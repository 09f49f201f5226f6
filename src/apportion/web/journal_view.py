"""What the pages of journals show: lines by entry and page, how far a journal is, what was refused, what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils.translation import gettext as _

from apportion.actions.acting import Actor
from apportion.errors import ApportionError, DocumentError, UnmappedError
from apportion.ledger.account import Dimensions
from apportion.ledger.entry import Entry, Posting
from apportion.ledger.local import Local
from apportion.ledger.statistical import StatisticalEntry, StatisticalLine
from apportion.periods import BillingPeriod
from apportion.post.journal import Journal
from apportion.post.lifecycle import JournalState
from apportion.records import reach
from apportion.records.audit import AuditEntry
from apportion.records.groups import CostGroup
from apportion.records.journals import LedgerJournal
from apportion.web.words import journal_words

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

ON_A_PAGE = 200
_REFS = 4  # documents that a line names before the rest is folded away


@dataclass(frozen=True, slots=True)
class Ref:
    """A document behind a line, or a line of one; without an address where it is none of the books."""

    label: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is shown. `place` counts all lines of the journal from 1, `number` those of its entry."""

    place: int
    number: int
    company: str
    account: str
    cost_center: str
    department: str
    partner: str
    dimensions: Dimensions
    currency: str
    minor: int
    text: str
    tax_code: str
    local: Local | None
    is_counted: bool
    refs: tuple[Ref, ...] = ()
    more: tuple[Ref, ...] = ()

    @property
    def debit(self) -> int | None:
        """Its amount on the left."""
        return self.minor if self.minor > 0 and not self.is_counted else None

    @property
    def local_minor(self) -> int | None:
        """The amount in the company's own currency, on the same side."""
        if self.local is None:
            return None
        return self.local.amount_minor if self.minor > 0 else -self.local.amount_minor

    @property
    def credit(self) -> int | None:
        """Its amount on the right, without a sign."""
        return -self.minor if self.minor < 0 and not self.is_counted else None


@dataclass(frozen=True, slots=True)
class Part:
    """An entry, or as much of it as is on the page."""

    id: str
    kind: str
    text: str
    document_on: date
    posting_on: date
    belongs_to: BillingPeriod | None
    reverses: str
    is_counted: bool
    goes_on: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of a journal's lines. `has_dimensions` and so on say which columns it needs."""

    page: Page[tuple[int, int, int]]
    parts: tuple[Part, ...]
    wanted: str
    has_dimensions: bool
    has_department: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of a repair list: what was refused, where, and what would help."""

    where: str
    url: str
    code: str
    sentence: str
    advice: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step on a journal's way, done or not."""

    words: str
    icon: str
    tone: str
    sign: str
    by: str = ""
    at: datetime | None = None
    text: str = ""

    @property
    def is_done(self) -> bool:
        """Has it been taken?"""
        return self.at is not None


def lines(found: Journal, actor: Actor, number: str | None, wanted: str = "") -> Lines:
    """A page of the lines that hold `wanted` in a code, text or reference. One query, for the documents they name."""
    entries: list[Entry | StatisticalEntry] = [*found.entries, *found.statistical]
    places = list(_places(entries, wanted.casefold()))
    page = Paginator(places, ON_A_PAGE).get_page(number)
    here: dict[int, list[tuple[int, int]]] = {}
    for entry, line, place in page.object_list:
        here.setdefault(entry, []).append((line, place))
    shown = [(index, _of(entries[index])[line]) for index, some in here.items() for line, _place in some]
    known = _known(actor, (ref for _index, line in shown for ref in line.ref.split()))
    parts = tuple(_part(entries[index], some, known) for index, some in here.items())
    every = [line for part in parts for line in part.lines]
    return Lines(
        page,
        parts,
        wanted,
        has_dimensions=any(line.dimensions for line in every),
        has_department=any(line.department for line in every),
    )


def _of(entry: Entry | StatisticalEntry) -> Sequence[Posting | StatisticalLine]:
    return entry.postings if isinstance(entry, Entry) else entry.lines


def _places(entries: Iterable[Entry | StatisticalEntry], wanted: str) -> Iterator[tuple[int, int, int]]:
    """Entry, line in it, and place in the journal of each line that is wanted; both indices count from 0."""
    place = 0
    for index, entry in enumerate(entries):
        for number, line in enumerate(_of(entry)):
            place += 1
            if not wanted or wanted in _said(line):
                yield index, number, place


def _said(line: Posting | StatisticalLine) -> str:
    at = line.ledger_account
    codes = (at.company, at.account, at.cost_center, at.department, at.partner, line.text, line.ref)
    return " ".join([*codes, *(code for _name, code in at.dimensions)]).casefold()


def _known(actor: Actor, refs: Iterable[str]) -> Mapping[str, int]:
    """The documents that are referred to, by label."""
    labels = {ref.partition(":")[0] for ref in refs}
    if not labels:
        return {}
    rows = reach.documents(actor.rights).filter(label__in=labels)
    return {str(label): pk for label, pk in rows.values_list("label", "pk")}


def _part(entry: Entry | StatisticalEntry, some: Sequence[tuple[int, int]], known: Mapping[str, int]) -> Part:
    return Part(
        id=entry.id,
        kind=journal_words.entry_kind(entry.kind) if isinstance(entry, Entry) else _("Counted, no money"),
        text=entry.text,
        document_on=entry.document_on,
        posting_on=entry.posting_on,
        belongs_to=entry.belongs_to if isinstance(entry, Entry) else None,
        reverses=entry.reverses,
        is_counted=isinstance(entry, StatisticalEntry),
        goes_on=some[0][0] > 0,
        lines=tuple(_line(_of(entry)[number], number + 1, place, known) for number, place in some),
    )


def _line(line: Posting | StatisticalLine, number: int, place: int, known: Mapping[str, int]) -> Line:
    at = line.ledger_account
    refs = tuple(_ref(ref, known) for ref in line.ref.split())
    return Line(
        place,
        number,
        at.company,
        at.account,
        at.cost_center,
        at.department,
        at.partner,
        at.dimensions,
        line.currency if isinstance(line, Posting) else line.unit,
        line.amount_minor if isinstance(line, Posting) else line.quantity_minor,
        line.text,
        line.tax_code if isinstance(line, Posting) else "",
        line.local if isinstance(line, Posting) else None,
        isinstance(line, StatisticalLine),
        refs[:_REFS],
        refs[_REFS:],
    )


def _ref(ref: str, known: Mapping[str, int]) -> Ref:
    label, _colon, number = ref.partition(":")
    if label not in known:
        return Ref(ref)
    if number.isascii() and number.isdigit():
        return Ref(ref, reverse("line", args=[known[label], int(number)]))
    return Ref(ref, reverse("document", args=[known[label]]))


def refused_lines(error: ApportionError, found: Journal | None) -> list[Fault]:
    """A refusal as a repair list: each mistake by its line, or the one sentence that it is."""
    if isinstance(error, UnmappedError) and error.groups:
        return _unmapped(error)
    if not isinstance(error, DocumentError):
        where = str(error.place) if error.place is not None else ""
        return [Fault(where, "", error.code, error.sentence, error.advice)]
    places = _first_places(found)
    return [
        _fault(places, each.place.file, each.place.row, each.place.field, each.code, each.sentence, each.advice)
        for each in error.mistakes
    ]


def _unmapped(error: UnmappedError) -> list[Fault]:
    """Each cost group that lacks codes, with its page. One query."""
    codes = [code for code, _missing in error.groups]
    rows = CostGroup.objects.filter(code__in=codes, is_current=True).values_list("code", "pk", "name")
    known = {code: (pk, name) for code, pk, name in rows}
    made = []
    for code, missing in error.groups:
        pk, name = known.get(code, (0, code))
        lacks = _("It has no %s.") % ", ".join(journal_words.field(each.replace(" ", "_")) for each in missing)
        url = reverse("group", args=[pk]) if pk else ""
        made.append(Fault(f"{name} ({code})" if name != code else code, url, error.code, lacks, error.advice))
    return made


def repair(row: LedgerJournal, found: Journal) -> list[Fault]:
    """What the ledger refused at the last push."""
    places = _first_places(found)
    return [
        _fault(places, each["entry"], each["line"] or None, "", each["code"], each["sentence"], each["advice"])
        for each in row.repair
    ]


def _first_places(found: Journal | None) -> Mapping[str, int]:
    """The place of the first line of each entry."""
    places, place = {}, 1
    entries: list[Entry | StatisticalEntry] = [*found.entries, *found.statistical] if found is not None else []
    for entry in entries:
        places[entry.id] = place
        place += len(_of(entry))
    return places


def _fault(
    places: Mapping[str, int], entry: str, line: int | None, field: str, code: str, sentence: str, advice: str
) -> Fault:
    first = places.get(entry)
    place = first + line - 1 if first and line else first
    where = entry
    if line:
        where = _("%(entry)s, line %(line)d") % {"entry": entry, "line": line}
    if field:
        where = f"{where}, {journal_words.field(field)}"
    url = f"?page={(place - 1) // ON_A_PAGE + 1}#line-{place}" if place else ""
    return Fault(where, url, code, sentence, advice)


def steps(row: LedgerJournal, *, is_pushed: bool) -> list[Step]:
    """How far it has come: four steps, and a fifth where it was taken back. One query, for who ended it."""
    acts = {
        entry.act: entry
        for entry in AuditEntry.objects.filter(subject_kind="ledgerjournal", subject_id=str(row.pk)).order_by("number")
    }
    posted = acts.get("confirm posted") or acts.get("journal was pushed")
    handed = _("Pushed to the ledger") if is_pushed else _("Files handed over")
    made = [
        _step(_("Drawn up"), row.drawn_up_at, str(row.drawn_up_by)),
        _step(_("Approved by a second person"), row.approved_at, str(row.approved_by or "")),
        _step(handed, row.handed_over_at, str(row.handed_over_by or "")),
        _step(_("Posted in the ledger"), row.posted_at, posted.person_name if posted else "", row.reference),
    ]
    if row.state == JournalState.WITHDRAWN:
        last = acts.get("withdraw journal")
        made = [each for each in made if each.is_done]
        made.append(Step(_("Withdrawn"), "ban", "bad", _("Ended"), last.person_name if last else "", row.ended_at,
                         row.reason))  # fmt: skip
    elif row.state == JournalState.REVERSED:
        made.append(Step(_("Reversed by another journal"), "arrow-back-up", "bad", _("Ended"), "", row.ended_at))
    return made


def _step(words: str | _StrPromise, at: datetime | None, by: str, text: str = "") -> Step:
    if at is None:
        return Step(str(words), "circle-dashed", "quiet", _("Later"))
    return Step(str(words), "circle-check", "good", _("Done"), by, at, text)
