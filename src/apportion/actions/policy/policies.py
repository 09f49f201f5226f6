"""Versions of the policy: written, simulated, proposed by one person and approved by another, then put into the file.

What the file says is the active policy. Somebody may edit it by hand: then the books take note of its text as a version
of its own, and a version that was based on the former text has to be looked at again before it can be approved.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone

from apportion.actions.acting import Actor, locked, person_of, recorded, require_second_person, timer
from apportion.actions.policy import policy_text
from apportion.actions.words import cleaned, said
from apportion.actions.workspace import workspace
from apportion.errors import ApportionError, DocumentError, InputRefusedError, Mistake, Place, StorageError
from apportion.records.policies import Claim, ClaimState, PolicyState, PolicyVersion
from apportion.review.permission import Permission
from apportion.review.states import StateError
from apportion.warehouse.store import Workspace
from apportion.yamlfile import read_bytes

_OPEN = (PolicyState.DRAFT, PolicyState.PROPOSED)


@dataclass(frozen=True, slots=True)
class Current:
    """The policy that is in use: its version, and what is wrong with the file where it cannot be read."""

    version: PolicyVersion | None
    error: ApportionError | None = None


def digest_of(text: str) -> str:
    """What names a text: the SHA-256 of its bytes, as statements carry it."""
    return hashlib.sha256(text.encode()).hexdigest()


def active() -> PolicyVersion | None:
    """The version that is in the file, as far as the books know."""
    return PolicyVersion.objects.filter(state=PolicyState.ACTIVE).order_by("-pk").first()


def adopt() -> Current:
    """Take note of the policy file's text, where it is not the active version already. Needs no permission.

    A file with mistakes is not adopted: the version before stays, and the mistakes are given.
    """
    place = workspace()
    known = active()
    try:
        text = _file_text(place)
        if known is not None and known.digest == digest_of(text):
            return Current(known)
        policy = policy_text.parsed(text, place.settings.policy)
    except ApportionError as error:
        return Current(known, error)
    with recorded(timer(), "adopt policy") as record:
        before = _lock_active()
        if before is not None and before.digest == digest_of(text):
            return Current(before)
        made = PolicyVersion.objects.create(
            digest=digest_of(text),
            name=policy.name[:300],
            text=text,
            note="Written into the file by hand." if before else "The policy that was there at the beginning.",
            state=PolicyState.ACTIVE,
            based_on=before,
            decided_at=timezone.now(),
        )
        _replace(before)
        record.about(made)
        record.changed({"digest": before.digest if before else ""}, {"digest": made.digest})
    return Current(made)


def draft(actor: Actor, text: str, note: str = "") -> PolicyVersion:
    """Keep a changed text as a draft, based on the policy that is in use. Sent twice, it is one draft.

    Raises `ForbiddenError`, `DocumentError` with every mistake in the text, and `InputRefusedError` where nothing
    changed.
    """
    actor.rights.require(Permission.PREPARE)
    author = person_of(actor)
    place = workspace()
    base = adopt().version
    text = policy_text.like(text, base.text if base else text)
    policy = policy_text.checked(text, place)
    digest = digest_of(text)
    if base is not None and base.digest == digest:
        raise InputRefusedError(
            "This is the policy that is in use: nothing was changed.", place=Place(field="text"), advice="Change it."
        )
    with recorded(actor, "draft policy") as record:
        same = PolicyVersion.objects.select_for_update().filter(digest=digest, state__in=_OPEN, author=author)
        if (found := same.filter(based_on=base).first()) is not None:
            return found
        made = PolicyVersion.objects.create(
            digest=digest, name=policy.name[:300], text=text, note=cleaned(note), based_on=base, author=author
        )
        record.about(made)
        record.changed({}, {"digest": digest, "based_on": base.digest if base else ""})
    return made


def edit(actor: Actor, version: int, text: str, note: str) -> PolicyVersion:
    """Change a draft of one's own. Raises `ForbiddenError`, `NotFoundError`, `StateError` and `DocumentError`."""
    actor.rights.require(Permission.PREPARE)
    author = person_of(actor)
    place = workspace()
    with recorded(actor, "edit policy draft") as record:
        row = locked(PolicyVersion, version)
        _require(row, PolicyState.DRAFT, "edited")
        if row.author_id != author.pk:
            raise StateError(
                "This draft is somebody else's.", advice="Write a new version from its text: then it is yours."
            )
        text = policy_text.like(text, row.text)
        policy = policy_text.checked(text, place)
        before = row.digest
        row.text, row.digest, row.name, row.note = text, digest_of(text), policy.name[:300], cleaned(note)
        fields = ["text", "digest", "name", "note"]
        if row.digest != before:
            row.simulation, row.simulated_period = {}, ""
            fields += ["simulation", "simulated_period"]
        row.save(update_fields=fields)
        record.about(row)
        record.changed({"digest": before}, {"digest": row.digest})
    return row


