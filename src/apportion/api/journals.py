"""Journals: the list, one with its content, its files, and the acts that bring it into the ledger or out again."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from apportion.actions import work_kinds
from apportion.actions.acting import Actor
from apportion.actions.post import handing_over, journal_reading, journals, ledgers
from apportion.actions.post.push_book import unsent
from apportion.actions.workspace import workspace
from apportion.api.auth import Request
from apportion.api.incoming import Incoming
from apportion.api.periods import WorkOut, work_shape
from apportion.api.reviews import Why
from apportion.api.route import route
from apportion.api.shapes import (
    Instant,
    Money,
    Named,
    Number,
    Page,
    Paging,
    PeriodText,
    Short,
    by_currency,
    money,
    named,
    paged,
    period_of,
)
from apportion.errors import NotFoundError
from apportion.post.erp.book import PushState
from apportion.post.formats import json_text
from apportion.post.journal import Journal
from apportion.post.lifecycle import PENDING, PERMISSION, JournalAct, JournalKind, JournalState, acts
from apportion.records.attachments import headers
from apportion.records.journals import LedgerJournal
from apportion.records.rule import Reach
from apportion.records.work import Work
from apportion.review.permission import Permission

router = Router(tags=["journals"])
_SEE, _POST = Permission.SEE_CLOSE, Permission.POST
_FILE = "application/octet-stream"
_ROWS = ("drawn_up_by", "approved_by", "handed_over_by", "reverses")
_Drawn = Literal["transfer", "provider", "accrual", "true_up", "prepaid", "remainder", "showback"]


class JournalName(Schema):
    """A journal, by number and what it is called."""

    id: int
    label: str


class RefusedLine(Schema):
    """A line that the ledger refused at the last push; 0 is the entry as a whole."""

    entry: str
    company: str
    line: int
    code: str
    sentence: str
    advice: str


class JournalOut(Schema):
    """A journal and how far it has come."""

    id: int
    label: str = Field(description="Its number; before it is approved, its id")
    number: str | None = Field(description="Taken when it is approved, without gaps")
    journal_id: str
    period: str
    kind: JournalKind
    target: str
    state: JournalState
    sha256: str = Field(description="Over everything that is in it; never changes")
    debit: list[Money] = Field(description="What it moves: all its debits, and all its credits are as much")
    drawn_up_at: Instant
    drawn_up_by: Named | None
    approved_at: Instant | None
    approved_by: Named | None
    handed_over_at: Instant | None
    handed_over_by: Named | None
    posted_at: Instant | None
    ended_at: Instant | None = Field(description="When it was withdrawn or reversed")
    reason: str
    reference: str = Field(description="What the ledger calls its posting")
    reverses: JournalName | None
    repair: list[RefusedLine]


class JournalBalance(Schema):
    """Debits and credits of a company; `own` where they are in the company's own currency."""

    company: str
    lines: int
    debit: Money
    credit: Money
    difference: Money
    own: bool


class JournalPush(Schema):
    """How far a company's part of an entry is in the ledger, as it was seen there last."""

    entry: str
    company: str
    state: PushState
    key: str
    number: str
    detail: str


class JournalFileOut(Schema):
    """A file that was handed over."""

    name: str
    size: int
    sha256: str


class JournalWhole(JournalOut):
    """With its content, its balance, its way into the ledger, and what the caller may do."""

    balances: list[JournalBalance]
    pushes: list[JournalPush]
    files: list[JournalFileOut]
    documents: int
    reversed_by: list[JournalName]
    may: list[str]
    journal: dict[str, Any] = Field(description="As journal files in JSON are written")


class JournalFilter(Paging):
    """Which journals. Filters add up."""

    period: PeriodText | None = None
    kind: JournalKind | None = None
    target: Short | None = None
    state: JournalState | None = None
    waits: bool | None = Field(None, description="Only those that are not posted yet, or only those that are at an end")


