"""How ``apportion policy diff`` answers: where the two policies come from, and what is printed of their differences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from apportion.cli.face import Face, shown_path

if TYPE_CHECKING:
    from apportion.allocate.policy import Policy
    from apportion.methodology.difference import Change, Part

VERSION = 1
_PERIOD = re.compile(r"\d{4}-\d{2}")


def answer(face: Face, old: str, new: str | None) -> None:
    """Compare the two policies, and print or give what differs."""
    from apportion.methodology.difference import differences

    sides = [_policy(face, old), _policy(face, new)]
    (old_from, before), (new_from, after) = sides
    found = differences(before, after)
    face.give(
        {
            "document": "policy_diff",
            "version": VERSION,
            "old": _side(old_from, before),
            "new": _side(new_from, after),
            "same": not found,
            "changes": [_document(change) for change in found],
        }
    )
    if face.as_json:
        return
    face.say(f"From {before.name} ({old_from}, digest {before.digest[:12]})", "bold")
    face.say(f"to   {after.name} ({new_from}, digest {after.digest[:12]})", "bold")
    _show(face, found)
    if not found:
        same = "The two policies are the same"
        face.say(same + ("." if before.digest == after.digest else "; only the text of the files differs."), "green")


def _policy(face: Face, named: str | None) -> tuple[str, Policy]:
    """Where a policy comes from, in words, and the policy."""
    from apportion import settings as settings_file
    from apportion.allocate import policy_file
    from apportion.cli.arguments import read_period
    from apportion.close import run as runs

    if named is not None and _PERIOD.fullmatch(named) and not Path(named).exists():
        return f"as frozen with {named}", runs.frozen(face.workspace(), read_period(named))[1]
    if named is None:
        root = face.root()
        path = root / settings_file.load(root).policy
    else:
        path = Path(named)
    return shown_path(path), policy_file.read(path)


def _side(source: str, policy: Policy) -> dict[str, object]:
    return {"source": source, "name": policy.name, "digest": policy.digest}


def _document(change: Change) -> dict[str, object]:
    from apportion.methodology.difference import sentence

    return {
        "part": str(change.part),
        "kind": str(change.kind),
        "id": change.id or None,
        "name": change.name or None,
        "about": change.about or None,
        "before": change.before or None,
        "after": change.after or None,
        "sentence": sentence(change),
    }


_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow"), "moved": ("~", "yellow")}


def _show(face: Face, found: Sequence[Change]) -> None:
    """The differences by part, those of one rule or pool together."""
    from apportion.cli.amounts import count
    from apportion.methodology.difference import Kind, sentence

    for part, changes in groupby(found, key=lambda change: change.part):
        face.say()
        face.say(_title(part), "bold")
        for (code, name), each in groupby(_together(list(changes)), key=lambda change: (change.id, change.name)):
            told = list(each)
            sign, style = _SIGNS[str(told[0].kind)]
            label = f"{name} ({code})" if name not in ("", code) else code
            if label:
                word = "" if told[0].kind in (Kind.CHANGED, Kind.MOVED) else f", {told[0].kind}"
                face.say(f"{sign} {label}{word}", style)
            for change in told:
                if text := sentence(change):
                    face.say(f"    {text}" if label else f"{sign} {text}", "" if label else style)
    if found:
        face.say()
        counts = [f"{number} {kind}" for kind in Kind if (number := sum(change.kind is kind for change in found))]
        face.say(f"{count(len(found), 'difference')}: {', '.join(counts)}.")


def _together(changes: Sequence[Change]) -> list[Change]:
    """The changes of one element beside each other, elements in the order in which they come up."""
    order = {key: at for at, key in enumerate(dict.fromkeys((change.id, change.name) for change in changes))}
    return sorted(changes, key=lambda change: order[change.id, change.name])


def _title(part: Part) -> str:
    return {"policy": "The policy", "aliases": "Tables of spellings", "consumers": "Whose usage it is"}.get(
        str(part), str(part).capitalize()
    )
