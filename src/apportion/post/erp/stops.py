"""Why a push, or taking one back, goes no further: what is said of an entry and a target."""

from __future__ import annotations

from collections.abc import Iterable

from apportion.errors import InputRefusedError, Place
from apportion.post.erp.book import Push
from apportion.post.erp.document import Document
from apportion.post.erp.errors import DuplicatePushError, TargetBusyError
from apportion.post.erp.target import Found


def posted_already(target: str, entry: str) -> InputRefusedError:
    """What is posted is not withdrawn."""
    return InputRefusedError(
        f"Entry {entry} is posted in {target}.",
        place=Place(entry),
        advice="Push the journal to its end, then reverse it.",
    )


def sent_already(target: str, entry: str) -> InputRefusedError:
    """What was sent to a ledger that does not answer, or may have been, is not withdrawn."""
    return InputRefusedError(
        f"Entry {entry} was sent to {target}, which does not say whether it arrived.",
        place=Place(entry),
        advice="Push the journal to its end, confirm it, then reverse it.",
    )


def not_sent(target: str, entry: str) -> InputRefusedError:
    """Only what was sent whole is confirmed, and under a number."""
    return InputRefusedError(
        f"Entry {entry} was not sent to {target}, or there is no number.",
        place=Place(entry),
        advice="Push it first, and write the number that the ledger gave it.",
    )


def nothing_to_reverse(target: str, document: Document) -> InputRefusedError:
    """A reversal needs what it takes back."""
    return InputRefusedError(
        f"Entry {document.entry} takes back {document.reverses}, which is not posted in {target}.",
        place=Place(document.entry),
        advice="Push that one first. What was never posted needs no reversal: withdraw its push.",
    )


def posted_though_given_up(target: str, push: Push) -> DuplicatePushError:
    """A push that was given up came late, and a newer one stands."""
    return DuplicatePushError(
        f"Entry {push.slot.entry} is posted in {target} by a push that was given up ({push.key}).",
        place=Place(push.slot.entry),
        advice="Reverse that entry in the ledger, and look for other programs that push the same journal.",
    )


def posted_twice(target: str, entry: str, posted: Iterable[Found]) -> DuplicatePushError:
    """Two entries of the ledger carry the same key."""
    return DuplicatePushError(
        f"Entry {entry} is in {target} twice: {' and '.join(each.number or each.reference for each in posted)}.",
        place=Place(entry),
        advice="Reverse one of them in the ledger.",
    )


def worked_on(target: str, entry: str) -> TargetBusyError:
    """Somebody else changes what carries our key while we look at it."""
    return TargetBusyError(f"Another push works on entry {entry} in {target}.", advice="Let it end, then push again.")
