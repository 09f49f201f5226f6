"""The text of a policy: read and checked as a whole, and rules put into it with every other byte left as it is."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from apportion import organization as organization_room
from apportion.allocate import policy_checks, policy_file
from apportion.allocate.policy import Policy
from apportion.errors import ApportionError, ConservationError, DocumentError, Mistake, Place
from apportion.methodology.difference import Kind, Part, differences
from apportion.warehouse.store import Workspace

_PLAIN = re.compile(r"[a-z][a-z0-9_-]*")
_NULLS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule to be put in: charges with these values go to this cost group.

    Keys of `match` are columns or ``tags.KEY``; an empty value asks that there is none. `before` is the id of the rule
    that would take the charges first; empty: they meet no rule, so the new one may stand last.
    """

    id: str
    name: str
    match: Mapping[str, str]
    cost_group: str
    before: str = ""


@lru_cache(maxsize=32)
def parsed(text: str, name: str = "policy.yaml") -> Policy:
    """The policy that a text holds. Raises `DocumentError` with every mistake, at line and column of `name`."""
    with tempfile.TemporaryDirectory(prefix="apportion-policy-") as directory:
        path = Path(directory) / "policy.yaml"
        path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
        try:
            return policy_file.read(path)
        except DocumentError as error:
            raise DocumentError([_named(mistake, name) for mistake in error.mistakes]) from None
        except ApportionError as error:
            place = replace(error.place, file=name) if error.place else Place(name)
            raise DocumentError([Mistake(error.code, error.sentence, place, error.advice)]) from None


def checked(text: str, place: Workspace) -> Policy:
    """The same, also checked against today's organization of the workspace. Raises `DocumentError`."""
    name = place.settings.policy
    policy = parsed(text, name)
    organization = organization_room.read(place.root / place.settings.organization)
    if mistakes := policy_checks.check(policy, organization):
        raise DocumentError([_named(mistake, name) for mistake in mistakes])
    return policy


def _named(mistake: Mistake, name: str) -> Mistake:
    return replace(mistake, place=replace(mistake.place, file=name))


def line_end(text: str) -> str:
    """The line end that a text uses."""
    found = _LINE_END.search(text)
    return found[0] if found else "\n"


def like(text: str, other: str) -> str:
    """The text with the line ends of the other: forms send all of theirs as CR and LF."""
    return _LINE_END.sub(lambda _: line_end(other), text)


def with_rules(text: str, rules: Sequence[NewRule]) -> str:
    """The text with rules put in, each before the rule it names, else after the last one; nothing else is touched.

    Raises `ConservationError` if what the policy says changed in any other way, and `DocumentError`.
    """
    changed = text
    for rule in rules:
        changed = _with(changed, rule)
    found = differences(parsed(text), parsed(changed))
    added = [change.id for change in found if change.part is Part.RULES and change.kind is Kind.ADDED]
    if sorted(added) != sorted(rule.id for rule in rules) or len(found) != len(added):
        raise ConservationError("Putting the rules into the policy would change something else in it.")
    return changed


def fresh_id(wanted: str, taken: Sequence[str]) -> str:
    """An id that nothing has yet."""
    known = {each.casefold() for each in taken}
    number, found = 1, wanted
    while found.casefold() in known:
        number += 1
        found = f"{wanted}-{number}"
    return found


def _with(text: str, rule: NewRule) -> str:
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    listed = next(value for key, value in root.value if key.value == "rules")
    ids = [_id_of(item) for item in listed.value]
    place = ids.index(rule.before) if rule.before in ids else None
    if listed.flow_style:
        if place is None:
            at = listed.value[-1].end_mark.index
            return f"{text[:at]}, {_flow(rule)}{text[at:]}"
        at = listed.value[place].start_mark.index
        return f"{text[:at]}{_flow(rule)}, {text[at:]}"
    column = listed.start_mark.column
    end = line_end(text)
    block = "".join(f"{' ' * column}{line}{end}" for line in _block(rule))
    if place is None:
        at = _after(text, _last(listed.value[-1]))
        missing = end if at and text[at - 1] not in "\r\n" else ""
        return f"{text[:at]}{missing}{block}{text[at:]}"
    dashes = [
        token.start_mark.index
        for token in yaml.scan(text, Loader=yaml.SafeLoader)
        if isinstance(token, yaml.BlockEntryToken)
        and token.start_mark.column == column
        and listed.start_mark.index <= token.start_mark.index < listed.end_mark.index
    ]
    at = _with_comment(text, _line_start(text, dashes[place]), listed.start_mark.index)
    return f"{text[:at]}{block}{text[at:]}"


def _id_of(item: Any) -> str:
    return next((str(value.value) for key, value in item.value if key.value == "id"), "")


def _last(node: Any) -> int:
    """Where the last thing that is written of a node ends; a block's own mark lies behind the comments after it."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _last(last[1] if isinstance(node, yaml.MappingNode) else last)


def _after(text: str, at: int) -> int:
    """The beginning of the line after this place; a block of text has its mark there already."""
    if at and text[at - 1] in "\r\n":
        return at
    found = _LINE_END.search(text, at)
    return found.end() if found else len(text)


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def _with_comment(text: str, at: int, first: int) -> int:
    """Before the comment that stands right above: it belongs to the rule below it."""
    while at > first:
        above = _line_start(text, at - (2 if text[at - 2 : at] == "\r\n" else 1))
        if above < _line_start(text, first) or not text[above:at].lstrip(" ").startswith("#"):
            return at
        at = above
    return at


def _block(rule: NewRule) -> Iterator[str]:
    yield f"- id: {_scalar(rule.id)}"
    yield f"  name: {_scalar(rule.name)}"
    yield f"  when: {_when(rule)}"
    yield f"  charge_to: {{cost_group: {_scalar(rule.cost_group)}}}"


def _flow(rule: NewRule) -> str:
    return (
        f"{{id: {_scalar(rule.id)}, name: {_scalar(rule.name)}, when: {_when(rule)}, "
        f"charge_to: {{cost_group: {_scalar(rule.cost_group)}}}}}"
    )


def _when(rule: NewRule) -> str:
    asked = (
        f"{_key(key)}: {_scalar(value) if value else '{exists: false}'}" for key, value in sorted(rule.match.items())
    )
    return f"{{{', '.join(asked)}}}"


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", key) else json.dumps(key, ensure_ascii=False)


def _scalar(value: str) -> str:
    """Plain where nobody could read it otherwise, else in double quotes as JSON writes them, which YAML reads."""
    if _PLAIN.fullmatch(value) and value not in _NULLS:
        return value
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\x7f").replace("\ufeff", "\\ufeff")
