"""Is what we posted still in the ledger, and is it what was invoiced? Asked of a target, compared, and noted.

A ledger that answers is asked for every pushed journal and for its trial balance. One that does not is said to be so,
and what was handed over to it is verified instead. What came of it is an entry of the audit chain, which pages and
measures read: they never ask a ledger themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from typing import Any

from apportion.actions.acting import Actor, recorded
from apportion.actions.post import ledgers
from apportion.actions.post.handed_over import Findings, of_files, of_pushes
from apportion.actions.post.invoiced import Recharge, not_as_invoiced, recharges
from apportion.actions.post.journals import content
from apportion.actions.workspace import workspace
from apportion.errors import ApportionError, InputRefusedError, Place
from apportion.periods import BillingPeriod
from apportion.post.erp.push import Pusher
from apportion.post.erp.read_back import AccountRow, JournalBack, ReadBack, read_back
from apportion.post.journal import Journal
from apportion.post.lifecycle import JournalKind, JournalState
from apportion.records.audit import AuditEntry
from apportion.records.journals import LedgerJournal
from apportion.review.permission import Permission
from apportion.warehouse.store import Workspace

ACT, SUBJECT = "verify ledger", "ledger"
_OUT = (JournalState.HANDED_OVER, JournalState.POSTED, JournalState.REVERSED)
_KEPT = 20  # sentences for each journal, and for the ledger as a whole, in the audit chain
_LOOKED_BACK = 50  # verifications of a target that are looked through for those of a period or journal


@dataclass(frozen=True, slots=True)
class Looked:
    """One journal as it was found, by its row and its name. `entries` counts the parts of it that are in the ledger."""

    journal: int
    name: str
    period: str
    state: str
    entries: int
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a target holds of our journals, against our books.

    `asked` is whether the ledger itself has answered; if not, only what was handed over was verified. `rows` are the
    accounts over the days from `since` to `until`. `differences` are all of them, those of journals included; `remarks`
    are no differences, and worth knowing.
    """

    target: str
    periods: tuple[str, ...]
    asked: bool
    since: date | None
    until: date | None
    journals: tuple[Looked, ...]
    rows: tuple[AccountRow, ...]
    recharges: tuple[Recharge, ...]
    differences: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Does the ledger hold what the books say?"""
        return not self.differences


@dataclass(frozen=True, slots=True)
class Told:
    """What a verification that is over has told: when, by whom, and of one journal or of the ledger as a whole."""

    at: datetime
    by: str
    asked: bool
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Did it find what the books say?"""
        return not self.differences


def verify(actor: Actor, target: str, periods: Sequence[BillingPeriod] = ()) -> Verified:
    """Compare a target with the books, for some periods or all, and note what came of it. Nothing else is changed.

    Raises `ForbiddenError`, `InputRefusedError` for an unknown target, for secrets that are missing, and where nothing
    was handed over to it, and `TargetError`s when the ledger does not answer: then nothing is noted.
    """
    actor.rights.require(Permission.SEE_CLOSE)
    place = workspace()
    if target not in ledgers.targets(place.settings) and not LedgerJournal.objects.filter(target=target).exists():
        raise InputRefusedError(
            f"There is no target '{target}'.",
            place=Place(field="target"),
            advice=f"The settings know {', '.join(ledgers.targets(place.settings))}.",
        )
    rows = _handed_over(target, periods)
    if not rows:
        where = f" for {', '.join(map(str, periods))}" if periods else ""
        raise InputRefusedError(
            f"Nothing was handed over to {target}{where}.",
            place=Place(field="target"),
            advice="Draw up a journal, approve it, and export or push it first.",
        )
    if target != ledgers.FILES:
        ledgers.found(place.settings, target)  # what was taken out of the settings cannot be asked
    found = _verified(place, target, rows)
    with recorded(actor, ACT) as record:
        record.subject_kind, record.subject_id, record.subject = SUBJECT, target, target
        record.changed({}, _noted(found))
    return found


def last(target: str) -> Told | None:
    """What the last verification of a target told of it as a whole. One query."""
    return next((_told(entry, after["differences"], after) for entry, after in _verifications(target, 1)), None)


