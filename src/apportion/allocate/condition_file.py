"""From a condition as it stands in the policy file to the condition it means."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from apportion.allocate.condition_document import ConditionDocument, TestDocument, UsageConditionDocument
from apportion.allocate.fields import field_of
from apportion.allocate.rule import (
    And,
    Between,
    Condition,
    Equals,
    Exists,
    Field,
    Glob,
    Matches,
    Not,
    Or,
    Prefix,
)
from apportion.allocate.sections import many


def condition_of(document: ConditionDocument | UsageConditionDocument) -> Condition:
    """Keys in the order of the file, then all, any and not. Keys of usage are taken as they stand there."""
    return _condition(document, field_of if isinstance(document, ConditionDocument) else Field)


def _condition(document: ConditionDocument | UsageConditionDocument, field: Callable[[str], Field]) -> Condition:
    parts = [_test(field(key), test) for key, test in document.tests.items()]
    if document.all_of:
        parts.append(_all(_condition(part, field) for part in document.all_of))
    if document.any_of:
        parts.append(_any(_condition(part, field) for part in document.any_of))
    if document.not_:
        parts.append(Not(_condition(document.not_, field)))
    return _all(parts)


def _test(field: Field, test: str | tuple[str, ...] | TestDocument) -> Condition:
    if not isinstance(test, TestDocument):
        return Equals(field, many(test))
    parts: list[Condition] = [
        Equals(field, many(values), test.ignore_case) for values in (test.equals, test.in_) if values is not None
    ]
    if test.prefix is not None:
        parts.append(Prefix(field, many(test.prefix)))
    if test.glob is not None:
        parts.append(_any(Glob(field, pattern) for pattern in many(test.glob)))
    if test.matches is not None:
        parts.append(_any(Matches(field, pattern) for pattern in many(test.matches)))
    if test.exists is not None:
        parts.append(Exists(field) if test.exists else Not(Exists(field)))
    if test.valid_from or test.valid_until:
        parts.append(Between(field, test.valid_from, test.valid_until))
    return _all(parts)


def _all(parts: Iterable[Condition]) -> Condition:
    found = tuple(parts)
    return found[0] if len(found) == 1 else And(found)


def _any(parts: Iterable[Condition]) -> Condition:
    found = tuple(parts)
    return found[0] if len(found) == 1 else Or(found)
