"""Where journals go: the targets of the settings, and what each takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from apportion.actions.post.push_book import BooksPushBook
from apportion.actions.workspace import workspace
from apportion.errors import DocumentError, InputRefusedError, Place
from apportion.post.erp.opening import checked, opened
from apportion.post.erp.pace import Pace
from apportion.post.erp.push import Pusher
from apportion.post.erp.target import Target
from apportion.post.journal import Journal
from apportion.post.lifecycle import JournalKind
from apportion.settings import Settings
from apportion.settings.targets import FILES, TargetSettings
from apportion.warehouse.store import Workspace

__all__ = [
    "FILES",
    "alone",
    "answers",
    "found",
    "is_pushed",
    "ledger_for",
    "of_files",
    "open_target",
    "pusher",
    "require_ready",
    "targets",
]

_LOCKS = ".apportion/locks"


def targets(settings: Settings) -> tuple[str, ...]:
    """The names of all targets, those of the settings first."""
    return (*settings.targets, *(() if FILES in settings.targets else (FILES,)))


def ledger_for(settings: Settings, kind: JournalKind, target: str = "") -> str:
    """The target of a journal: the one that is asked for, or the first that takes this kind.

    Raises `InputRefusedError` for an unknown target and for one that does not take the kind.
    """
    if not target:
        return next((name for name in targets(settings) if _takes(settings, name, kind)), FILES)
    if target not in targets(settings):
        raise InputRefusedError(
            f"There is no target '{target}'.",
            place=Place(field="target"),
            advice=f"The settings know {', '.join(targets(settings))}.",
        )
    if not _takes(settings, target, kind):
        raise InputRefusedError(
            f"'{target}' takes no journals of the kind {str(kind).replace('_', ' ')}.",
            place=Place(field="target"),
            advice="Choose another, or add it to the target's 'kinds' in apportion.yaml.",
        )
    return target


def of_files(settings: Settings, target: str) -> bool:
    """Does a person carry its files to the ledger? Else a push brings the journal there.

    Raises `InputRefusedError` where the settings do not know the target any more: what was on its way by one route must
    not take another.
    """
    return target == FILES or found(settings, target).kind == FILES


def is_pushed(settings: Settings, target: str) -> bool:
    """For pages and lists, which show journals of any target: may it have been pushed to?"""
    return target != FILES and (target not in settings.targets or settings.targets[target].kind != FILES)


def answers(settings: Settings, target: str) -> bool:
    """For pages and lists: does it say itself what it has posted?"""
    return target in settings.targets and settings.targets[target].is_called


def found(settings: Settings, target: str) -> TargetSettings:
    """The settings of a target. Raises `InputRefusedError` where they were taken out since."""
    if target not in settings.targets:
        raise InputRefusedError(
            f"The settings do not know the target '{target}' any more.",
            place=Place("apportion.yaml", field="targets"),
            advice="Bring it back, or withdraw the journal and draw it up for another target.",
        )
    return settings.targets[target]


def open_target(target: str) -> Target:
    """The ledger itself; its secrets are read now. Raises `InputRefusedError` for those that are not there."""
    place = workspace()
    return opened(target, found(place.settings, target), place.root)


def pusher(target: str, book: BooksPushBook | None = None, pace: Pace | None = None) -> Pusher:
    """What brings journals to a target, with the books of pushes. Raises as `open_target` does."""
    place = workspace()
    own = book or BooksPushBook(place.root / _LOCKS)
    return Pusher(open_target(target), own, place.settings.ledger.currencies, pace or Pace())


@contextmanager
def alone(target: str, journal: Journal) -> Iterator[BooksPushBook]:
    """Nobody else pushes or withdraws the journal meanwhile; gives the book that a pusher shares this lock by.

    Raises `TargetBusyError` where somebody does for longer than we wait.
    """
    book = BooksPushBook(workspace().root / _LOCKS)
    with ExitStack() as locks:
        for company in sorted({line.company for entry in journal.entries for line in entry.postings}):
            locks.enter_context(book.alone(target, company))
        yield book


def require_ready(place: Workspace, target: str) -> None:
    """Can it be opened? Asked before a number is taken, and without a network.

    Raises `DocumentError`, and `InputRefusedError` where the settings do not know it any more.
    """
    if target != FILES:
        mistakes = checked(target, found(place.settings, target), place.root)
        if mistakes:
            raise DocumentError(mistakes)


def _takes(settings: Settings, target: str, kind: JournalKind) -> bool:
    return target not in settings.targets or settings.targets[target].takes(kind)
