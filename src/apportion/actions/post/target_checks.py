"""Can the targets of the settings be used? Secrets, files and formats are read, and the ledger is asked a question."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from apportion.actions.post import ledgers, verifying
from apportion.actions.post.verifying import Told
from apportion.actions.workspace import workspace
from apportion.errors import ApportionError, Mistake, Place
from apportion.post.erp.book import Slot, key_of
from apportion.post.erp.opening import checked, format_of
from apportion.post.erp.target import Target
from apportion.settings.targets import FILES, KINDS, TargetSettings


@dataclass(frozen=True, slots=True)
class TargetLook:
    """A target as it stands. `where` is its address, folder or machine; `format` of what takes files, else empty.

    `kinds` are the journals that go there, empty for all. `faults` keep it from being used. `reached` is whether the
    ledger has answered and knows us; None where it was not asked, or cannot be. `told` is what it was last verified to.
    """

    name: str
    kind: str
    title: str
    where: str
    format: str
    kinds: tuple[str, ...]
    faults: tuple[Mistake, ...]
    reached: bool | None
    told: Told | None


def looks(*, asked: bool = True) -> tuple[TargetLook, ...]:
    """Every target, the one of files that is always there included; `asked` or by the settings alone.

    A ledger is asked for an entry that it does not have, by reading; nothing is changed there.
    """
    place = workspace()
    return tuple(
        _look(name, place.settings.targets.get(name) or TargetSettings(kind="files"), place.root, asked=asked)
        for name in ledgers.targets(place.settings)
    )


def _look(name: str, found: TargetSettings, root: Path, *, asked: bool) -> TargetLook:
    faults = checked(name, found, root)
    reached: bool | None = None
    if asked and not faults and found.kind not in (FILES, "folder"):
        try:
            _ask(ledgers.open_target(name), found)
            reached = True
        except ApportionError as error:
            reached = False
            place = error.place or Place("apportion.yaml", field=f"targets.{name}")
            faults = (Mistake(error.code, error.sentence, place, error.advice),)
    return TargetLook(
        name,
        found.kind,
        KINDS[found.kind].title,
        _where(found),
        "" if found.is_called else format_of(found),
        tuple(found.kinds),
        faults,
        reached,
        verifying.last(name),
    )


def _ask(target: Target, found: TargetSettings) -> None:
    """Raises what the target raises where it cannot be reached, or does not know us or a company."""
    if not target.traits.answers:
        target.check(())
        return
    for company in found.companies:
        target.find(company, key_of(Slot(target.name, "is anybody there", company), 1))


def _where(found: TargetSettings) -> str:
    if found.kind == FILES:
        return "journals/"
    if found.is_called:
        return found.url or found.environment or found.account
    return f"{found.host}:{found.folder}" if found.host else found.folder