def last_of(row: LedgerJournal) -> Told | None:
    """What the last verification that looked at a journal told of it. One query."""
    for entry, after in _verifications(row.target):
        if str(row.pk) in after["journals"]:
            return _told(entry, after["journals"][str(row.pk)], after)
    return None


def recharge_rate(period: BillingPeriod) -> tuple[Recharge, ...]:
    """The GL recharge rate of a period as of the last verifications: what ledgers show as passed on, of what was
    invoiced, by the payer's company and currency. Empty where no ledger was asked. One query for each target.

    Several ledgers' parts are added up; what was invoiced is as of the latest of them.
    """
    latest: dict[tuple[str, str], tuple[int, int]] = {}
    passed_on: dict[tuple[str, str], int] = {}
    for target in sorted(_targets_asked()):
        for entry, after in _verifications(target):
            if not after["asked"] or str(period) not in after["periods"]:
                continue
            for of, company, currency, posted, whole in after["recharges"]:
                if of == str(period):
                    place = (company, currency)
                    passed_on[place] = passed_on.get(place, 0) + posted
                    latest[place] = max(latest.get(place, (0, 0)), (entry.number, whole))
            break
    return tuple(Recharge(str(period), *place, passed_on[place], latest[place][1]) for place in sorted(passed_on))


def _handed_over(target: str, periods: Sequence[BillingPeriod]) -> list[LedgerJournal]:
    found = LedgerJournal.objects.filter(target=target, state__in=_OUT).order_by("period", "pk")
    return list(found.filter(period__in=[str(period) for period in periods]) if periods else found)


def _verified(place: Workspace, target: str, rows: Sequence[LedgerJournal]) -> Verified:
    contents: dict[int, Journal] = {}
    broken: dict[int, str] = {}
    for row in rows:
        try:
            contents[row.pk] = content(row)
        except ApportionError as error:  # the books were changed behind our back: say so, and look at the others
            broken[row.pk] = error.sentence
    if ledgers.of_files(place.settings, target):
        remark = f"'{target}' takes files and cannot be asked what it holds: the files in the workspace were verified."
        return _unasked(place, target, rows, contents, broken, of_files(place, rows, contents), remark)
    run = ledgers.pusher(target)
    if not run.target.traits.answers:
        remark = f"'{target}' does not answer and cannot be asked what it holds: what was dropped there was verified."
        return _unasked(place, target, rows, contents, broken, of_pushes(run, rows, contents), remark)
    return _asked(place, run, rows, contents, broken)


def _asked(
    place: Workspace,
    run: Pusher,
    rows: Sequence[LedgerJournal],
    contents: Mapping[int, Journal],
    broken: Mapping[int, str],
) -> Verified:
    """Entries that take others back are looked at with these; of two journals with the same content, the later one."""
    by_itself = {row.pk: _by_itself(row, contents[row.pk]) for row in rows if row.pk in contents}
    latest = {row.journal_id: row for row in rows if row.pk in by_itself and by_itself[row.pk] is not None}
    first = list(latest.values())
    ledger = place.settings.ledger
    wanted = [own for row in first if (own := by_itself[row.pk]) is not None]
    back = read_back(run, wanted, ledger.transferred_out, ledger.intercompany_revenue)
    looked = [
        _looked(place, row, contents.get(row.pk), broken, back.of_journal.get(contents[row.pk].id))
        if row in first
        else _looked(place, row, contents.get(row.pk), broken)
        for row in rows
    ]
    said = {sentence for each in back.of_journal.values() for sentence in each.differences}
    differences = [sentence for each in looked for sentence in each.differences]
    differences += [sentence for sentence in back.differences if sentence not in said]
    found: list[Recharge] = []
    for period in sorted({row.period for row in rows}):
        transfers = [row for row in first if row.period == period and row.kind == JournalKind.TRANSFER]
        found += recharges(place, period, _passed_on(back, [row.journal_id for row in transfers]))
    return Verified(
        run.target.name,
        tuple(sorted({row.period for row in rows})),
        True,
        back.since if back.rows else None,
        back.until if back.rows else None,
        tuple(looked),
        back.rows,
        tuple(found),
        tuple(differences),
        tuple(_not_posted(looked)),
    )


