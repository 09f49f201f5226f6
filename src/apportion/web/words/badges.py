"""States in words, each with an icon and a tone: the one list of how they look."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from apportion.post.erp.book import PushState
from apportion.post.lifecycle import JournalState
from apportion.records.groups import Charging
from apportion.records.work import MessageState, WorkState
from apportion.review.dispute import Status
from apportion.review.states import Issue, Posting, Review


@dataclass(frozen=True, slots=True)
class Badge:
    """`tone` is one of quiet, wait, good, bad and note."""

    words: str
    icon: str
    tone: str


_BADGES: dict[str, dict[str, Badge]] = {
    "document": {
        Issue.OPEN: Badge(_("Draft"), "circle-dashed", "quiet"),
        Issue.ISSUED: Badge(_("Issued"), "file-check", "note"),
        Issue.VOIDED: Badge(_("Voided"), "ban", "quiet"),
        Review.NONE: Badge(_("Not in review"), "minus", "quiet"),
        Review.AWAITING: Badge(_("Awaiting review"), "hourglass", "wait"),
        Review.ACCEPTED: Badge(_("Accepted"), "circle-check", "good"),
        Review.DEEMED: Badge(_("Deemed accepted"), "clock", "good"),
        Review.DISPUTED: Badge(_("Disputed"), "message-question", "bad"),
        Posting.UNPOSTED: Badge(_("Not posted"), "circle-dashed", "quiet"),
        Posting.EXPORTED: Badge(_("Exported"), "upload", "wait"),
        Posting.POSTED: Badge(_("Posted"), "building-bank", "good"),
        Posting.REVERSED: Badge(_("Reversed"), "arrow-back-up", "bad"),
    },
    "journal": {
        JournalState.DRAWN_UP: Badge(_("Waits for approval"), "hourglass", "wait"),
        JournalState.APPROVED: Badge(_("Approved"), "circle-check", "note"),
        JournalState.HANDED_OVER: Badge(_("On its way"), "upload", "wait"),
        JournalState.POSTED: Badge(_("Posted"), "building-bank", "good"),
        JournalState.REVERSED: Badge(_("Reversed"), "arrow-back-up", "bad"),
        JournalState.WITHDRAWN: Badge(_("Withdrawn"), "ban", "quiet"),
    },
    "push": {
        PushState.RESERVED: Badge(_("Begun, to be looked up"), "hourglass", "wait"),
        PushState.SENT: Badge(_("Sent, to be confirmed"), "send", "wait"),
        PushState.CREATED: Badge(_("Draft in the ledger"), "file-text", "wait"),
        PushState.POSTED: Badge(_("Posted"), "building-bank", "good"),
        PushState.REJECTED: Badge(_("Refused"), "circle-x", "bad"),
        PushState.WITHDRAWN: Badge(_("Taken back"), "ban", "quiet"),
        PushState.REVERSED: Badge(_("Reversed"), "arrow-back-up", "bad"),
    },
    "dispute": {
        Status.OPEN: Badge(_("Open"), "message-question", "wait"),
        Status.PROPOSED: Badge(_("Decision proposed"), "gavel", "wait"),
        Status.UPHELD: Badge(_("Upheld"), "circle-check", "good"),
        Status.PARTLY_UPHELD: Badge(_("Partly upheld"), "scale", "good"),
        Status.REJECTED: Badge(_("Rejected"), "circle-x", "bad"),
        Status.WITHDRAWN: Badge(_("Withdrawn"), "arrow-back-up", "quiet"),
    },
    "work": {
        WorkState.WAITING: Badge(_("Waiting"), "clock", "wait"),
        WorkState.RUNNING: Badge(_("Running"), "player-play", "note"),
        WorkState.DONE: Badge(_("Done"), "circle-check", "good"),
        WorkState.FAILED: Badge(_("Failed"), "alert-circle", "bad"),
        MessageState.SENT: Badge(_("Sent"), "circle-check", "good"),
    },
    "charging": {
        Charging.SHOWBACK: Badge(_("Showback"), "eye", "note"),
        Charging.CHARGEBACK: Badge(_("Chargeback"), "receipt", "good"),
    },
}


def badge(kind: str, state: object) -> Badge:
    """How a state looks; one that is not known is shown as it is written."""
    return _BADGES[kind].get(str(state)) or Badge(str(state).replace("_", " "), "circle-dot", "quiet")
