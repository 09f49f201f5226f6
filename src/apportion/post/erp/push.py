"""The rules of pushing: exactly one posting for each entry, whatever happens on the way.

1. The key is in the book of pushes before anything is sent, and what carries the key is looked up before anything is
   made: a run that was cut off at any moment is completed by the next one.
2. One push at a time for each company of a target. Where two do not share a book, an entry is posted only while it is
   the one and only that carries its key: of several drafts the oldest stays, and beside a posted one none does.
   What a push that was given up has left, or what came late, is looked for before the next one begins.
3. All of a journal is checked and made as drafts first. If one line is refused, every draft of the journal goes, and
   the refusals come back as a repair list.
4. A draft is read back before it is posted, and what was posted is read back before "posted" is said. A ledger that
   does not answer is sent an entry once it is written down that it may be there; then a person confirms it.
5. A reversal is an entry of its own that points at the first and brings each account and dimension to zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date

from apportion.errors import Place
from apportion.post.erp import stops
from apportion.post.erp.book import ENDED, Push, PushBook, PushState, Slot
from apportion.post.erp.comparing import differences, left_over, posted_differences
from apportion.post.erp.document import Document, documents
from apportion.post.erp.errors import (
    DiffersError,
    RejectedError,
    Rejection,
    TargetRubbishError,
    UnknownReferenceError,
)
from apportion.post.erp.pace import Clock, Pace, RealClock
from apportion.post.erp.report import PushReport
from apportion.post.erp.target import Found, Holding, Link, Standing, Target
from apportion.post.journal import Journal, of_entries

_THERE = frozenset({PushState.POSTED, PushState.SENT})
_GIVEN_UP = ENDED - {PushState.REVERSED}
_SETTLING = 4  # how often another push may change what carries our key before we give up


@dataclass(frozen=True, slots=True)
class _Job:
    """A part of an entry on its way."""

    document: Document
    push: Push
    reverses: Push | None = None

    @property
    def key(self) -> str:
        return self.push.key


@dataclass(frozen=True)
class Pusher:
    """Brings journals into one target. `books` says in which currency a company keeps its books (see `documents`)."""

    target: Target
    book: PushBook
    books: Mapping[str, str] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    clock: Clock = field(default_factory=RealClock)

    def push(self, journal: Journal) -> PushReport:
        """Post a journal, or complete what an earlier run has begun. Statistical entries are no money and stay here.

        Refusals come back in the report. Raises `RejectedError` for amounts without the company's currency,
        `DuplicatePushError` for an entry that is there with other content, `DiffersError` where the ledger holds
        something else than was sent, and `TargetError`s when the ledger fails for longer than `pace` allows: then the
        same push, run again, completes it.
        """
        wanted = self._documents(journal)
        with ExitStack() as locks:
            for company in sorted({document.company for document in wanted}):
                locks.enter_context(self.book.alone(self.target.name, company))
            return replace(self._pushed(journal, wanted), statistical=len(journal.statistical))

    def reverse(self, journal: Journal, on: date) -> PushReport:
        """Take back all of a posted journal on a day: new, linked entries with opposite signs, by the same rules.

        Raises `InputRefusedError` unless all of it is posted, and what `push` raises.
        """
        return self.push(of_entries(journal.period, [entry.reversal(on) for entry in journal.entries]))

    def withdraw(self, journal: Journal) -> tuple[Push, ...]:
        """Give up what is not posted: delete its drafts in the ledger and end its pushes; gives those that it ended.

        Raises `InputRefusedError` where something of the journal is posted already, or may be in a ledger that does not
        answer: only a reversal takes that back.
        """
        wanted = self._documents(journal)
        with ExitStack() as locks:
            for company in sorted({document.company for document in wanted}):
                locks.enter_context(self.book.alone(self.target.name, company))
            open_ones = []
            for document in wanted:
                push = self.book.latest(self.target.name, document.entry, document.company)
                if push is None or push.state in ENDED:
                    continue
                if self._may_be_sent(push):
                    raise stops.sent_already(self.target.name, document.entry)
                found = self._found(document.company, push.key)
                if push.state in _THERE or any(each.standing is Standing.POSTED for each in found):
                    raise stops.posted_already(self.target.name, document.entry)
                open_ones.append((document, push))
            for document, push in open_ones:
                self._clear(document.company, push.key)
            return tuple(self.book.mark(push.key, PushState.WITHDRAWN) for _, push in open_ones)

    def holdings(self, journal: Journal) -> tuple[tuple[Document, Push | None, Holding | None], ...]:
        """Each part of a journal with what the ledger holds of it now; None where it is not posted, or gone since."""
        found = []
        for document in self._documents(journal):
            push = self.book.latest(self.target.name, document.entry, document.company)
            is_there = push is not None and push.state in {PushState.POSTED, PushState.REVERSED}
            found.append((document, push, self.held(document.company, push) if push and is_there else None))
        return tuple(found)

    def held(self, company: str, push: Push) -> Holding | None:
        """What the ledger holds of a posted push; None where it has no such entry any more."""
        try:
            return self.pace.patiently(self.clock, lambda: self.target.read(company, push.reference))
        except UnknownReferenceError:
            return None

    def standing(self, company: str, push: Push) -> tuple[Found, ...]:
        """Every entry of the ledger that carries a push's key, drafts included."""
        return self._found(company, push.key)

    def _documents(self, journal: Journal) -> tuple[Document, ...]:
        return documents(journal, self.books, together=self.target.traits.together)

    def _pushed(self, journal: Journal, wanted: Sequence[Document]) -> PushReport:
        jobs = self._reserved(wanted)
        already = [job for job in jobs if job.push.state in _THERE]
        rest = [job for job in jobs if job.push.state not in _THERE]
        rejected = self._checked(rest)
        if not rejected and self.target.traits.drafts:
            for job in rest:
                rejected += self._refused(job, Standing.DRAFT)
        # What earlier runs posted is looked at again: drafts that came late go, and nobody may have changed it since.
        done = [self._seen_posted(job) for job in already]
        if not rejected:
            for place, job in enumerate(rest):
                rejected += self._refused(job, Standing.POSTED)
                if rejected:
                    rest = rest[place:]
                    break
                done.append(self._seen_posted(job))
        unsent = self._given_up(rest, rejected) if rejected else ()
        return PushReport(journal.id, tuple(done), len(already), tuple(rejected), unsent)

    def _reserved(self, wanted: Sequence[Document]) -> list[_Job]:
        """Each part with its key, written down. Raises before anything is sent."""
        jobs = []
        for document in wanted:
            first = self._first(document) if document.reverses else None
            slot = Slot(self.target.name, document.entry, document.company, first.key if first else "")
            self._take_up(slot)
            jobs.append(_Job(document, self.book.reserve(slot, document.content_hash), first))
        return jobs

    def _take_up(self, slot: Slot) -> None:
        """What was given up and is posted all the same, late or by another book, goes on; drafts that came late go."""
        rounds = self.book.rounds(slot)
        for push in rounds:
            if push.state not in _GIVEN_UP or not self._clear(slot.company, push.key):
                continue
            if push != rounds[-1]:
                raise stops.posted_though_given_up(self.target.name, push)
            self.book.mark(push.key, PushState.CREATED)

    def _first(self, document: Document) -> Push:
        """The push that a reversal takes back."""
        first = self.book.latest(self.target.name, document.reverses, document.company)
        own = self.book.latest(self.target.name, document.entry, document.company)
        again = first and own and own.slot.reverses == first.key and first.state is PushState.REVERSED
        if first is None or (first.state not in _THERE and not again):
            raise stops.nothing_to_reverse(self.target.name, document)
        return first

    def _checked(self, jobs: Sequence[_Job]) -> list[Rejection]:
        """What the ledger would refuse of the parts that it does not have yet."""
        rejected: list[Rejection] = []
        unknown: list[Document] = []
        for job in jobs:
            try:
                if not self._found(job.document.company, job.key):
                    unknown.append(job.document)
            except RejectedError as error:
                rejected += _about(job, error)
        if unknown:
            rejected += self.pace.patiently(self.clock, lambda: self.target.check(unknown))
        return rejected

    def _refused(self, job: _Job, wanted: Standing) -> tuple[Rejection, ...]:
        """Bring a part to where it is wanted; gives why not."""
        try:
            self.pace.patiently(self.clock, lambda: self._brought(job, wanted))
        except RejectedError as error:
            if self._clear(job.document.company, job.key):
                return ()  # posted by another push in the meantime: there was nothing left for ours to do
            return _about(job, error)
        return ()

    def _brought(self, job: _Job, wanted: Standing) -> Found:
        """One try. It looks first, so that it may be repeated after any failure."""
        company = job.document.company
        try:
            found = self._only(job)
            if found is None:
                found = self._drafted(job)
                if wanted is Standing.POSTED:
                    found = self._only(job) or found
            if wanted is Standing.POSTED and found.standing is Standing.DRAFT:
                self.target.post(company, found.reference)
        except UnknownReferenceError:
            raise stops.worked_on(self.target.name, job.document.entry) from None
        self.book.mark(job.key, PushState.CREATED, reference=found.reference)
        return found

    def _drafted(self, job: _Job) -> Found:
        """Made in the ledger, and read back where it is a draft."""
        link = Link(job.reverses.reference, job.reverses.number) if job.reverses else None
        if not self.target.traits.answers:  # nobody says afterwards whether it arrived, so it counts from here on
            self.book.mark(job.key, PushState.RESERVED, reference=job.key)
        made = self.target.create(job.document, job.key, link)
        if made.standing is Standing.DRAFT:
            self.book.mark(job.key, PushState.CREATED, reference=made.reference)
            self._require_same(job, self.target.read(job.document.company, made.reference))
        return made

    def confirm(self, entry: str, company: str, number: str) -> Push:
        """A person says that a ledger which does not answer has taken what was sent, under its own number.

        What it takes back is reversed with that, and may be pushed anew. Raises `InputRefusedError` unless it was sent.
        """
        push = self.book.latest(self.target.name, entry, company)
        if push is None or push.state is not PushState.SENT or not number:
            raise stops.not_sent(self.target.name, entry)
        if push.slot.reverses:  # first, so that whoever is cut off here confirms it once more
            self.book.mark(push.slot.reverses, PushState.REVERSED, detail=f"reversed by {number}")
        return self.book.mark(push.key, PushState.POSTED, number=number)

    def _only(self, job: _Job) -> Found | None:
        """The one entry that carries the key, after those that should not are gone."""
        company = job.document.company
        if not self.target.traits.answers:
            return None
        for _ in range(_SETTLING):
            found = self.target.find(company, job.key)
            posted = [each for each in found if each.standing is Standing.POSTED]
            if len(posted) > 1:
                raise stops.posted_twice(self.target.name, job.document.entry, posted)
            drafts = [each for each in found if each.standing is Standing.DRAFT]
            kept = posted or [each for each in drafts[:1] if self._is_same(job, each)]
            surplus = [each for each in drafts if each not in kept]
            if not surplus:
                return kept[0] if kept else None
            for each in surplus:
                self._discard(company, each.reference)
        raise TargetRubbishError(
            f"{self.target.name} goes on showing drafts of entry {job.document.entry} that were deleted.",
            advice="Look for other programs that push the same journal.",
        )

    def _discard(self, company: str, reference: str) -> None:
        try:
            self.target.discard(company, reference)
        except RejectedError:
            return  # posted by somebody else in the meantime: the next look says so

    def _is_same(self, job: _Job, found: Found) -> bool:
        """A draft that a run was cut off in, or that somebody changed, is made anew."""
        try:
            return not self._differences(job, self.target.read(job.document.company, found.reference))
        except UnknownReferenceError:
            return False

    def _require_same(self, job: _Job, draft: Holding) -> None:
        """The ledger took a draft; will it be what was sent? Raises `RejectedError`, after the draft is gone."""
        different = self._differences(job, draft)
        if not different:
            return
        now = {each.reference: each.standing for each in self.target.find(job.document.company, job.key)}
        if now.get(draft.reference) is not Standing.DRAFT:
            raise stops.worked_on(self.target.name, job.document.entry)  # it was posted or taken away while we read it
        self._discard(job.document.company, draft.reference)
        advice = "Repair it in the ledger's set-up or in the mapping, then push again."
        raise RejectedError([job.document.rejection(0, "DRAFT_NOT_VALID", sentence, advice) for sentence in different])

    def _differences(self, job: _Job, held: Holding) -> tuple[str, ...]:
        return differences(job.document, self.target.expected(job.document), held)

    def _seen_posted(self, job: _Job) -> Push:
        """Say "posted" of what the ledger shows as posted, whole and alone. Raises `DiffersError`."""
        if not self.target.traits.answers:
            return self.book.mark(job.key, PushState.SENT) if job.push.state is not PushState.POSTED else job.push
        found = self.pace.patiently(self.clock, lambda: self._only(job))
        if found is None or found.standing is not Standing.POSTED:
            raise DiffersError(
                f"{self.target.name} took entry {job.document.entry} and does not show it as posted.",
                place=Place(job.document.entry),
                advice="Does the ledger ask for an approval of its own? When it is posted there, push again.",
            )
        held = self._confirmed(job, found.reference)
        if job.reverses:
            self._require_zero(job, job.reverses, held)
        push = self.book.mark(job.key, PushState.POSTED, reference=held.reference, number=held.number)
        if job.reverses:
            self.book.mark(job.reverses.key, PushState.REVERSED, detail=f"reversed by {held.number}")
        return push

    def _confirmed(self, job: _Job, reference: str) -> Holding:
        """What the ledger holds, after it was found to be what was sent. Raises `DiffersError`."""
        held = self._read(job.document, replace(job.push, reference=reference))
        different = posted_differences(job.document, self.target.expected(job.document), held)
        if different:
            raise DiffersError(
                f"Entry {job.document.entry} in {self.target.name} ({held.number or reference}): {' '.join(different)}",
                place=Place(job.document.entry),
                advice="Somebody changed it there, or took it out: put it right in the ledger, then push again.",
            )
        return held

    def _read(self, document: Document, push: Push) -> Holding:
        return self.pace.patiently(self.clock, lambda: self.target.read(document.company, push.reference))

    def _require_zero(self, job: _Job, first: Push, held: Holding) -> None:
        """A reversal and what it takes back are zero in the ledger on each account and dimension."""
        if left := left_over(job.document, self._read(job.document, first), held):
            raise DiffersError(
                f"Entry {first.slot.entry} and its reversal leave {left}.",
                place=Place(job.document.entry),
                advice="One of them was changed in the ledger: put it right there.",
            )

    def _given_up(self, rest: Iterable[_Job], rejected: Sequence[Rejection]) -> tuple[Push, ...]:
        """Nothing of what is not posted stays in the ledger. What may be in one that does not answer is not ended."""
        said: dict[tuple[str, str], str] = {}
        for each in rejected:
            said.setdefault((each.entry, each.company), str(each))
        ended = []
        for job in rest:
            document = job.document
            if self._may_be_sent(job.push) or self._clear(document.company, job.key):
                continue  # posted after all, or perhaps: the next run says so
            detail = said.get((document.entry, document.company), "")
            state = PushState.REJECTED if detail else PushState.WITHDRAWN
            ended.append(self.book.mark(job.key, state, detail=detail))
        return tuple(ended)

    def _clear(self, company: str, key: str) -> bool:
        """Delete every draft of a key; is there a posted entry?"""

        def step() -> bool:
            try:
                found = self.target.find(company, key) if self.target.traits.answers else ()
            except RejectedError:
                return False  # a company that the ledger does not have, where nothing can be
            for each in found:
                if each.standing is Standing.DRAFT:
                    self._discard(company, each.reference)
            return any(each.standing is Standing.POSTED for each in found)

        return self.pace.patiently(self.clock, step)

    def _may_be_sent(self, push: Push) -> bool:
        """May it be in a ledger that does not answer? Its push has a reference before anything of it is sent."""
        return not self.target.traits.answers and (push.state in _THERE or push.reference != "")

    def _found(self, company: str, key: str) -> tuple[Found, ...]:
        if not self.target.traits.answers:
            return ()
        return self.pace.patiently(self.clock, lambda: self.target.find(company, key))


def _about(job: _Job, error: RejectedError) -> tuple[Rejection, ...]:
    """Refusals that do not say of which entry they are, said of this one."""
    return tuple(replace(each, entry=each.entry or job.document.entry) for each in error.rejections)
