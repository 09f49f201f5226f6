"""Patterns that a policy may use: globs, and regular expressions that every engine reads alike in linear time.

Regular expressions are the part of RE2's syntax that other engines understand in the same way, so no look-around,
back-references, possessive or atomic groups, and no more than 1,000 repetitions, however nested.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from apportion.yamlfile import refuse

MOST_LENGTH = 1000
MOST_REPEATS = 1000
MOST_PARTS = 10_000

_QUANTIFIER = re.compile(r"[*+?]|\{(\d+)(?:,(\d*))?\}")
_GROUP = re.compile(r"\((?:\?(?:(?P<flags>[ims]*(?:-[ims]+)?):|P<[A-Za-z_]\w*>))?", re.ASCII)
_GLOBAL_FLAGS = re.compile(r"\(\?[ims]+\)")
_ESCAPES = frozenset("dDsSwWbBAnrtfva")
_RANGE_OR_SIGN = re.compile(r"(.)-(.)|(.)", re.DOTALL)
_REFUSED_GROUPS = (
    ("(?=", "looks ahead"),
    ("(?!", "looks ahead"),
    ("(?<=", "looks behind"),
    ("(?<!", "looks behind"),
    ("(?P=", "refers back"),
    ("(?>", "is atomic"),
    ("(?(", "depends on another group"),
    ("(?#", "is a comment"),
    ("(?<", "has a name without P"),
)


def check_regex(pattern: str) -> str:
    """The pattern, if every engine can read it. Raises a refusal that names the place within it."""
    if not pattern:
        raise refuse("BAD_PATTERN", "The regular expression is empty.", "To ask for any value write {exists: true}.")
    if len(pattern) > MOST_LENGTH:
        raise refuse("BAD_PATTERN", f"The regular expression is longer than {MOST_LENGTH} characters.")
    _Scanner(pattern).scan()
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise refuse("BAD_PATTERN", f"This is not a regular expression: {error}.") from None
    return pattern


@dataclass(slots=True)
class _Open:
    """An open group: the most repetitions inside it and how many parts it unfolds to; the same of its last part."""

    repeats: int = 1
    parts: int = 0
    last_repeats: int = 1
    last_parts: int = 0

    def add(self, repeats: int, parts: int) -> None:
        self.close()
        self.last_repeats, self.last_parts = repeats, parts

    def close(self) -> None:
        self.repeats = max(self.repeats, self.last_repeats)
        self.parts += self.last_parts
        self.last_repeats, self.last_parts = 1, 0


class _Scanner:
    """One pass over the pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._open = [_Open()]

    def scan(self) -> None:
        flags = _GLOBAL_FLAGS.match(self._pattern)
        self._at = flags.end() if flags else 0
        while self._at < len(self._pattern):
            sign = self._pattern[self._at]
            if sign == "\\":
                self._escape(in_class=False)
            elif sign == "[":
                self._character_class()
            elif sign == "(":
                self._group()
            elif sign == ")":
                self._at += 1
                if len(self._open) > 1:  # else it is unbalanced, which the compiler says
                    group = self._open.pop()
                    group.close()
                    self._open[-1].add(group.repeats, group.parts + 1)
            elif found := _QUANTIFIER.match(self._pattern, self._at):
                self._repeat(found)
            elif self._pattern.startswith("{,", self._at):
                raise self._refused("'{,' means different things to different engines", "Write '{0,'.")
            else:
                self._at += 1
                self._open[-1].add(1, 1)
        self._open[0].close()
        self._measure(self._open[0].parts)

    def _measure(self, parts: int) -> None:
        if parts > MOST_PARTS:
            raise self._refused(f"it unfolds to more than {MOST_PARTS:,} parts")

    def _repeat(self, found: re.Match[str]) -> None:
        self._at = found.end()
        if self._pattern.startswith("+", self._at):
            raise self._refused("a quantifier followed by '+' is possessive", "Leave out the '+'.")
        if self._pattern.startswith("?", self._at):
            self._at += 1
        if found[1] is not None:
            times = max(int(number[:6]) for number in (found[1], found[2] or "1", "1"))
            frame = self._open[-1]
            frame.last_repeats *= times
            frame.last_parts *= times
            if frame.last_repeats > MOST_REPEATS:
                raise self._refused(f"it asks for more than {MOST_REPEATS:,} repetitions")
            self._measure(frame.last_parts)

    def _group(self) -> None:
        for opening, what in _REFUSED_GROUPS:
            if self._pattern.startswith(opening, self._at):
                raise self._refused(f"'{opening}' {what}, which takes more than linear time or is not RE2")
        found = _GROUP.match(self._pattern, self._at)
        if found is None or (found[0] == "(" and self._pattern.startswith("(?", self._at)):
            raise self._refused("this kind of group is not known", "Use (…), (?:…), (?P<name>…) or (?i:…).")
        self._at = found.end()
        self._open.append(_Open())

    def _escape(self, *, in_class: bool) -> None:
        sign = self._pattern[self._at + 1 : self._at + 2]
        if not sign:
            raise self._refused("it ends with a single backslash", "Write \\\\ for a backslash.")
        if sign.isdigit():
            raise self._refused(f"'\\{sign}' refers back to a group, which takes more than linear time")
        known = sign in _ESCAPES and not (in_class and sign in "bBA")
        hexadecimal = re.match(r"x[0-9A-Fa-f]{2}", self._pattern[self._at + 1 :])
        if sign.isalnum() and not known and not hexadecimal:
            raise self._refused(f"'\\{sign}' means nothing to every engine alike")
        if ord(sign) > 127:
            raise self._refused(f"'{sign}' needs no backslash")
        self._at += 4 if hexadecimal else 2
        if not in_class:
            self._open[-1].add(1, 1)

    def _character_class(self) -> None:
        start = self._at
        self._at += 1
        if self._pattern.startswith("^", self._at):
            self._at += 1
        first = True
        while first or not self._pattern.startswith("]", self._at):
            sign = self._pattern[self._at : self._at + 1]
            if not sign:
                self._at = start
                raise self._refused("the '[' is never closed", "Close it with ']', or write '\\[' for the sign itself.")
            if sign == "[":
                raise self._refused("a '[' inside '[…]' means different things to different engines", "Write '\\['.")
            if sign in "-&~|" and self._pattern.startswith(sign * 2, self._at):
                raise self._refused(f"'{sign * 2}' inside '[…]' means different things to different engines")
            if sign == "\\":
                self._escape(in_class=True)
            else:
                self._at += 1
            first = False
        self._at += 1
        self._open[-1].add(1, 1)

    def _refused(self, why: str, advice: str = "") -> Exception:
        return refuse("BAD_PATTERN", f"The regular expression cannot be used: character {self._at + 1}, {why}.", advice)


