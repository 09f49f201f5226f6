"""Accepting, disputing, reopening and giving time: rights, states, entries and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from apportion.actions.acting import Actor
from apportion.actions.review import accepting, commenting, disputing, reviewing
from apportion.errors import InputRefusedError, NotFoundError
from apportion.records import chain
from apportion.records.audit import AuditEntry
from apportion.records.closes import Close
from apportion.records.disputes import Comment, Dispute, Mention
from apportion.records.documents import Document
from apportion.records.people import Delegation
from apportion.records.rights import ForbiddenError
from apportion.records.work import Message
from apportion.review.dispute import ClaimError, DisputedAlreadyError, NoSuchLineError
from apportion.review.states import Review, StateError
from tests.rooms.actions import review_world
from tests.rooms.actions.review_world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return review_world.build()


def _last() -> AuditEntry:
    entry = AuditEntry.objects.order_by("-number").first()
    assert entry is not None
    return entry


def test_an_owner_accepts(world: World) -> None:
    shop = world.documents["shop"]
    accepted = accepting.accept(world.actor("ada"), shop.pk, remark="as agreed")
    assert accepted.review_state == Review.ACCEPTED
    assert (accepted.reviewed_by, accepted.reviewed_at is not None) == (world.people["ada"], True)
    entry = _last()
    assert (entry.act, entry.subject, entry.person_name, entry.reason) == ("accept", shop.label, "Ada", "as agreed")
    assert '"review":"awaiting_review"' in entry.before
    assert '"review":"accepted"' in entry.after
    assert {message.person for message in Message.objects.all()} == {world.people["tom"]}
    with pytest.raises(StateError, match="accepted"):
        accepting.accept(world.actor("ada"), shop.pk)
    assert AuditEntry.objects.filter(act="accept").count() == 1
    assert chain.verify().breaks == ()


@pytest.mark.parametrize(
    ("who", "error"),
    [("stan", NotFoundError), ("chet", NotFoundError), ("adam", NotFoundError),
     ("nina", ForbiddenError), ("cora", ForbiddenError), ("audrey", ForbiddenError)],
)  # fmt: skip
def test_who_may_not_accept_or_dispute(world: World, who: str, error: type[Exception]) -> None:
    shop, actor, entries = world.documents["shop"], world.actor(who), AuditEntry.objects.count()
    with pytest.raises(error):
        accepting.accept(actor, shop.pk)
    with pytest.raises(error):
        disputing.dispute(actor, shop.pk, line=1, reason="not_ours", text="No")
    shop.refresh_from_db()
    assert (shop.review_state, Dispute.objects.count()) == (Review.AWAITING, 0)
    assert AuditEntry.objects.count() == entries
    assert not Message.objects.exists()


def test_an_executive_accepts_a_branch_and_hears_of_what_is_refused(world: World) -> None:
    disputing.dispute(world.actor("ada"), world.documents["shop"].pk, line=1, reason="not_ours", text="No")
    answers = accepting.accept_many(world.actor("eva"), below=world.groups["shop"].pk)
    assert [(each.document, each.is_accepted) for each in answers] == [(world.documents["checkout"].pk, True)]
    wanted = [world.documents[code].pk for code in ("shop", "checkout", "search")]
    answers = accepting.accept_many(world.actor("eva"), [*wanted, 999_999, 10**30])
    assert [each.is_accepted for each in answers] == [False, False, True, False, False]
    assert "disputed" in answers[0].sentence
    assert answers[3].sentence == "There is no such document for you."
    assert accepting.awaiting(world.actor("stan")).count() == 0
    with pytest.raises(NotFoundError):
        accepting.accept_many(world.actor("stan"), below=world.groups["shop"].pk)
    with pytest.raises(InputRefusedError, match="Nothing is named"):
        accepting.accept_many(world.actor("eva"))


def test_a_deputy_accepts_in_the_name_of_the_absent(world: World) -> None:
    today = timezone.localdate()
    Delegation.objects.create(person=world.people["ada"], deputy=world.people["stan"], from_on=today, until_on=today)
    accepting.accept(world.actor("stan"), world.documents["shop"].pk)
    assert _last().person_name == "Stan (for Ada)"


def test_a_line_is_disputed_and_the_dispute_withdrawn(world: World) -> None:
    shop = world.documents["shop"]
    made = disputing.dispute(
        world.actor("ada"), shop.pk, line=1, reason="wrong_amount", text=" Too\r\nmuch\x00\u202e ", claimed_minor=2_500
    )
    shop.refresh_from_db()
    assert (shop.review_state, made.text, made.amount_minor, made.currency) == (
        Review.DISPUTED, "Too\nmuch", 2_500, "USD",
    )  # fmt: skip
    assert (_last().act, _last().subject) == ("dispute", f"Dispute about line 1 of {shop.label}")
    assert '"claimed_minor":2500' in _last().after
    told = set(Message.objects.values_list("person__name", flat=True))
    assert told == {"Cora", "Carl", "Tom"}
    with pytest.raises(StateError):
        accepting.accept(world.actor("tom"), shop.pk)
    with pytest.raises(DisputedAlreadyError):
        disputing.dispute(world.actor("tom"), shop.pk, line=1, reason="not_ours", text="me too")
    with pytest.raises(DisputedAlreadyError):
        disputing.dispute(world.actor("tom"), shop.pk, line=None, reason="not_ours", text="all of it")
    assert disputing.disputable(world.actor("ada"), shop.pk) == {2: 3_000, 3: 5_001}
    disputing.dispute(world.actor("tom"), shop.pk, line=3, reason="not_ours", text="not this either")
    with pytest.raises(NotFoundError):
        disputing.withdraw(world.actor("stan"), made.pk)
    with pytest.raises(ForbiddenError):
        disputing.withdraw(world.actor("cora"), made.pk)
    disputing.withdraw(world.actor("tom"), made.pk, reason="found it")
    shop.refresh_from_db()
    assert shop.review_state == Review.DISPUTED
    disputing.withdraw(world.actor("ada"), Dispute.objects.get(line=3).pk)
    shop.refresh_from_db()
    assert shop.review_state == Review.AWAITING
    disputing.dispute(world.actor("ada"), shop.pk, line=None, reason="unclear", text="again, all of it")
    assert chain.verify().breaks == ()


@pytest.mark.parametrize(
    ("given", "error"),
    [({"line": 9}, NoSuchLineError), ({"line": -1}, NoSuchLineError), ({"line": 10**30}, NoSuchLineError),
     ({"line": 1, "claimed_minor": 10_001}, ClaimError), ({"line": 1, "claimed_minor": -1}, ClaimError),
     ({"line": 1, "claimed_minor": 10**30}, ClaimError), ({"line": 1, "currency": "EUR"}, ClaimError),
     ({"line": 1, "reason": "because"}, InputRefusedError), ({"line": 1, "text": " \x00\u200e "}, InputRefusedError),
     ({"line": 1, "text": "x" * 10_001}, InputRefusedError), ({"line": None, "currency": "EUR"}, NoSuchLineError)],
)  # fmt: skip
def test_a_claim_that_cannot_be_changes_nothing(world: World, given: dict[str, object], error: type[Exception]) -> None:
    shop, entries = world.documents["shop"], AuditEntry.objects.count()
    values: dict[str, object] = {"line": 1, "reason": "not_ours", "text": "No", **given}
    with pytest.raises(error):
        disputing.dispute(world.actor("ada"), shop.pk, **values)  # type: ignore[arg-type]
    shop.refresh_from_db()
    assert (shop.review_state, Dispute.objects.count()) == (Review.AWAITING, 0)
    assert (AuditEntry.objects.count(), Message.objects.count()) == (entries, 0)


def test_after_the_deadline_a_document_that_awaits_can_be_disputed_but_not_further(world: World) -> None:
    shop = world.documents["shop"]
    review_world.past(shop)
    disputing.dispute(world.actor("ada"), shop.pk, line=1, reason="not_ours", text="No")
    with pytest.raises(StateError, match="deadline has passed"):
        disputing.dispute(world.actor("ada"), shop.pk, line=3, reason="not_ours", text="No")


def test_a_controller_reopens_with_time_to_read_it(world: World) -> None:
    shop = world.documents["shop"]
    accepting.accept(world.actor("ada"), shop.pk)
    review_world.past(shop)
    for who in ("ada", "nina", "audrey"):
        with pytest.raises(ForbiddenError):
            reviewing.reopen(world.actor(who), shop.pk, "please")
    with pytest.raises(InputRefusedError):
        reviewing.reopen(world.actor("cora"), shop.pk, " ")
    row = reviewing.reopen(world.actor("cora"), shop.pk, "Ada asked for it")
    assert (row.review_state, row.reviewed_by) == (Review.AWAITING, None)
    assert row.review_until is not None
    assert row.review_until >= timezone.localdate() + timedelta(days=2)
    assert (_last().act, _last().reason) == ("reopen", "Ada asked for it")
    assert set(Message.objects.filter(key__startswith="reopened").values_list("person__name", flat=True)) == {
        "Ada",
        "Tom",
    }
    accepting.accept(world.actor("ada"), shop.pk)
    assert Message.objects.filter(key__startswith="accepted").count() == 2
    Close.objects.create(period="2026-10", sealed_at=timezone.now())
    with pytest.raises(StateError, match="sealed"):
        reviewing.reopen(world.actor("cora"), shop.pk, "once more")


def test_a_deadline_is_extended_for_all_or_none(world: World) -> None:
    shop, search = world.documents["shop"], world.documents["search"]
    until = review_world.in_a_week() + timedelta(days=3)
    accepting.accept(world.actor("stan"), search.pk)
    with pytest.raises(StateError, match="no review deadline"):
        reviewing.extend_deadline(world.actor("cora"), [shop.pk, search.pk], until, "holidays")
    shop.refresh_from_db()
    assert shop.review_until == review_world.in_a_week()
    with pytest.raises(ForbiddenError):
        reviewing.extend_deadline(world.actor("ada"), [shop.pk], until, "holidays")
    for day in (
        review_world.in_a_week(),
        timezone.localdate() - timedelta(days=1),
        timezone.localdate() + timedelta(days=900),
    ):
        with pytest.raises(InputRefusedError):
            reviewing.extend_deadline(world.actor("cora"), [shop.pk], day, "holidays")
    assert (
        reviewing.extend_deadline(world.actor("cora"), [shop.pk, shop.pk], until, "holidays")[0].review_until == until
    )
    assert (_last().act, _last().subject, _last().reason) == ("extend deadline", shop.label, "holidays")
    assert set(Message.objects.filter(key__startswith="extended").values_list("person__name", flat=True)) == {
        "Ada",
        "Tom",
    }


def test_people_are_named_in_a_comment_if_they_may_see_it(world: World) -> None:
    shop = world.documents["shop"]
    text = "@tom and @CORA@brightwater.example, see @stan; mail me at x@ada.example or @nobody. @cora."
    made = commenting.comment(world.actor("ada"), shop.pk, text, line=1, mention=[world.people["eva"].pk])
    assert set(Mention.objects.filter(comment=made).values_list("person__name", flat=True)) == {"Tom", "Cora", "Eva"}
    assert set(Message.objects.values_list("person__name", flat=True)) == {"Tom", "Cora", "Eva"}
    assert _last().act == "comment"
    for number in (world.people["stan"].pk, 10**12):
        with pytest.raises(InputRefusedError, match="may not see"):
            commenting.comment(world.actor("ada"), shop.pk, "hello", mention=[number])
    commenting.comment(world.actor("cora"), shop.pk, "Looking into it", line=1)
    answer = Message.objects.filter(subject__contains="answered")
    assert set(answer.values_list("person__name", flat=True)) == {"Ada"}
    with pytest.raises(NotFoundError):
        commenting.comment(world.actor("ada"), shop.pk, "hello", line=77)
    with pytest.raises(NotFoundError):
        commenting.comment(world.actor("stan"), shop.pk, "hello")
    with pytest.raises(ForbiddenError):
        commenting.comment(world.actor("audrey"), shop.pk, "hello")
    assert Comment.objects.count() == 2


def test_a_comment_belongs_to_its_own_documents_dispute(world: World) -> None:
    shop, checkout = world.documents["shop"], world.documents["checkout"]
    made = disputing.dispute(world.actor("ada"), shop.pk, line=1, reason="not_ours", text="No")
    with pytest.raises(NotFoundError):
        commenting.comment(world.actor("ada"), checkout.pk, "hello", dispute=made.pk)
    commenting.comment(world.actor("cora"), shop.pk, "Why?", dispute=made.pk)
    assert Message.objects.filter(subject__contains="answered", person=world.people["ada"]).count() == 1


@pytest.mark.parametrize("code", ["unallocated"])
def test_what_nobody_is_charged_with_is_for_those_who_see_everything(world: World, code: str) -> None:
    made = Document.objects.create(kind="statement", period="2026-10", holder=code, name="Rest", body_digest="0")
    act: Callable[[Actor], object]
    for act in (lambda actor: accepting.accept(actor, made.pk), lambda actor: commenting.comment(actor, made.pk, "?")):
        with pytest.raises(NotFoundError):
            act(world.actor("eva"))
