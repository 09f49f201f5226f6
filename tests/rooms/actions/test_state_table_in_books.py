"""The state table in real books, on both databases: every row of it, every act from every state that it does not
name, and what the database itself lets stand.

All cases are made from `review.states.TABLE`, so that a new row is tested the day it is written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoDbBlocker

from apportion.actions.acting import Actor, SamePersonError, actor_of, recorded, timer
from apportion.actions.moving import Silence, lock, move, situation
from apportion.invoice.paper import PaperKind
from apportion.records import chain, triggers
from apportion.records.audit import AuditEntry
from apportion.records.closes import Close
from apportion.records.disputes import Dispute
from apportion.records.documents import Document, DocumentBody, DocumentLine, DocumentTotal, Series
from apportion.records.groups import CostGroup
from apportion.records.people import Grant, Person
from apportion.records.rights import NOBODY, ForbiddenError
from apportion.review.permission import PERMISSIONS, Permission, Role
from apportion.review.states import (
    TABLE,
    Act,
    Guard,
    Issue,
    Posting,
    Review,
    Situation,
    State,
    StateError,
    Transition,
    acts,
    step,
)
from tests.databases import BOTH, books_on

pytestmark = pytest.mark.thorough

PERIOD = "2026-10"
UNTIL = date(2026, 11, 20)
ISSUED_AT = datetime(2026, 11, 5, tzinfo=UTC)
STATES: tuple[State, ...] = (*Issue, *Review, *Posting)
DIMENSION = {row.act: type(row.before) for row in TABLE}
NAMED = {(row.before, row.act) for row in TABLE}
NOT_NAMED = [(state, act) for state, act in product(STATES, Act) if isinstance(state, DIMENSION[act])]
NOT_NAMED = [pair for pair in NOT_NAMED if pair not in NAMED]
WITH_GUARDS = [(row, guard) for row in TABLE for guard in row.guards]
# Of every kind of document and state, the simplest situations that a guard asks about, one thing at a time and all.
ASKED: tuple[dict[str, object], ...] = (
    {},
    {"open_disputes": 1},
    {"is_past_deadline": True},
    {"is_past_deadline": True, "silence_accepts": True},
    {"is_sealed": True},
    {"notes": 1},
    {"in_showback": True},
    {"open_disputes": 1, "is_past_deadline": True, "silence_accepts": True, "is_sealed": True, "notes": 1},
)

# Guards that never refuse alone: what is in the ledger is accepted and charged, or the database does not let it stand;
# and while it awaits review a document can be disputed, however late.
NEVER_ALONE = {
    (Review.AWAITING, Act.DISPUTE, "not_in_ledger"),
    (Review.AWAITING, Act.DISPUTE, "in_time"),
    (Review.DISPUTED, Act.DISPUTE, "not_in_ledger"),
    (Posting.EXPORTED, Act.POST, "in_chargeback"),
    (Posting.EXPORTED, Act.POST, "is_accepted"),
    (Posting.REVERSED, Act.EXPORT, "in_chargeback"),
}


def named(value: object) -> str:
    """How a case is called in the list of tests."""
    if isinstance(value, Transition):
        return f"{value.before}-{value.act}"
    if isinstance(value, Act | Issue | Review | Posting):
        return str(value)
    return getattr(value, "__name__", str(value)).strip("_")


@pytest.fixture(scope="module", autouse=True, params=BOTH)
def books(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Books with one cost group, a person of every role, and a series of numbers."""
    with django_db_blocker.unblock(), books_on(request.param):
        assert connection.vendor == request.param
        group = CostGroup.objects.create(code="red", name="Red")
        CostGroup.objects.update(path=f"/{group.pk}/")
        Series.objects.create(name="A", last_number=9)
        for role in Role:
            person = Person.objects.create_person(f"{role}@example.com", role.title())
            Grant.objects.create(person=person, role=role, cost_group=group if role in {Role.OWNER} else None)
        Person.objects.create_person("nobody@example.com", "Nobody")
        yield


@pytest.fixture(autouse=True)
def _undone(books: None) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def person(name: str) -> Person:
    """A person by the first part of their address."""
    return Person.objects.get(email=f"{name}@example.com")


def somebody(permission: Permission | None) -> Actor:
    """Whoever may do it; a timer where nobody has to be asked."""
    if permission is None:
        return timer()
    role = next(role for role in (Role.CONTROLLER, Role.OWNER, *Role) if permission in PERMISSIONS[role])
    return actor_of(person(role), "web")