def _by_itself(row: LedgerJournal, found: Journal) -> Journal | None:
    """What of a journal is looked at by itself: of a reversal, the accruals that it enters again, if there are any."""
    if row.kind != JournalKind.REVERSAL:
        return found
    again = tuple(entry for entry in found.entries if not entry.reverses)
    return replace(found, entries=again, statistical=()) if again else None


def _looked(
    place: Workspace,
    row: LedgerJournal,
    found: Journal | None,
    broken: Mapping[int, str],
    back: JournalBack | None = None,
) -> Looked:
    """What is said of one journal; `back` where the ledger was asked for it."""
    differences = [broken[row.pk]] if row.pk in broken else []
    if found is not None:
        differences += not_as_invoiced(row, found, place.settings.payer.company)
    if back is not None and found is not None:
        differences += back.differences
        if row.state in (JournalState.POSTED, JournalState.REVERSED) and found.entries and not back.entries:
            differences.append(f"Journal {row} is posted in the books, and the book of pushes has nothing of it.")
    return Looked(row.pk, str(row), row.period, row.state, back.entries if back else 0, tuple(differences))


def _not_posted(looked: Iterable[Looked]) -> list[str]:
    return [
        f"Journal {each.name} was handed over and is not confirmed yet."
        for each in looked
        if each.state == JournalState.HANDED_OVER
    ]


def _passed_on(back: ReadBack, journals: Iterable[str]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for journal in journals:
        for spot, amount in back.of_journal[journal].passed_on.items():
            sums[spot] = sums.get(spot, 0) + amount
    return sums


def _unasked(
    place: Workspace,
    target: str,
    rows: Sequence[LedgerJournal],
    contents: Mapping[int, Journal],
    broken: Mapping[int, str],
    found: Findings,
    remark: str,
) -> Verified:
    looked, remarks = [], [remark]
    for row in rows:
        differences, said = found.get(row.pk, ([], []))
        remarks += said
        own = _looked(place, row, contents.get(row.pk), broken)
        looked.append(replace(own, differences=(*own.differences, *differences)))
    remarks += _not_posted(looked)
    together = tuple(sentence for each in looked for sentence in each.differences)
    periods = tuple(sorted({row.period for row in rows}))
    return Verified(target, periods, False, None, None, tuple(looked), (), (), together, tuple(remarks))


def _noted(found: Verified) -> dict[str, object]:
    """What the audit chain keeps: enough for pages, and no more sentences than anybody reads."""
    return {
        "holds": found.holds,
        "asked": found.asked,
        "periods": list(found.periods),
        "differences": _first(found.differences),
        "journals": {str(each.journal): _first(each.differences) for each in found.journals},
        "recharges": [
            [each.period, each.company, each.currency, each.passed_on, each.invoiced] for each in found.recharges
        ],
    }


def _first(sentences: Sequence[str]) -> list[str]:
    more = len(sentences) - _KEPT
    return [*sentences[:_KEPT], *([f"And {more} more."] if more > 0 else [])]


def _verifications(target: str, most: int = _LOOKED_BACK) -> Iterable[tuple[AuditEntry, dict[str, Any]]]:
    """The last ones of a target, newest first."""
    entries = AuditEntry.objects.filter(act=ACT, subject_kind=SUBJECT, subject_id=target).order_by("-number")
    for entry in islice(entries[:most].iterator(), most):
        after: dict[str, Any] = json.loads(entry.after)
        yield entry, after


def _targets_asked() -> set[str]:
    return set(AuditEntry.objects.filter(act=ACT, subject_kind=SUBJECT).values_list("subject_id", flat=True).order_by())


def _told(entry: AuditEntry, differences: Sequence[str], after: Mapping[str, Any]) -> Told:
    return Told(entry.at, entry.person_name, bool(after["asked"]), tuple(differences))
