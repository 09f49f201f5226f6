"""What people and programs are shown of a journal: balances, what stays with the payer, its files, pushes, documents.

Reads only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from django.db.models import Count, QuerySet, Sum

from apportion.actions.post import handing_over, ledgers
from apportion.actions.post.journals import content
from apportion.actions.workspace import workspace
from apportion.allocate.rule import Holder
from apportion.errors import ConservationError, NotFoundError
from apportion.invoice.paper import PaperKind
from apportion.ledger.entry import Posting as Line
from apportion.money.amount import half_even
from apportion.periods import BillingPeriod
from apportion.post.formats.reading import minor
from apportion.post.journal import Journal
from apportion.post.lifecycle import JournalState, JournalStateError
from apportion.records.documents import Document, DocumentTotal
from apportion.records.journals import LedgerJournal, LedgerPush
from apportion.review.states import Issue, Posting, Review

_MILLION = 10**6
_READ = 4  # long journals that are kept read
_SUMS = 2_000  # journals whose sums are kept
_debits: dict[str, dict[str, int]] = {}
_ACCEPTED = (Review.ACCEPTED, Review.DEEMED)


@dataclass(frozen=True, slots=True)
class Balance:
    """Debits and credits of a company in a currency, minor units without a sign. `own`: in its own currency."""

    company: str
    currency: str
    lines: int
    debit_minor: int
    credit_minor: int
    own: bool = False

    @property
    def difference_minor(self) -> int:
        """Zero, or the journal is none."""
        return self.debit_minor - self.credit_minor


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is counted for a company in a unit: no money, and it need not balance."""

    company: str
    unit: str
    lines: int
    quantity_minor: int


@dataclass(frozen=True, slots=True)
class Stay:
    """What is out for a period in one currency, minor units, by where it is: with the payer, or passed on.

    `here` is accepted and waits for this journal; `elsewhere` is in other journals, posted or on its way.
    """

    currency: str
    here: int = 0
    elsewhere: int = 0
    awaiting: int = 0
    disputed: int = 0
    showback: int = 0
    unallocated: int = 0
    kept_central: int = 0

    @property
    def whole(self) -> int:
        """All that is out."""
        return self.here + self.elsewhere + self.stays

    @property
    def stays(self) -> int:
        """What no journal takes off the payer."""
        return self.awaiting + self.disputed + self.showback + self.unallocated + self.kept_central

    @property
    def stays_ppm(self) -> int | None:
        """Its part of the whole in millionths; None where there is no whole."""
        return half_even(self.stays * _MILLION, self.whole) if self.whole > 0 else None


@dataclass(frozen=True, slots=True)
class File:
    """A file of a journal as it was handed over."""

    name: str
    size: int
    sha256: str


def read(row: LedgerJournal) -> Journal:
    """The journal itself, like `journals.content`; the longest take a second to read, so the last few are kept."""
    return _read(row.body, row.digest, str(row))


@lru_cache(maxsize=_READ)
def _read(body: str, digest: str, label: str) -> Journal:
    return content(LedgerJournal(body=body, digest=digest, journal_id=label))


def balances(found: Journal) -> tuple[Balance, ...]:
    """By company and currency; then by company in its own currency, where lines are given in it.

    Added up from the lines, not taken from anywhere. Raises `ConservationError` where a difference is not zero.
    """
    sums: dict[tuple[str, str, bool], list[int]] = {}
    own = {line.company: line.local.currency for entry in found.entries for line in entry.postings if line.local}
    for entry in found.entries:
        for line in entry.postings:
            _add(sums, (line.company, line.currency, False), line.amount_minor)
            if line.company in own:
                _add(sums, (line.company, own[line.company], True), _own_minor(line))
    made = tuple(
        Balance(company, currency, count, debit, credit, is_own)
        for (company, currency, is_own), (count, debit, credit) in sorted(sums.items())
    )
    if any(each.difference_minor for each in made):
        raise ConservationError(f"Journal {found.id} does not balance.")
    return made


def _own_minor(line: Line) -> int:
    return line.local.amount_minor if line.local else line.amount_minor


def _add(sums: dict[tuple[str, str, bool], list[int]], key: tuple[str, str, bool], minor: int) -> None:
    into = sums.setdefault(key, [0, 0, 0])
    into[0] += 1
    into[1 if minor > 0 else 2] += abs(minor)


def quantities(found: Journal) -> tuple[Quantity, ...]:
    """What its statistical lines count, by company and unit."""
    sums: dict[tuple[str, str], list[int]] = {}
    for entry in found.statistical:
        for line in entry.lines:
            into = sums.setdefault((line.company, line.unit), [0, 0])
            into[0] += 1
            into[1] += line.quantity_minor
    return tuple(Quantity(*key, count, total) for key, (count, total) in sorted(sums.items()))