def store(wanted: Situation) -> Document:
    """The rows of a situation. Raises `IntegrityError` where the database does not let it stand."""
    group = CostGroup.objects.get()
    document = Document.objects.create(
        kind=wanted.kind,
        period=PERIOD,
        holder="cost_group",
        cost_group=group,
        name="Red",
        body_digest="0",
        series=Series.objects.get(),
        number=1,
        label="A-1",
        showback=wanted.in_showback,
        issue_state=wanted.issue,
        review_state=wanted.review,
        posting_state=wanted.posting,
        prepared_by=person("analyst"),
        issued_at=ISSUED_AT,
        review_until=UNTIL,
    )
    for line in range(wanted.open_disputes):
        Dispute.objects.create(
            document=document,
            line=line + 1,
            reason="not_ours",
            text="No",
            currency="EUR",
            amount_minor=1,
            opened_by=person("owner"),
        )
    for number in range(wanted.notes):
        Document.objects.create(
            kind=PaperKind.CREDIT_NOTE,
            period=PERIOD,
            holder="cost_group",
            cost_group=group,
            name="Red",
            body_digest="0",
            series=Series.objects.get(),
            number=2 + number,
            label=f"A-{2 + number}",
            about=document,
            issue_state=Issue.ISSUED,
            issued_at=ISSUED_AT,
        )
    sealed_at = ISSUED_AT if wanted.is_sealed else None
    Close.objects.update_or_create(period=PERIOD, defaults={"sealed_at": sealed_at})
    return document


def silence(wanted: Situation) -> Silence:
    """The day and the settings that the situation is about."""
    return Silence(wanted.silence_accepts, UNTIL + timedelta(days=1 if wanted.is_past_deadline else 0))


def attempt(actor: Actor, document: Document, act: Act, wanted: Situation) -> None:
    """The act through the one door."""
    with recorded(actor, str(act), reason="why") as record:
        move(actor, lock(document.pk), act, record, silence(wanted))


@contextmanager
def unchanged(document: Document) -> Iterator[None]:
    """Nothing of the document nor of the audit chain is another after the block."""

    def now() -> tuple[object, int]:
        return Document.objects.filter(pk=document.pk).values().get(), AuditEntry.objects.count()

    before = now()
    yield
    assert now() == before


def within(now: Situation, state: State) -> Situation:
    """The situation with one of its three states another."""
    if isinstance(state, Issue):
        return dataclasses.replace(now, issue=state)
    return (
        dataclasses.replace(now, review=state) if isinstance(state, Review) else dataclasses.replace(now, posting=state)
    )


def allowed(row: Transition) -> Situation:
    """A situation from which a row of the table is taken: found by trying, so that no guard is written down twice."""
    for found in situations():
        now = within(found, row.before)
        if row.act in acts(now) and is_storable(now):
            return now
    raise AssertionError(f"There is no way to {row.act} from {row.before}.")


def situations() -> Iterator[Situation]:
    """Every kind and state with every thing that a guard asks about, the plainest first."""
    kinds = (PaperKind.INVOICE, *PaperKind)
    for asked, kind, issue, review, posting in product(ASKED, kinds, Issue, Review, Posting):
        yield Situation(kind, issue, review, posting, **asked)  # type: ignore[arg-type]


def is_storable(now: Situation) -> bool:
    """What a database may hold, said otherwise than in its constraints.

    Nothing in showback was ever in the ledger, and nothing is there or on its way that its recipient did not accept.
    """
    charged = now.kind is not PaperKind.STATEMENT and not now.in_showback
    accepted = now.review in {Review.ACCEPTED, Review.DEEMED}
    return now.posting is Posting.UNPOSTED or (charged and (accepted or now.posting is Posting.REVERSED))


@pytest.mark.parametrize("row", TABLE, ids=named)
def test_every_row_of_the_table_is_taken_saved_and_audited(row: Transition) -> None:
    before = allowed(row)
    document, actor = store(before), somebody(row.permission)
    assert situation(document, silence(before)) == before
    attempt(actor, document, row.act, before)
    after = step(before, row.act)
    kept = Document.objects.get(pk=document.pk)
    assert (kept.issue_state, kept.review_state, kept.posting_state) == (after.issue, after.review, after.posting)
    assert getattr(after, {Issue: "issue", Review: "review", Posting: "posting"}[type(row.after)]) is row.after
    entry = AuditEntry.objects.get()
    assert (entry.act, entry.person, entry.subject_id, entry.reason) == (
        str(row.act), actor.person, str(document.pk), "why",
    )  # fmt: skip
    assert f'"review":"{before.review}"' in entry.before
    assert f'"review":"{after.review}"' in entry.after
    assert chain.verify().breaks == ()


