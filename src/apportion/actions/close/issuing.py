"""Issuing a period: every document of its run at once or none, numbered without a gap, once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import QuerySet
from django.utils import timezone

from apportion.actions.acting import Actor, person_of, recorded, require_second_person
from apportion.actions.close.charging import MONTHLY, charged
from apportion.actions.close.closing import close_of, require_open
from apportion.actions.close.numbering import Draft, put_out
from apportion.actions.moving import lock, move, situation
from apportion.actions.notices import telling
from apportion.actions.words import said
from apportion.actions.workspace import review_until, workspace
from apportion.allocate.rule import Holder, Target
from apportion.close import month as months
from apportion.close import papers as drafting
from apportion.close import run as runs
from apportion.close.month import Month
from apportion.close.run import Run
from apportion.invoice.paper import MonthTotal, Paper, PaperKind
from apportion.invoice.statement import Statement
from apportion.periods import BillingPeriod
from apportion.records import convert, reach
from apportion.records.closes import Close
from apportion.records.documents import Document, DocumentTotal
from apportion.review.permission import Permission
from apportion.review.states import Act, Issue, Review, Situation, StateError, step
from apportion.settings import Settings
from apportion.warehouse.store import Workspace

Progress = Callable[[int, int, str], None]
"""Parts done, parts in all, and what is being done."""


def silent(done: int, of: int, sentence: str) -> None:
    """A progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What an issue came to. `was_before`: these documents were out already, and nothing was done.

    `documents` are those of the period that are out now; `made` of them now, and `voided` that they took the place of.
    """

    close: Close
    documents: int
    made: int = 0
    voided: int = 0
    was_before: bool = False


def issue(actor: Actor, period: BillingPeriod, progress: Progress = silent, *, done: Month | None = None) -> Issued:
    """Issue all documents of a period's run. Pressed again, it gives what is out already and does nothing.

    `done` is what the period's run came to, where the caller has it at hand. After a new run of an issued period,
    documents whose lines are the same stay; the others are voided and replaced. Raises `ForbiddenError`;
    `SamePersonError` for whoever allocated the period; `StateError` where a step before is missing, or a document that
    would have to be replaced cannot be; `InputRefusedError` where the inputs changed since the run; `TieOutError`.
    Nothing is changed then.
    """
    person = person_of(actor)
    actor.rights.require(Permission.ISSUE)
    place = workspace()
    close = Close.objects.filter(period=str(period)).first() or Close(period=str(period))
    if (already := _already(close)) is not None:
        return already
    run = _issuable(actor, place, close)
    papers = list(_papers(place, run, progress, done))
    progress(len(papers), len(papers), "Giving out numbers")
    with recorded(actor, "issue") as record:
        close = close_of(period)
        if (already := _already(close)) is not None:
            return already  # somebody else was faster
        _recheck(actor, place, close, run, papers)
        before = {"run": close.issued_run_digest, "documents": _out(period).count()}
        made, voided = _put_out(actor, run.settings, close, papers)
        close.issued_run_digest = run.digest
        close.review_until = made[0].review_until if made else close.review_until
        close.issued_at = close.issued_at or timezone.now()
        close.issued_by = close.issued_by or person
        close.save(update_fields=["issued_run_digest", "review_until", "issued_at", "issued_by"])
        record.about(close)
        record.changed(before, _after(run, made, voided, _out(period).count()))
        telling.issued(made, actor)
    return Issued(close, _out(period).count(), len(made), len(voided))


def void(actor: Actor, document: int, reason: str) -> Document:
    """Take one document back that is not in the ledger. Its number stays taken; the next issue makes it anew.

    Raises `NotFoundError`, `ForbiddenError`, `SamePersonError`, `StateError` and `InputRefusedError` without a reason.
    """
    person_of(actor)
    reach.document(actor.rights, document)
    words = said(reason, "reason", "Say why: its recipient is told.")
    with recorded(actor, "void", reason=words) as record:
        row = lock(document)
        move(actor, row, Act.VOID, record)
        telling.voided([row], words, actor)
    return row


def _out(period: BillingPeriod) -> QuerySet[Document]:
    return Document.objects.filter(period=str(period), kind__in=MONTHLY, issue_state=Issue.ISSUED)


def _already(close: Close) -> Issued | None:
    """What is out, where that is all of the latest run."""
    if not close.issued_at or close.issued_run_digest != close.run_digest:
        return None
    count = _out(BillingPeriod.parse(close.period)).count()
    return Issued(close, count, was_before=True) if count == close.summary.get("statements") else None


def _issuable(actor: Actor, place: Workspace, close: Close) -> Run:
    """The run to issue from, after every check that needs no lock."""
    period = BillingPeriod.parse(close.period)
    if close.allocated_at is None:
        raise StateError(f"{period} has not been allocated.", advice="Allocate it first.")
    if close.data_complete_at is None:
        raise StateError(
            f"Nobody has said that the data of {period} is complete.", advice="Mark it complete once all is delivered."
        )
    require_open(place, close)
    require_second_person(actor, close.allocated_by_id)
    run = runs.up_to_date(place, period)
    _same_run(close, run)
    return run


def _same_run(close: Close, run: Run) -> None:
    if close.run_digest != run.digest:
        raise StateError(
            f"{close.period} was allocated anew since the books looked at it.",
            advice="Allocate it here, so that the books know who did.",
        )


def _papers(place: Workspace, run: Run, progress: Progress, known: Month | None) -> Iterator[Paper]:
    progress(0, 0, "Reading the run")
    done = known if known is not None and known.run.digest == run.digest else months.month(place, run)
    done.tie_out.require()
    in_chargeback = charged(run.period)
    progress(0, len(done.statements), "Working out why totals changed")
    made = drafting.papers(
        place,
        run,
        done.statements,
        kind_of=lambda code: PaperKind.INVOICE if code in in_chargeback else PaperKind.STATEMENT,
        former=_history(place, run.period),
    )
    for count, paper in enumerate(made, start=1):
        if count % 100 == 0:
            progress(count, len(done.statements), "Writing documents")
        yield paper


def _history(place: Workspace, period: BillingPeriod) -> dict[Target, list[MonthTotal]]:
    """What everybody carried in the eleven months before: as issued, or where nothing was, as allocated."""
    wanted, month = [], period
    for _ in range(drafting.HISTORY_MONTHS - 1):
        month = month.previous
        wanted.append(month)
    found: dict[Target, list[MonthTotal]] = defaultdict(list)
    issued = set()
    rows = DocumentTotal.objects.filter(
        document__period__in=[str(each) for each in wanted],
        document__kind__in=MONTHLY,
        document__issue_state=Issue.ISSUED,
    ).values_list("document__period", "document__holder", "document__cost_group__code", "currency", "amount_minor")
    for of, holder, code, currency, minor in rows:
        issued.add(of)
        found[Target(Holder(holder), code or "")].append(MonthTotal(of, currency, minor))
    for each in wanted:
        if str(each) not in issued and place.current_run(each) is not None:
            for statement in months.statements(runs.current(place, each)):
                found[statement.holder] += _totals(statement)
    return dict(found)


def _totals(statement: Statement) -> Iterator[MonthTotal]:
    return (MonthTotal(str(statement.period), total.currency, total.minor) for total in statement.totals)


def _recheck(actor: Actor, place: Workspace, close: Close, run: Run, papers: Sequence[Paper]) -> None:
    """Under the lock: has anything changed while the documents were being written?"""
    require_open(place, close)
    require_second_person(actor, close.allocated_by_id)
    _same_run(close, run)
    current = place.current_run(run.period)
    in_chargeback = charged(run.period)
    kinds_hold = all((paper.kind is PaperKind.INVOICE) == (paper.code in in_chargeback) for paper in papers)
    if current is None or current.name != run.digest or not kinds_hold:
        raise StateError(
            f"{run.period} was changed while its documents were being written.", advice="Look at it again, then issue."
        )


def _put_out(
    actor: Actor, settings: Settings, close: Close, papers: Sequence[Paper]
) -> tuple[list[Document], list[Document]]:
    """Save what is new, in place of what changed; gives both."""
    period = BillingPeriod.parse(close.period)
    out = {_holder(row): row for row in _out(period).select_for_update(of=("self",)).select_related("cost_group")}
    bodies = _bodies(period) if out else {}
    taken_back = _taken_back(period)
    states = step(Situation(PaperKind.STATEMENT), Act.ISSUE)
    drafts, replaced = [], []
    for paper in papers:
        old = out.pop(Target(Holder(paper.holder), paper.code), None)
        if old is not None and _is_same(bodies[old.pk], paper):
            continue
        if old is not None:
            replaced.append(old)
        holder = Target(Holder(paper.holder), paper.code)
        drafts.append(_draft(paper, close.allocated_by_id, old or taken_back.get(holder)))
    voided = [*replaced, *out.values()]
    _void(voided)
    if voided:
        why = f"{period} was allocated anew."
        telling.voided(voided, why, actor)
    made = put_out(actor, drafts, settings, review_until=review_until(settings), review=Review(states.review))
    return made, voided


def _holder(row: Document) -> Target:
    return Target(Holder(row.holder), row.cost_group.code if row.cost_group else "")


def _taken_back(period: BillingPeriod) -> dict[Target, Document]:
    """The last voided document of each holder."""
    rows = Document.objects.filter(period=str(period), kind__in=MONTHLY, issue_state=Issue.VOIDED)
    return {_holder(row): row for row in rows.select_related("cost_group").order_by("pk")}


def _bodies(period: BillingPeriod) -> dict[int, Paper]:
    return {row.pk: convert.paper(row) for row in _out(period).select_related("body").iterator(chunk_size=500)}


def _is_same(old: Paper, new: Paper) -> bool:
    """Whether its recipient would see the same: kind, coding and every line."""
    return (old.kind, old.coding, old.name, old.lines) == (new.kind, new.coding, new.name, new.lines)


def _draft(paper: Paper, prepared_by: int | None, old: Document | None) -> Draft:
    if old is not None:
        paper = replace(paper, note=f"This takes the place of {old.label}, which was voided.")
    before = {change.currency: change.before_minor for change in paper.changes}
    if not before:
        last = str(BillingPeriod.parse(paper.period).previous)
        before = {total.currency: total.minor for total in paper.history if total.period == last}
    return Draft(paper, prepared_by, about_id=old.pk if old else None, before=before)


def _void(documents: Sequence[Document]) -> None:
    """All of them or none. Raises `StateError` for the first that cannot be voided."""
    now = timezone.now()
    for row in documents:
        try:
            after = step(situation(row), Act.VOID)
        except StateError as error:
            raise StateError(
                f"{row} would change, but cannot be replaced. {error.sentence}",
                advice="Put it right with a credit note, or decide its disputes first.",
            ) from None
        row.issue_state, row.review_state, row.voided_at = after.issue, after.review, now
        row.save(update_fields=["issue_state", "review_state", "voided_at"])


def _after(run: Run, made: Sequence[Document], voided: Sequence[Document], count: int) -> Mapping[str, object]:
    numbers: dict[str, list[str]] = {}
    for row in made:
        series, _, number = str(row).rpartition("-")
        numbers.setdefault(series, []).append(number)
    found: dict[str, object] = {"run": run.digest, "documents": count, "made": len(made)}
    if made:
        found["numbers"] = {series: f"{min(given)} to {max(given)}" for series, given in numbers.items()}
    if voided:
        found["voided"] = [row.label for row in voided]
    return found