def check_glob(pattern: str) -> str:
    """The pattern, if it holds nothing but text, ``*``, ``?`` and ``[abc]``, ``[a-z]``, ``[!abc]``."""
    if not pattern:
        raise refuse("BAD_PATTERN", "The glob is empty.", "To ask for any value write {exists: true}.")
    if len(pattern) > MOST_LENGTH:
        raise refuse("BAD_PATTERN", f"The glob is longer than {MOST_LENGTH} characters.")
    if "\\" in pattern:
        raise refuse("BAD_PATTERN", "A glob knows no backslash.", "Write [*], [?] or [[] for these signs themselves.")
    at = 0
    while (at := pattern.find("[", at)) >= 0:
        end = pattern.find("]", at + 1)
        inside = pattern[at + 1 : end].removeprefix("!")
        if end < 0:
            raise refuse(
                "BAD_PATTERN", f"The '[' at character {at + 1} of the glob is never closed.", "Write [[] for it."
            )
        why = _wrong_set(inside)
        if why:
            raise refuse("BAD_PATTERN", f"The set at character {at + 1} of the glob {why}.")
        at = end + 1
    return pattern


def _wrong_set(inside: str) -> str:
    if not inside:
        return "is empty"
    if inside.startswith("^"):
        return "begins with '^'; to leave signs out write [!…]"
    if not inside.isascii():
        return "holds a sign that is not ASCII"
    if any(low > high for low, high, _ in _RANGE_OR_SIGN.findall(inside)):
        return "has a range that runs backwards"
    return ""


def glob_matches(pattern: str, value: str) -> bool:
    """Whether the whole of an ASCII value matches the glob; in time of at most pattern × value."""
    parts = _glob_parts(pattern)
    at, start, mark = 0, None, 0
    index = 0
    while at < len(value):
        if index < len(parts) and parts[index] == "*":
            start, mark = index, at
            index += 1
        elif index < len(parts) and _sign_matches(parts[index], value[at]):
            index += 1
            at += 1
        elif start is not None:
            mark += 1
            index, at = start + 1, mark
        else:
            return False
    return all(part == "*" for part in parts[index:])


def _glob_parts(pattern: str) -> list[str]:
    return re.findall(r"\[!?[^\]]+\]|.", pattern, re.DOTALL)


def _sign_matches(part: str, sign: str) -> bool:
    if part == "?":
        return True
    if len(part) == 1:
        return part == sign
    inside = part[1:-1]
    wanted = not inside.startswith("!")
    found = any(
        (low <= sign <= high) if low else sign == single
        for low, high, single in _RANGE_OR_SIGN.findall(inside.removeprefix("!"))
    )
    return found is wanted


_PLAIN = re.compile(r"(\^?)((?:[^\\.^$*+?{}\[\]|()]|\\[^A-Za-z0-9])*)(\$?)")


def plain_text(pattern: str) -> tuple[bool, str, bool] | None:
    """A regular expression without any choice, as (anchored at the start, text, anchored at the end); else None."""
    found = _PLAIN.fullmatch(pattern)
    return (bool(found[1]), re.sub(r"\\(.)", r"\1", found[2], flags=re.DOTALL), bool(found[3])) if found else None