@pytest.mark.parametrize("row", [row for row in TABLE if row.permission], ids=named)
def test_nobody_takes_a_row_without_its_permission(row: Transition) -> None:
    before = allowed(row)
    document = store(before)
    holders = {role for role in Role if row.permission in PERMISSIONS[role]}
    others = [actor_of(person(role), "web") for role in Role if role not in holders]
    for actor in (*others, actor_of(person("nobody"), "web"), timer()):
        with unchanged(document), pytest.raises(ForbiddenError):
            attempt(actor, document, row.act, before)


@pytest.mark.parametrize("row", [row for row in TABLE if row.second_person], ids=named)
def test_whoever_prepared_it_does_not_take_a_row_that_asks_for_a_second_person(row: Transition) -> None:
    before, actor = allowed(row), somebody(row.permission)
    document = store(before)
    Document.objects.filter(pk=document.pk, issue_state=Issue.OPEN).update(prepared_by=actor.person)
    assert actor.person is not None
    with unchanged(document), pytest.raises(SamePersonError), recorded(actor, str(row.act)) as record:
        move(actor, lock(document.pk), row.act, record, silence(before), prepared_by=(actor.person.pk,))
    if before.issue is Issue.OPEN:
        with unchanged(document), pytest.raises(SamePersonError):
            attempt(actor, document, row.act, before)


@pytest.mark.parametrize(("row", "guard"), WITH_GUARDS, ids=named)
def test_every_guard_of_every_row_refuses_with_its_own_sentence(row: Transition, guard: Guard) -> None:
    tried = 0
    for found in situations():
        now = within(found, row.before)
        refusals = [each for each in row.guards if each(now)]
        if refusals != [guard] or not is_storable(now):
            continue
        with transaction.atomic():
            document = store(now)
            with unchanged(document), pytest.raises(StateError) as caught:
                attempt(somebody(row.permission), document, row.act, now)
            assert caught.value.sentence == guard(now)
            transaction.set_rollback(True)
        tried += 1
        if tried == 3:
            break
    assert bool(tried) is ((row.before, row.act, named(guard)) not in NEVER_ALONE)


