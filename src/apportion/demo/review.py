"""The review of the example company: every month issued, answered and sealed by its people, and the last one in review.

Everything goes through the acts, as if people had pressed the buttons; only the clock is the story's.
"""

from __future__ import annotations

from apportion.actions.close import charging, closing, issuing, sealing
from apportion.actions.post import handing_over, journals, posting
from apportion.actions.review import accepting, commenting, deciding, disputing
from apportion.close.month import Month
from apportion.demo import clock, people
from apportion.demo.story import FIRST
from apportion.organization.cost_group import Organization
from apportion.periods import BillingPeriod
from apportion.records import upkeep
from apportion.records.documents import Document, DocumentLine
from apportion.records.groups import Charging, CostGroup
from apportion.records.work import Message
from apportion.review.states import Issue, Review

# From which month of the story on divisions are charged; the others stay in showback.
CHARGED = {5: ("shop", "parcels"), 8: ("platform", "data-and-ai")}
UPHELD = 9  # in August 2026 a dispute is upheld
_ACCEPT_FIRST = ("shop", "fleet", "corporate", "nordic-corporate")


def begin(organization: Organization) -> int:
    """Make the books and the people; gives how many people."""
    upkeep.migrate()
    with clock.at(clock.after(FIRST, 1)):
        return people.introduce(organization)


def month(done: Month, place: int, *, is_last: bool) -> None:
    """Take an allocated month through its close; the last one stops in the middle of its review."""
    period = done.run.period
    begins = (
        [clock.ago(72), clock.ago(70), clock.ago(48)]
        if is_last
        else [
            clock.after(period, 3),
            clock.after(period, 5),
            clock.after(period, 6),
        ]
    )
    with clock.at(begins[0]):
        closing.mark_data_complete(people.actor("analyst"), period)
    with clock.at(begins[1]):
        closing.adopt(people.actor("analyst"), done)
        people.appoint_executive()
        _charge(place, period)
    with clock.at(begins[2]):
        issuing.issue(people.actor("controller"), period, done=done)
    if is_last:
        _in_review(period)
    else:
        _answered(done, place)
    Message.objects.all().delete()  # nobody of the example company reads mail


def _charge(place: int, period: BillingPeriod) -> None:
    for code in CHARGED.get(place, ()):
        top = CostGroup.objects.get(code=code)
        for group in CostGroup.objects.filter(path__startswith=top.path, is_current=True):
            reason = "Quiet months in showback; the division agreed to be charged."
            charging.set_charging(people.actor("controller"), group.pk, Charging.CHARGEBACK, period, reason)


def _answered(done: Month, place: int) -> None:
    """An earlier month: accepted, posted and sealed."""
    period = done.run.period
    if place == UPHELD:
        _upheld(period)
    with clock.at(clock.after(period, 9, 14)):
        for code in ("shop", "parcels", "rides", "fleet"):
            top = CostGroup.objects.filter(code=code, is_current=True).first()
            if top is not None:
                accepting.accept_many(people.actor(f"{code}-finance"), below=top.pk)
    with clock.at(clock.after(period, 12)):
        for top in CostGroup.objects.filter(parent__isnull=True, is_current=True):
            accepting.accept_many(people.actor("executive"), below=top.pk)
    with clock.at(clock.after(period, 14)):
        if posting.exportable(period).exists():
            made = journals.draw_up(people.actor("second-controller"), period)
            journals.approve(people.actor("controller"), made.pk)
            handing_over.export(people.actor("second-controller"), made.pk)
            reference = f"CL-{period.year}{period.month:02d}-001"
            handing_over.confirm(people.actor("second-controller"), made.pk, reference)
    with clock.at(clock.after(period, 20)):
        sealing.seal(people.actor("second-controller"), period, done=done)


def _upheld(period: BillingPeriod) -> None:
    """A dispute that was right: the cost stays with the payer, and a credit note says so."""
    line = _line("tracking", period)
    if line is None:
        return
    with clock.at(clock.after(period, 7)):
        made = disputing.dispute(
            people.actor("tracking"),
            line.document_id,
            line=line.number,
            reason="wrong_amount",
            text="A load test that the platform team ordered ran in our account for two days.",
            claimed_minor=line.amount_minor * 3 // 10,
        )
    with clock.at(clock.after(period, 8)):
        deciding.propose_decision(
            people.actor("controller"),
            made.pk,
            "upheld",
            settle="kept_central",
            reason="The order of the load test names the platform team; the company keeps the cost.",
            upheld_minor=line.amount_minor * 3 // 10,
        )
        deciding.approve_decision(people.actor("second-controller"), made.pk)


def _in_review(period: BillingPeriod) -> None:
    """The last month: some have accepted, one objects, one decision waits for a second controller."""
    with clock.at(clock.ago(30)):
        disputed = _line("search", period)
        if disputed is not None:
            made = disputing.dispute(
                people.actor("search"),
                disputed.document_id,
                line=disputed.number,
                reason="wrong_share",
                text="Our indexes moved to the data platform in the middle of the month, so our share should fall.",
            )
            commenting.comment(
                people.actor("analyst"),
                made.document_id,
                "I am looking at the usage that the clusters delivered. @data-platform, can you confirm the day?",
                dispute=made.pk,
            )
    with clock.at(clock.ago(26)):
        waiting = _line("assistants", period)
        if waiting is not None:
            proposed = disputing.dispute(
                people.actor("assistants-lead"),
                waiting.document_id,
                line=waiting.number,
                reason="not_ours",
                text="A part of this is the pilot of the corporate division.",
                claimed_minor=waiting.amount_minor // 4,
            )
            deciding.propose_decision(
                people.actor("controller"),
                proposed.pk,
                "upheld",
                settle="cost_group",
                settle_to=CostGroup.objects.get(code="it-workplace").pk,
                reason="The pilot was ordered by IT workplace, who agreed to take a quarter.",
                upheld_minor=waiting.amount_minor // 4,
            )
    with clock.at(clock.ago(20)):
        for code in _ACCEPT_FIRST:
            top = CostGroup.objects.filter(code=code, is_current=True).first()
            if top is not None:
                accepting.accept_many(people.actor(f"{code}-finance"), below=top.pk)
        asked = Document.objects.filter(period=str(period), cost_group__code="maps", issue_state=Issue.ISSUED).first()
        if asked is not None:
            text = "Why is there more support cost than last month? Our machines are the same."
            commenting.comment(people.actor("maps"), asked.pk, text)


def _line(code: str, period: BillingPeriod) -> DocumentLine | None:
    """The largest line of a group's document."""
    rows = DocumentLine.objects.filter(
        document__period=str(period),
        document__cost_group__code=code,
        document__issue_state=Issue.ISSUED,
        document__review_state=Review.AWAITING,
        amount_minor__gt=0,
    )
    return rows.order_by("-amount_minor").first()
