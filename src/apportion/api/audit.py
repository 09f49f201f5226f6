"""Who did what, when and why: filtered, exported and checked."""

from __future__ import annotations

import json
from typing import Any

from django.http import StreamingHttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from apportion.actions import auditing
from apportion.api.auth import Request
from apportion.api.incoming import Incoming
from apportion.api.periods import WorkOut, work_shape
from apportion.api.route import route
from apportion.api.shapes import Day, Instant, Number, Page, Paging, PeriodText, Short, paged
from apportion.errors import NotFoundError
from apportion.records.attachments import headers
from apportion.records.audit import AuditEntry
from apportion.records.rule import Reach
from apportion.review.permission import Permission

router = Router(tags=["audit"])
_SEE = Permission.SEE_AUDIT


class EntryOut(Schema):
    """One act; `hash` covers every other field and the hash of the entry before it."""

    number: int
    at: Instant
    person: int | None
    person_name: str
    via: str
    act: str
    subject_kind: str
    subject_id: str
    subject: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
    request_id: str
    address: str
    previous_hash: str
    hash: str


class AuditFilter(Incoming):
    """Which entries: filters add up. Days are those of the site's time zone, both included."""

    person: Short = Field("", description="Part of a name")
    act: Short = ""
    subject_kind: Short = ""
    subject_id: Short = ""
    subject: Short = Field("", description="Part of what it is called")
    period: PeriodText | None = Field(None, description="Its close, its documents and their disputes")
    from_on: Day | None = None
    until_on: Day | None = None
    text: Short = Field("", description="Part of the reason, or of what was or is")


class AuditPage(AuditFilter, Paging):
    """A page of them."""


def _entry(row: AuditEntry) -> EntryOut:
    found = {name: getattr(row, name) for name in EntryOut.model_fields if name not in {"person", "before", "after"}}
    return EntryOut(**found, person=row.person_id, before=json.loads(row.before), after=json.loads(row.after))


def _plain(wanted: AuditFilter) -> auditing.Wanted:
    return auditing.Wanted(
        person=wanted.person,
        act=wanted.act,
        subject_kind=wanted.subject_kind,
        subject_id=wanted.subject_id,
        subject=wanted.subject,
        period=wanted.period or "",
        from_on=wanted.from_on,
        until_on=wanted.until_on,
        text=wanted.text,
    )


@route(router, "GET", "/audit", Reach.EVERYWHERE, _SEE, gives=Page[EntryOut])
def list_audit(request: Request, wanted: Query[AuditPage]) -> dict[str, object]:
    """List entries of the audit chain, the latest first."""
    return paged(request, auditing.entries(request.actor, _plain(wanted)), wanted, _entry)


class ProofOut(Schema):
    """What a walk along the whole chain found."""

    holds: bool
    entries: int
    hash: str = Field(description="Of the last entry; kept elsewhere, it proves that none is cut off")
    breaks: list[str]
    at: Instant
    by: str


class Verified(Schema):
    """The proof of a short chain; for a long one the work that was asked for."""

    proof: ProofOut | None
    work: WorkOut | None


def _proof(found: auditing.Proof) -> ProofOut:
    return ProofOut(
        holds=not found.breaks,
        entries=found.number,
        hash=found.hash,
        breaks=[*found.breaks[:100]],
        at=found.at,
        by=found.by,
    )


@route(router, "POST", "/audit/verify", Reach.EVERYWHERE, _SEE, gives=Verified)
def verify_audit(request: Request) -> Verified:
    """Check every entry of the audit chain; that somebody looked is an entry too."""
    found = auditing.verify_or_ask(request.actor)
    if isinstance(found, auditing.Proof):
        return Verified(proof=_proof(found), work=None)
    return Verified(proof=None, work=work_shape(found))


@route(router, "GET", "/audit/proof", Reach.EVERYWHERE, _SEE, gives=Verified)
def get_audit_proof(request: Request) -> Verified:
    """Get what the last check of the audit chain found; null where nobody has looked yet."""
    found = auditing.proof()
    return Verified(proof=_proof(found) if found is not None else None, work=None)


@route(
    router,
    "GET",
    "/audit/export.jsonl",
    Reach.EVERYWHERE,
    _SEE,
    files={"application/x-ndjson": "An entry on each line"},
)
def export_audit_json(request: Request, wanted: Query[AuditFilter]) -> StreamingHttpResponse:
    """Export entries as lines of JSON, in the order of the chain; that they were taken is an entry too."""
    found = auditing.export(request.actor, _plain(wanted), "jsonl")
    return StreamingHttpResponse(found, headers=headers("audit.jsonl", "application/x-ndjson"))


@route(router, "GET", "/audit/export.csv", Reach.EVERYWHERE, _SEE, files={"text/csv": "An entry in each row"})
def export_audit_csv(request: Request, wanted: Query[AuditFilter]) -> StreamingHttpResponse:
    """Export entries as CSV, in the order of the chain; that they were taken is an entry too."""
    found = auditing.export(request.actor, _plain(wanted), "csv")
    return StreamingHttpResponse(found, headers=headers("audit.csv", "text/csv"))


@route(router, "GET", "/audit/{entry}", Reach.EVERYWHERE, _SEE, gives=EntryOut)
def get_audit_entry(request: Request, entry: Number) -> EntryOut:
    """Get an entry of the audit chain."""
    row = AuditEntry.objects.filter(pk=entry).first()
    if row is None:
        raise NotFoundError("There is no such entry.", advice="Look at the list.")
    return _entry(row)