@route(router, "GET", "/journals", Reach.EVERYWHERE, _SEE, gives=Page[JournalOut])
def list_journals(request: Request, wanted: Query[JournalFilter]) -> dict[str, object]:
    """List journals, the newest first."""
    exact = {"period": wanted.period, "kind": wanted.kind, "target": wanted.target, "state": wanted.state}
    rows = journals.journals().filter(**{name: value for name, value in exact.items() if value is not None})
    if wanted.waits is not None:
        rows = rows.filter(state__in=PENDING) if wanted.waits else rows.exclude(state__in=PENDING)
    first = (wanted.page - 1) * wanted.limit
    journal_reading.debits(rows[first : first + wanted.limit])  # kept, so that no row asks for its own
    return paged(request, rows, wanted, _shape)


@route(router, "GET", "/journals/{journal}", Reach.EVERYWHERE, _SEE, gives=JournalWhole)
def get_journal(request: Request, journal: Number) -> JournalWhole:
    """Get a journal with all of its content."""
    row = _row(journal)
    found = journal_reading.read(row)
    reversals = row.reversals.exclude(state=JournalState.WITHDRAWN).defer("body")
    return JournalWhole(
        **_fields(row),
        balances=[
            JournalBalance(
                company=each.company,
                lines=each.lines,
                debit=money(each.debit_minor, each.currency),
                credit=money(each.credit_minor, each.currency),
                difference=money(each.difference_minor, each.currency),
                own=each.own,
            )
            for each in journal_reading.balances(found)
        ],
        pushes=[
            JournalPush(
                entry=each.entry,
                company=each.company,
                state=PushState(each.state),
                key=each.key,
                number=each.number,
                detail=each.detail,
            )
            for each in journal_reading.pushes(row, found)
        ],
        files=[
            JournalFileOut(name=each.name, size=each.size, sha256=each.sha256) for each in journal_reading.files(row)
        ],
        documents=journal_reading.documents(row).count() if row.kind == JournalKind.TRANSFER else 0,
        reversed_by=[JournalName(id=each.pk, label=str(each)) for each in reversals],
        may=_may(request.actor, row, found, has_reversal=bool(reversals)),
        journal=json_text.document(found),
    )


@route(
    router, "GET", "/journals/{journal}/files/{name}", Reach.EVERYWHERE, _SEE, files={_FILE: "As it was handed over"}
)
def download_journal_file(request: Request, journal: Number, name: str) -> HttpResponse:
    """Download a file of a journal that was exported: the same bytes every time."""
    return HttpResponse(journal_reading.file(_row(journal), name), headers=headers(name, _FILE))


class DrawnUp(Schema):
    """The journal; a long one is being made by `work`, and then `journal` is null."""

    journal: JournalOut | None
    work: WorkOut | None


class JournalWanted(Incoming):
    """Which journal to draw up; without a target, for the first that takes the kind."""

    kind: _Drawn = "transfer"
    target: Short = ""


@route(router, "POST", "/periods/{period}/journals", Reach.EVERYWHERE, _POST, gives=DrawnUp)
def draw_up_journal(request: Request, period: PeriodText, body: JournalWanted) -> DrawnUp:
    """Draw a journal up from what waits. A second person approves it."""
    made = work_kinds.draw_up_or_ask(request.actor, period_of(period), JournalKind(body.kind), body.target)
    if isinstance(made, Work):
        return DrawnUp(journal=None, work=work_shape(made))
    return DrawnUp(journal=_now(made.pk), work=None)


@route(router, "POST", "/journals/{journal}/approve", Reach.EVERYWHERE, _POST, gives=JournalOut)
def approve_journal(request: Request, journal: Number) -> JournalOut:
    """Approve a journal that somebody else has drawn up."""
    return _now(journals.approve(request.actor, journal).pk)


class ExportedJournal(Schema):
    """The journal, and the names of its files."""

    journal: JournalOut
    files: list[str]


@route(router, "POST", "/journals/{journal}/export", Reach.EVERYWHERE, _POST, gives=ExportedJournal)
def export_journal(request: Request, journal: Number) -> ExportedJournal:
    """Write the files of an approved journal. Once more gives the same files."""
    row, paths = handing_over.export(request.actor, journal)
    return ExportedJournal(journal=_now(row.pk), files=[path.name for path in paths])


