"""Looking into the audit chain: finding entries, proving that the chain holds, and taking entries out as a file.

Nothing here changes an entry. Proving the chain and taking entries out are themselves entries: an auditor wants to know
who looked, at what, and what they found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from itertools import chain as joined
from typing import Literal

from django.db.models import CharField, Q, QuerySet
from django.db.models.functions import Cast
from django.utils import timezone

from apportion.actions.acting import Actor, recorded
from apportion.actions.working import Kind, Progress, Result, enqueue, register
from apportion.invoice.render.csv_text import guarded, table
from apportion.records import chain
from apportion.records.audit import AuditEntry, AuditHead
from apportion.records.disputes import Dispute
from apportion.records.documents import Document
from apportion.records.work import Work
from apportion.review.permission import Permission

VERIFY = "verify audit"
EXPORT = "export audit"
AT_ONCE = 20_000  # entries that are proved while a page waits
FIELDS = (
    "number at person_id person_name via act subject_kind subject_id subject before after reason request_id address "
    "previous_hash hash"
).split()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: every field that is not empty narrows them. Days are those of the site's time zone, both included.

    `person` is a part of a name; `subject_kind` and `subject_id` name one thing, `subject` is a part of what it is
    called. `period` is a billing period: its close, its documents and their disputes. `text` stands in the reason, or
    in what was or is.
    """

    person: str = ""
    act: str = ""
    subject_kind: str = ""
    subject_id: str = ""
    subject: str = ""
    period: str = ""
    from_on: date | None = None
    until_on: date | None = None
    text: str = ""

    def as_text(self) -> dict[str, str]:
        """What was asked for, for the audit chain and for addresses."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: str(value) for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class Proof:
    """What the last walk along the chain found: up to which entry it held, when, and who looked."""

    number: int
    hash: str
    at: datetime
    by: str
    breaks: tuple[str, ...]


def entries(actor: Actor, wanted: Wanted) -> QuerySet[AuditEntry]:
    """The entries that are wanted, the latest first. Raises `ForbiddenError`."""
    actor.rights.require(Permission.SEE_AUDIT)
    rows = AuditEntry.objects.order_by("-number")
    if wanted.person:
        rows = rows.filter(person_name__icontains=wanted.person)
    for name in ("act", "subject_kind", "subject_id"):
        if value := getattr(wanted, name):
            rows = rows.filter(**{name: value})
    if wanted.subject:
        rows = rows.filter(subject__icontains=wanted.subject)
    if wanted.period:
        rows = rows.filter(_of_period(wanted.period))
    if wanted.from_on is not None:
        rows = rows.filter(at__gte=_midnight(wanted.from_on))
    if wanted.until_on is not None:
        rows = rows.filter(at__lt=_midnight(min(wanted.until_on, _LAST) + timedelta(days=1)))
    if wanted.text:
        said = Q(reason__icontains=wanted.text) | Q(before__icontains=wanted.text) | Q(after__icontains=wanted.text)
        rows = rows.filter(said)
    return rows


def proof() -> Proof | None:
    """The last walk along the chain; None where nobody has looked yet. One query."""
    entry = AuditEntry.objects.filter(act=VERIFY).order_by("-at", "-number").first()
    if entry is None:
        return None
    found = json.loads(entry.after)
    return Proof(found["entries"], found["hash"], entry.at, entry.person_name, tuple(found["breaks"]))


def verify(actor: Actor) -> Proof:
    """Walk along the whole chain, and note in it what was found. Raises `ForbiddenError`."""
    actor.rights.require(Permission.SEE_AUDIT)
    found = chain.verify()
    breaks = [f"Entry {each.number}: {each.sentence}" for each in found.breaks]
    with recorded(actor, VERIFY) as record:
        record.subject_kind, record.subject_id, record.subject = "audit", str(found.entries), "audit chain"
        record.changed({}, {"entries": found.entries, "hash": found.hash, "holds": not breaks, "breaks": breaks[:100]})
    return Proof(found.entries, found.hash, timezone.now(), actor.name, tuple(breaks))


def verify_or_ask(actor: Actor) -> Proof | Work:
    """Prove a short chain now, and have a long one proved in the background. Raises `ForbiddenError`."""
    actor.rights.require(Permission.SEE_AUDIT)
    head = AuditHead.objects.filter(pk=1).first()
    return verify(actor) if head is None or head.number <= AT_ONCE else enqueue(actor, VERIFY)


def export(actor: Actor, wanted: Wanted, kind: Literal["csv", "jsonl"]) -> Iterator[str]:
    """The wanted entries as text, piece by piece, in the order of their numbers; that they were taken is an entry.

    CSV has a line of names first, and nothing in it begins a formula; JSON lines hold the fields exactly. Both have
    every hash, so that whoever has all entries can prove the chain without the books. Raises `ForbiddenError`.
    """
    rows = entries(actor, wanted).order_by("number")
    last = AuditHead.objects.filter(pk=1).values_list("number", flat=True).first() or 0
    rows = rows.filter(number__lte=last)
    with recorded(actor, EXPORT) as record:
        record.subject_kind, record.subject_id, record.subject = "audit", str(last), "audit chain"
        record.changed({}, {"format": kind, "entries": rows.count(), "up_to": last, "wanted": wanted.as_text()})
    return texts(rows.iterator(chunk_size=2000), kind)


def texts(rows: Iterator[AuditEntry], kind: Literal["csv", "jsonl"]) -> Iterator[str]:
    """Entries as text, line by line, with every field; see `export`."""
    return _csv(rows) if kind == "csv" else _json(rows)


# Farther away, a day in one zone is no instant in another.
_FIRST, _LAST = date(2, 1, 1), date(9998, 12, 31)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(min(max(day, _FIRST), _LAST), time.min))


def _of_period(period: str) -> Q:
    """Entries keep what they are about as text: no foreign key could hold the chain back."""
    documents = Document.objects.filter(period=period).annotate(said=Cast("pk", CharField()))
    disputes = Dispute.objects.filter(document__period=period).annotate(said=Cast("pk", CharField()))
    return (
        Q(subject_kind="close", subject=period)
        | Q(subject_kind="document", subject_id__in=documents.values("said"))
        | Q(subject_kind="dispute", subject_id__in=disputes.values("said"))
    )


def values(entry: AuditEntry) -> Mapping[str, object]:
    """The fields of an entry as they leave the books; the instant in UTC to the microsecond."""
    return {name: chain.instant(entry.at) if name == "at" else getattr(entry, name) for name in FIELDS}


def _json(rows: Iterator[AuditEntry]) -> Iterator[str]:
    for entry in rows:
        yield json.dumps(values(entry), ensure_ascii=False) + "\n"


def _csv(rows: Iterator[AuditEntry]) -> Iterator[str]:
    lines = ([guarded(str(value)) for value in values(entry).values()] for entry in rows)
    return (table(line, ()) for line in joined([FIELDS], lines))


def _run(actor: Actor, _work: Work, progress: Progress) -> Result:
    progress(0, 0, "Walking along the audit chain")
    found = verify(actor)
    return {"entries": found.number, "hash": found.hash, "breaks": list(found.breaks)}


register(Kind(VERIFY, Permission.SEE_AUDIT, _run))
