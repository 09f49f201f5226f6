"""A condition as alternatives of conjunctions, each written so that as much as possible of it can be looked up."""

from __future__ import annotations

import itertools
import math
import re

from apportion.allocate.rule import And, Condition, Equals, Glob, Matches, Or, Prefix

MOST_ALTERNATIVES = 64

Conjunction = tuple[Condition, ...]

_GLOB = re.compile(r"([^*?\[]*)(.*)", re.DOTALL)
_LITERAL = re.compile(r"\^([\w /:@,-]+)(.*)", re.ASCII | re.DOTALL)
_REPEATS = ("*", "?", "{")


def conjunctions(condition: Condition | None) -> list[Conjunction]:
    """The condition as alternatives, each a tuple of conditions that must all hold; no condition: one empty tuple.

    A condition with more than `MOST_ALTERNATIVES` alternatives stays whole.
    """
    if condition is None:
        return [()]
    if isinstance(condition, Or):
        found = [conjunction for part in condition.parts for conjunction in conjunctions(part)]
        return found if len(found) <= MOST_ALTERNATIVES else [(condition,)]
    if isinstance(condition, And):
        parts = [conjunctions(part) for part in condition.parts]
        if math.prod(len(part) for part in parts) > MOST_ALTERNATIVES:
            return [(condition,)]
        return [tuple(itertools.chain(*choice)) for choice in itertools.product(*parts)]
    if isinstance(condition, Glob):
        return [_glob(condition)]
    if isinstance(condition, Matches):
        return [_expression(condition)]
    return [(condition,)]


def _glob(condition: Glob) -> Conjunction:
    """A glob beside the prefix it begins with; an equality or a prefix where it is no more than that."""
    found = _GLOB.fullmatch(condition.pattern)
    if found is None or not found[1]:
        return (condition,)
    if not found[2]:
        return (Equals(condition.field, (found[1],)),)
    prefix = Prefix(condition.field, (found[1],))
    return (prefix,) if found[2] == "*" else (prefix, condition)


def _expression(condition: Matches) -> Conjunction:
    """A regular expression beside the letters it must begin with, where it says so; sound for what it cannot tell."""
    found = _LITERAL.fullmatch(condition.pattern)
    if found is None:
        return (condition,)
    literal, rest = found[1], found[2]
    if not rest:
        return (Prefix(condition.field, (literal,)),)
    if rest == "$":
        return (Equals(condition.field, (literal,)),)
    if rest.startswith(_REPEATS):
        literal = literal[:-1]
    if not literal or _is_choice(rest):
        return (condition,)
    return (Prefix(condition.field, (literal,)), condition)


def _is_choice(rest: str) -> bool:
    """Whether ``|`` may stand outside every bracket, so that the text may also begin otherwise."""
    depth, place, in_set = 0, 0, False
    while place < len(rest):
        letter = rest[place]
        if letter == "\\":
            place += 1
        elif in_set:
            in_set = letter != "]"
        elif letter == "[":
            in_set = True
            place += rest[place + 1 : place + 2] == "]"
        elif letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter == "|" and depth <= 0:
            return True
        place += 1
    return False