def debits(rows: Iterable[LedgerJournal]) -> dict[int, dict[str, int]]:
    """What each journal moves: all its debits by currency, in minor units. At most one query.

    What a digest stands for never changes, so sums are kept by it, and lists need no bodies.
    """
    rows = list(rows)
    missing = [row.pk for row in rows if row.digest not in _debits]
    if missing:
        if len(_debits) > _SUMS:
            _debits.clear()
        for digest, body in LedgerJournal.objects.filter(pk__in=missing).values_list("digest", "body"):
            _debits[digest] = _debits_in(body)
    return {row.pk: _debits.get(row.digest, {}) for row in rows}


def _debits_in(body: str) -> dict[str, int]:
    """Quicker than `read`: nothing is checked, as is done wherever more than a sum is shown."""
    sums: dict[str, int] = {}
    for entry in json.loads(body)["entries"]:
        for line in entry["postings"]:
            if not line["amount"].startswith("-"):
                currency = line["currency"]
                sums[currency] = sums.get(currency, 0) + minor(line["amount"], currency)
    return sums


def lines_of(found: Journal) -> int:
    """How many lines it has, of money and of quantities."""
    return sum(len(entry.postings) for entry in found.entries) + sum(len(entry.lines) for entry in found.statistical)


def staying(period: BillingPeriod) -> tuple[Stay, ...]:
    """Where all that is out for a period stands, by currency. One query."""
    rows = (
        DocumentTotal.objects.filter(document__period=str(period), document__issue_state=Issue.ISSUED)
        .values_list(
            "currency",
            "document__kind",
            "document__holder",
            "document__showback",
            "document__review_state",
            "document__posting_state",
        )
        .annotate(minor=Sum("amount_minor"))
        .order_by()
    )
    sums: dict[str, dict[str, int]] = {}
    for currency, kind, holder, showback, review, posting, more in rows:
        into = sums.setdefault(currency, {})
        where = _where(kind, holder, review, posting, showback=showback)
        into[where] = into.get(where, 0) + more
    return tuple(Stay(currency, **sums[currency]) for currency in sorted(sums))


def _where(kind: str, holder: str, review: str, posting: str, *, showback: bool) -> str:
    if holder != Holder.COST_GROUP:
        return "kept_central" if holder == Holder.KEPT_CENTRAL else "unallocated"
    if showback or kind == PaperKind.STATEMENT:
        return "showback"
    if posting in (Posting.EXPORTED, Posting.POSTED):
        return "elsewhere"
    if review in _ACCEPTED:
        return "here"
    return "disputed" if review == Review.DISPUTED else "awaiting"


def folder(row: LedgerJournal) -> Path:
    """Where its files are."""
    return handing_over.folder_of(workspace(), row)


def files(row: LedgerJournal) -> tuple[File, ...]:
    """The files of a journal that was handed over to a target of files; none before, and none once withdrawn."""
    if not _has_files(row):
        return ()
    place = folder(row)
    if place.is_dir():
        there = {path.name: path.read_bytes() for path in place.iterdir() if _is_file(path)}
    else:  # the books were moved to another workspace: the journal gives the same files again
        there = dict(handing_over.rendered(row))
    return tuple(File(name, len(there[name]), sha256(there[name]).hexdigest()) for name in sorted(there))


def file(row: LedgerJournal, name: str) -> bytes:
    """One of them: the bytes that were handed over. Raises `JournalStateError` and `NotFoundError`."""
    if not _has_files(row):
        raise JournalStateError(
            f"Journal {row} has no files to take away.",
            advice="They are there once it is approved and exported, and as long as it is not withdrawn.",
        )
    place = folder(row)
    found = {path.name: path for path in place.iterdir() if _is_file(path)} if place.is_dir() else {}
    if name in found:
        return found[name].read_bytes()
    made = {} if found else handing_over.rendered(row)
    if name not in made:
        raise NotFoundError("This journal has no such file.", advice="Choose one on the journal's page.")
    return made[name]


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


def _has_files(row: LedgerJournal) -> bool:
    is_out = row.handed_over_at is not None and row.state != JournalState.WITHDRAWN
    settings = workspace().settings
    if row.target not in ledgers.targets(settings):  # what was written is still to be read, and nothing is made anew
        return is_out and folder(row).is_dir()
    return is_out and ledgers.of_files(settings, row.target)


def pushes(row: LedgerJournal, found: Journal) -> list[LedgerPush]:
    """The last push of each company's part of each entry; none where nothing was pushed. One query."""
    names = [entry.id for entry in found.entries]
    rows = LedgerPush.objects.filter(target=row.target, entry__in=names).order_by("entry", "company", "pk")
    return list({(each.entry, each.company): each for each in rows}.values())


def documents(row: LedgerJournal) -> QuerySet[Document]:
    """The documents that are in it: those that it took along, until it is withdrawn or a later journal takes them."""
    found = Document.objects.filter(period=row.period, journal=row.journal_id)
    return found if row.state != JournalState.WITHDRAWN else found.none()


def document_count(rows: Iterable[LedgerJournal]) -> dict[str, int]:
    """How many documents each journal has, by its id. One query."""
    ids = {row.journal_id for row in rows if row.state != JournalState.WITHDRAWN}
    if not ids:
        return {}
    found = Document.objects.filter(journal__in=ids).values_list("journal").annotate(count=Count("pk")).order_by()
    return dict(found)