@pytest.mark.parametrize(("state", "act"), NOT_NAMED, ids=named)
def test_an_act_from_a_state_that_the_table_does_not_name_is_refused(state: State, act: Act) -> None:
    rows = [row for row in TABLE if row.act is act]
    wanted = within(allowed(rows[0]), state)
    if not is_storable(wanted):  # what is in the ledger is accepted
        wanted = within(wanted, Review.ACCEPTED if isinstance(state, Posting) else Posting.UNPOSTED)
    document = store(wanted)
    everybody = [actor_of(person(role), "web") for role in Role]
    for actor in (*everybody, timer()):
        with unchanged(document), pytest.raises(StateError):
            attempt(actor, document, act, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("issue", Issue, ids=named)
@pytest.mark.parametrize("kind", PaperKind, ids=named)
def test_from_wherever_a_document_can_stand_every_act_ends_as_the_table_says(kind: PaperKind, issue: Issue) -> None:
    """All of it at once: the books refuse with the table's own sentence, or come out where the table does."""
    actors = {act: somebody(next(row.permission for row in TABLE if row.act is act)) for act in Act}
    seen = 0
    for now in situations():
        if now.kind is not kind or now.issue is not issue or not is_storable(now):
            continue
        seen += 1
        with transaction.atomic():
            document = store(now)
            for act in Act:
                with transaction.atomic():
                    assert _came_to(actors[act], document, act, now) == _as_the_table_says(now, act), (now, act)
                    transaction.set_rollback(True)
            transaction.set_rollback(True)
    assert seen >= 30


def _as_the_table_says(now: Situation, act: Act) -> tuple[str, ...] | str:
    try:
        after = step(now, act)
    except StateError as error:
        return error.sentence
    return (after.issue, after.review, after.posting)


def _came_to(actor: Actor, document: Document, act: Act, now: Situation) -> tuple[str, ...] | str:
    row = Document.objects.get(pk=document.pk)
    try:
        with recorded(actor, str(act)) as record:
            move(actor, row, act, record, silence(now))
    except StateError as error:
        return error.sentence
    states = Document.objects.values_list("issue_state", "review_state", "posting_state")
    return states.get(pk=document.pk)


@pytest.mark.parametrize("kind", PaperKind, ids=named)
def test_the_database_lets_stand_what_the_table_can_reach_and_nothing_unaccepted_in_the_ledger(kind: PaperKind) -> None:
    for in_showback, issue, review, posting in product((False, True), Issue, Review, Posting):
        now = Situation(kind, issue, review, posting, in_showback=in_showback)
        if is_storable(now):
            with transaction.atomic():
                store(now)
                transaction.set_rollback(True)
        else:
            with pytest.raises(IntegrityError), transaction.atomic():
                store(now)
    for now in _reached(kind):
        assert is_storable(now), now


def _reached(kind: PaperKind) -> set[Situation]:
    """Every situation that acts lead to from a draft, whatever day it is and whatever the settings say."""
    todo = [Situation(kind, in_showback=each) for each in (False, True)]
    found: set[Situation] = set()
    while todo:
        now = todo.pop()
        if now in found or now.open_disputes > 1 or now.notes > 1:
            continue
        found.add(now)
        late = dataclasses.replace(now, is_past_deadline=True, silence_accepts=True)
        todo += [late, *(step(each, act) for each in (now, late) for act in acts(each))]
    return found


FROZEN = triggers._DOCUMENT


@pytest.mark.parametrize("issue", [Issue.ISSUED, Issue.VOIDED], ids=named)
@pytest.mark.parametrize("column", FROZEN)
def test_the_database_keeps_every_field_of_what_is_out(column: str, issue: Issue) -> None:
    document = store(Situation(PaperKind.INVOICE, issue, Review.AWAITING))
    values = Document.objects.filter(pk=document.pk).values(*FROZEN).get()
    changed: dict[str, object] = {
        "about_id": document.pk,
        "cost_group_id": None,
        "dispute_id": None,
        "issued_at": ISSUED_AT + timedelta(seconds=1),
        "issued_by_id": person("owner").pk,
        "number": 77,
        "prepared_by_id": None,
        "series_id": None,
        "showback": True,
    }
    value = changed.get(column, "x")
    if column == "dispute_id":
        value = Dispute.objects.create(
            document=document, reason="x", text="x", currency="EUR", amount_minor=1, opened_by=person("owner")
        ).pk
    assert values[column] != value
    with unchanged(document), pytest.raises(IntegrityError), transaction.atomic():
        Document.objects.filter(pk=document.pk).update(**{column: value})
    Document.objects.filter(pk=document.pk).update(**{column: values[column]})  # the same again is no change


def test_the_database_knows_no_way_back_to_a_draft_and_keeps_what_is_out() -> None:
    document = store(Situation(PaperKind.INVOICE, Issue.ISSUED, Review.AWAITING))
    DocumentLine.objects.filter(document=document).delete()
    for refused in (
        lambda: Document.objects.filter(pk=document.pk).update(issue_state=Issue.OPEN),
        lambda: Document.objects.filter(pk=document.pk).delete(),
    ):
        with unchanged(document), pytest.raises(IntegrityError), transaction.atomic():
            refused()
    draft = Document.objects.create(kind="invoice", period=PERIOD, holder="cost_group", name="Red", body_digest="0")
    Document.objects.filter(pk=draft.pk).update(name="Green")
    with pytest.raises(IntegrityError), transaction.atomic():  # out only with a number
        Document.objects.filter(pk=draft.pk).update(issue_state=Issue.ISSUED)
    Document.objects.filter(pk=draft.pk).delete()


@pytest.mark.parametrize("issue", Issue, ids=named)
def test_lines_totals_and_text_are_kept_with_their_document(issue: Issue) -> None:
    document = store(Situation(PaperKind.INVOICE, Issue.OPEN))
    line = DocumentLine.objects.create(
        document=document,
        number=1,
        kind="direct",
        billed_currency="EUR",
        billed_minor=5,
        currency="EUR",
        amount_minor=5,
    )
    total = DocumentTotal.objects.create(
        document=document, currency="EUR", amount_minor=5, direct_minor=5, shared_minor=0
    )
    body = DocumentBody.objects.create(document=document, text="{}")
    Document.objects.filter(pk=document.pk).update(issue_state=issue)
    changes: list[Callable[[], object]] = [
        lambda: DocumentLine.objects.filter(pk=line.pk).update(amount_minor=6),
        lambda: DocumentTotal.objects.filter(pk=total.pk).update(amount_minor=6, direct_minor=6),
        lambda: DocumentBody.objects.filter(pk=body.pk).update(text="[]"),
        lambda: DocumentLine.objects.filter(pk=line.pk).delete(),
        lambda: DocumentTotal.objects.filter(pk=total.pk).delete(),
        lambda: DocumentBody.objects.filter(pk=body.pk).delete(),
    ]
    for change in changes:
        if issue is Issue.OPEN:
            change()
        else:
            with pytest.raises(IntegrityError), transaction.atomic():
                change()


def test_rights_that_reach_nothing_reach_no_row() -> None:
    row = next(row for row in TABLE if row.act is Act.ACCEPT)
    before = allowed(row)
    document = store(before)
    stranger = Actor(person("nobody"), NOBODY, "web")
    with unchanged(document), pytest.raises(ForbiddenError):
        attempt(stranger, document, Act.ACCEPT, before)
