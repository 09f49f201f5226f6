"""The frame of every act: who acts, one transaction, and the entry in the audit chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import models, transaction
from django.utils import timezone

from apportion.errors import ApportionError, NotFoundError
from apportion.records.audit import AuditEntry, AuditHead
from apportion.records.chain import BEGINNING, canonical, entry_hash
from apportion.records.kinds import NAME_LENGTH
from apportion.records.people import Person
from apportion.records.rights import NOBODY, Rights, rights_of

_Model = TypeVar("_Model", bound=models.Model)


class SamePersonError(ApportionError):
    """Whoever prepared something may not approve it."""

    code = "SAME_PERSON"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, with which rights, and how the request is known in logs. `person` is None for a timer."""

    person: Person | None
    rights: Rights
    via: str  # web, api, cli or timer
    request_id: str = ""
    address: str = ""

    @property
    def name(self) -> str:
        """The name that the audit chain keeps, with whom it stands in for."""
        name = str(self.person) if self.person else "Apportion"
        return f"{name} (for {', '.join(self.rights.standing_in)})" if self.rights.standing_in else name


def actor_of(person: Person, via: str, request_id: str = "", address: str = "") -> Actor:
    """A person acting now, with the rights of today."""
    return Actor(person, rights_of(person), via, request_id, address)


def timer() -> Actor:
    """The clock: it may do only what needs no permission."""
    return Actor(None, NOBODY, "timer")


@dataclass(slots=True)
class Record:
    """What an act was about and changed; filled in while it happens. Without a subject nothing is written."""

    subject_kind: str = ""
    subject_id: str = ""
    subject: str = ""
    before: dict[str, object] = field(default_factory=dict)
    after: dict[str, object] = field(default_factory=dict)

    def about(self, row: models.Model, kind: str = "") -> None:
        """Name the subject: a saved row of the books."""
        self.subject_kind = kind or row._meta.model_name or ""
        self.subject_id, self.subject = str(row.pk), str(row)[:NAME_LENGTH]

    def changed(self, before: Mapping[str, object], after: Mapping[str, object]) -> None:
        """Add what was and what is."""
        self.before.update(before)
        self.after.update(after)


@contextmanager
def recorded(actor: Actor, act: str, *, reason: str = "") -> Iterator[Record]:
    """One transaction with one audit entry; an error inside leaves neither."""
    with transaction.atomic():
        record = Record()
        yield record
        if record.subject_kind:
            append(actor, act, record, reason)


def append(actor: Actor, act: str, record: Record, reason: str = "") -> AuditEntry:
    """Add an entry to the chain, inside the caller's transaction. The head is locked last and shortly."""
    head, _ = AuditHead.objects.select_for_update().get_or_create(pk=1)
    entry = AuditEntry(
        number=head.number + 1,
        at=timezone.now(),
        person=actor.person,
        person_name=actor.name[:NAME_LENGTH],
        via=actor.via,
        act=act,
        subject_kind=record.subject_kind,
        subject_id=record.subject_id,
        subject=record.subject,
        before=canonical(record.before),
        after=canonical(record.after),
        reason=reason,
        request_id=actor.request_id,
        address=actor.address,
        previous_hash=head.hash or BEGINNING,
    )
    entry.hash = entry_hash(entry)
    entry.save(force_insert=True)
    head.number, head.hash = entry.number, entry.hash
    head.save(update_fields=["number", "hash"])
    return entry


def refused(actor: Actor, act: str, error: ApportionError, record: Record) -> None:
    """Note an attempt that was refused and that an auditor would want to see. Not inside another transaction."""
    record.after = {"code": error.code, "sentence": error.sentence}
    with transaction.atomic():
        append(actor, f"refused: {act}"[:60], record)


def locked(model: type[_Model], pk: Any) -> _Model:
    """The row, locked until the transaction ends. Raises `NotFoundError`."""
    manager: models.Manager[_Model] = model._default_manager
    row = manager.select_for_update().filter(pk=pk).first()
    if row is None:
        raise NotFoundError("What this is about does not exist.", advice="It may be an old link: begin at the list.")
    return row


def require_second_person(actor: Actor, *prepared_by: int | None) -> None:
    """Raises `SamePersonError` where the actor is one of those who prepared it."""
    if actor.person is not None and actor.person.pk in prepared_by:
        raise SamePersonError(
            "You prepared this yourself, so somebody else has to approve it.",
            advice="Ask another person with this right, or a deputy that an absent one has named.",
        )


def person_of(actor: Actor) -> Person:
    """The person behind an act that a timer cannot do."""
    if actor.person is None:
        raise SamePersonError("A timer cannot do this.", advice="Sign in and do it as yourself.")
    return actor.person