class PushedJournal(Schema):
    """What came of a push; a long one is being done by `work`. What was refused is in the journal's `repair`."""

    journal: JournalOut
    work: WorkOut | None


@route(router, "POST", "/journals/{journal}/push", Reach.EVERYWHERE, _POST, gives=PushedJournal)
def push_journal(request: Request, journal: Number) -> PushedJournal:
    """Push an approved journal into its ledger, or complete what an earlier push has begun."""
    done = work_kinds.push_or_ask(request.actor, journals.journal_row(journal))
    return PushedJournal(journal=_now(journal), work=work_shape(done) if isinstance(done, Work) else None)


class JournalConfirmation(Incoming):
    """What the ledger calls its posting."""

    reference: Short


@route(router, "POST", "/journals/{journal}/confirm", Reach.EVERYWHERE, _POST, gives=JournalOut)
def confirm_journal(request: Request, journal: Number, body: JournalConfirmation) -> JournalOut:
    """Say that the ledger has taken a journal, where the ledger does not say so itself."""
    return _now(handing_over.confirm(request.actor, journal, body.reference).pk)


@route(router, "POST", "/journals/{journal}/withdraw", Reach.EVERYWHERE, _POST, gives=JournalOut)
def withdraw_journal(request: Request, journal: Number, body: Why) -> JournalOut:
    """Give up a journal that is not posted; its documents wait again."""
    return _now(journals.withdraw(request.actor, journal, body.reason).pk)


@route(router, "POST", "/journals/{journal}/reverse", Reach.EVERYWHERE, _POST, gives=JournalOut)
def reverse_journal(request: Request, journal: Number, body: Why) -> JournalOut:
    """Draw up the journal that takes a posted one back; gives the new one."""
    return _now(journals.draw_up_reversal(request.actor, journal, body.reason).pk)


def _row(journal: int) -> LedgerJournal:
    row = LedgerJournal.objects.select_related(*_ROWS).filter(pk=journal).first()
    if row is None:
        raise NotFoundError("There is no such journal.", advice="Look at the list.")
    return row


def _now(journal: int) -> JournalOut:
    return _shape(_row(journal))


def _shape(row: LedgerJournal) -> JournalOut:
    return JournalOut(**_fields(row))


def _fields(row: LedgerJournal) -> dict[str, Any]:
    return {
        "id": row.pk,
        "label": str(row),
        "number": row.label,
        "journal_id": row.journal_id,
        "period": row.period,
        "kind": JournalKind(row.kind),
        "target": row.target,
        "state": JournalState(row.state),
        "sha256": row.digest,
        "debit": by_currency(journal_reading.debits([row])[row.pk]),
        "drawn_up_at": row.drawn_up_at,
        "drawn_up_by": named(row.drawn_up_by),
        "approved_at": row.approved_at,
        "approved_by": named(row.approved_by),
        "handed_over_at": row.handed_over_at,
        "handed_over_by": named(row.handed_over_by),
        "posted_at": row.posted_at,
        "ended_at": row.ended_at,
        "reason": row.reason,
        "reference": row.reference,
        "reverses": JournalName(id=row.reverses.pk, label=str(row.reverses)) if row.reverses else None,
        "repair": [RefusedLine(**each) for each in row.repair],
    }


def _may(actor: Actor, row: LedgerJournal, found: Journal, *, has_reversal: bool) -> list[str]:
    """What the caller could do with it as it stands; each is the last part of the route's address."""
    if not actor.rights.may(PERMISSION):
        return []
    is_own = actor.person is not None and actor.person.pk == row.drawn_up_by_id
    settings = workspace().settings
    is_pushed = ledgers.is_pushed(settings, row.target)
    never = {
        JournalAct.APPROVE: is_own,
        JournalAct.CONFIRM: ledgers.answers(settings, row.target) or (is_pushed and bool(unsent(row.target, found))),
        JournalAct.REVERSE: has_reversal,
    }
    left = [act for act in acts(JournalState(row.state)) if not never.get(act, False)]
    return [("push" if is_pushed else "export") if act is JournalAct.HAND_OVER else str(act) for act in left]