def propose(actor: Actor, version: int, note: str = "") -> PolicyVersion:
    """Ask a second person to approve a draft of one's own; `note` says why it is needed. Asked again, nothing happens.

    Raises `ForbiddenError`, `NotFoundError`, `StateError`, `DocumentError`, and `InputRefusedError` without a note.
    """
    actor.rights.require(Permission.PREPARE)
    author = person_of(actor)
    with recorded(actor, "propose policy") as record:
        row = locked(PolicyVersion, version)
        if row.state == PolicyState.PROPOSED:
            return row
        _require(row, PolicyState.DRAFT, "proposed")
        if row.author_id != author.pk:
            raise StateError("This draft is somebody else's.", advice="Its author proposes it.")
        row.note = said(note or row.note, "note", "Say why the policy should change: whoever approves it reads this.")
        policy_text.checked(row.text, workspace())
        row.state, row.proposed_at = PolicyState.PROPOSED, timezone.now()
        row.save(update_fields=["state", "proposed_at", "note"])
        record.about(row)
        record.changed({"state": "draft"}, {"state": "proposed", "digest": row.digest})
    return row


def approve(actor: Actor, version: int, reason: str = "") -> PolicyVersion:
    """Put a proposed version into the policy file: from the next allocation on it decides. Approved again: nothing.

    Not by its author, and only while the file still has the text that the version was based on. Raises
    `ForbiddenError`, `SamePersonError`, `NotFoundError`, `StateError`, `DocumentError`, `WorkspaceBusyError` and
    `StorageError`; nothing is changed then.
    """
    person = person_of(actor)
    actor.rights.require(Permission.APPROVE_POLICY)
    place = workspace()
    adopt()
    with place.lock("approve policy"), recorded(actor, "approve policy", reason=cleaned(reason)) as record:
        row = locked(PolicyVersion, version)
        if row.state == PolicyState.ACTIVE:
            return row
        _require(row, PolicyState.PROPOSED, "approved")
        require_second_person(actor, row.author_id)
        before = _lock_active()
        _require_base(row, before, place)
        policy_text.checked(row.text, place)
        row.state, row.decided_by, row.decided_at = PolicyState.ACTIVE, person, timezone.now()
        row.decision = cleaned(reason)
        _replace(before)
        row.save(update_fields=["state", "decided_by", "decided_at", "decision"])
        record.about(row)
        record.changed(
            {"state": "proposed", "active": before.digest if before else ""},
            {"state": "active", "active": row.digest},
        )
        # Last: what fails here undoes the rest. Killed right after it, the file is adopted as it stands.
        _write(place.root / place.settings.policy, row.text.encode())
    return row


def reject(actor: Actor, version: int, reason: str) -> PolicyVersion:
    """Say no to a version that is not in use; its author may take it back. Claims that it answered are open again.

    Raises `ForbiddenError`, `NotFoundError`, `StateError`, and `InputRefusedError` without a reason.
    """
    person = person_of(actor)
    words = said(reason, "reason", "Say why: its author reads it.")
    with recorded(actor, "reject policy", reason=words) as record:
        row = locked(PolicyVersion, version)
        if row.author_id != person.pk:
            actor.rights.require(Permission.APPROVE_POLICY)
        if row.state == PolicyState.REJECTED:
            return row
        if row.state not in _OPEN:
            raise StateError("Only a draft or a proposed version can be rejected.", advice="Write a new version.")
        before = row.state
        row.state, row.decided_by, row.decided_at, row.decision = PolicyState.REJECTED, person, timezone.now(), words
        row.save(update_fields=["state", "decided_by", "decided_at", "decision"])
        Claim.objects.filter(policy_version=row, state=ClaimState.PROPOSED).update(
            state=ClaimState.OPEN, policy_version=None
        )
        record.about(row)
        record.changed({"state": before}, {"state": "rejected"})
    return row


def _file_text(place: Workspace) -> str:
    """The text of the policy file, byte for byte. Raises `UnreadableFileError`, or `DocumentError` if not UTF-8."""
    path = place.root / place.settings.policy
    content = read_bytes(path)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        mistake = Mistake("NOT_UTF8", "The file is not UTF-8 text.", Place(path.name), "Save it as UTF-8.")
        raise DocumentError([mistake]) from None


def _lock_active() -> PolicyVersion | None:
    rows = PolicyVersion.objects.select_for_update().filter(state=PolicyState.ACTIVE)
    return rows.order_by("-pk").first()


def _replace(before: PolicyVersion | None) -> None:
    if before is not None:
        before.state = PolicyState.REPLACED
        before.save(update_fields=["state"])


def _require(row: PolicyVersion, state: PolicyState, word: str) -> None:
    if row.state != state:
        raise StateError(
            f"This version is {row.state}, and cannot be {word}.", advice="Look at the list of versions again."
        )


def _require_base(row: PolicyVersion, before: PolicyVersion | None, place: Workspace) -> None:
    """Raises `StateError` where the file has neither the text that the version came from nor its own."""
    if row.based_on is None and before is None:
        return  # there was no policy that could be read, and still is none
    base = row.based_on.digest if row.based_on else ""
    if digest_of(_file_text(place)) not in {base, row.digest}:
        raise StateError(
            "The policy file has changed since this version was written, and approving it would undo that change.",
            advice="Reject this version, and write it anew from the policy that is in use now.",
        )


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, with the rights that the file has. Raises `StorageError`."""
    target = path.resolve()
    if target.is_file() and target.read_bytes() == content:
        return
    name = ""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, name)
        Path(name).replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)
        raise StorageError(
            f"The policy file cannot be written: {error.strerror or type(error).__name__}.",
            place=Place(path.name),
            advice="Let the server's user write it, and see that the disk has room; then approve again.",
        ) from error
