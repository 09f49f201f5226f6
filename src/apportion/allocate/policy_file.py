"""Reading the policy file: from what stands in it to rules, pools and the cost basis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from apportion.allocate.basis import Basis, Cost, Even, Fixed
from apportion.allocate.fields import field_of
from apportion.allocate.policy import Policy, Pool, Recipients
from apportion.allocate.policy_document import (
    ConditionDocument,
    PolicyDocument,
    PoolDocument,
    RuleDocument,
    SharesDocument,
    TargetDocument,
    TestDocument,
)
from apportion.allocate.rule import (
    KEPT_CENTRAL,
    And,
    Between,
    ByTag,
    Condition,
    Equals,
    Exists,
    Field,
    Glob,
    Holder,
    Matches,
    Not,
    Or,
    Prefix,
    Rule,
    Target,
)
from apportion.allocate.shares import whole_weights
from apportion.errors import DocumentError, Mistake
from apportion.yamlfile import Places, load_document, suggestion

Aliases = Mapping[str, tuple[tuple[str, str], ...]]

_NAMED: Mapping[str, Basis] = {"even": Even(), "proportional to direct cost": Cost()}


def read(path: Path) -> Policy:
    """The policy of a YAML file; what it names is not yet looked up (`apportion.allocate.policy_checks`).

    Raises `DocumentError` with every mistake in the order of the file, `EmptyFileError` and
    `UnreadableFileError`.
    """
    document = load_document(path, PolicyDocument)
    places = document.places
    aliases = {name: tuple(table.items()) for name, table in document.value.aliases.items()}
    mistakes: list[Mistake] = []
    rules = tuple(
        _rule(rule, aliases, places, position, mistakes) for position, rule in enumerate(document.value.rules)
    )
    if mistakes:
        raise DocumentError(mistakes)
    return Policy(
        name=document.value.policy,
        cost_basis=document.value.cost_basis,
        rules=rules,
        pools=tuple(_pool(pool, places, position) for position, pool in enumerate(document.value.pools)),
        digest=document.digest,
        alias_tables=tuple(aliases.items()),
        places=places,
    )


def _rule(rule: RuleDocument, aliases: Aliases, places: Places, position: int, mistakes: list[Mistake]) -> Rule:
    target: Target | ByTag
    if isinstance(rule.charge_to, str):
        target = KEPT_CENTRAL
    elif rule.charge_to.cost_group:
        target = Target(Holder.COST_GROUP, rule.charge_to.cost_group)
    elif rule.charge_to.pool:
        target = Target(Holder.POOL, rule.charge_to.pool)
    else:
        table = rule.charge_to.aliases
        if table is not None and table not in aliases:
            sentence = f"There is no table of aliases '{table}'."
            advice = suggestion(table, aliases) or "Write it under 'aliases' at the top of the file."
            place = places.at("rules", position, "charge_to", "aliases")
            mistakes.append(Mistake("UNKNOWN_ALIASES", sentence, place, advice))
        pairs = aliases.get(table, ()) if table is not None else ()
        target = ByTag(_named_by(rule.charge_to), pairs, rule.charge_to.ignore_case)
    return Rule(
        id=rule.id,
        name=rule.name or rule.id,
        when=_condition(rule.when) if rule.when is not None else None,
        target=target,
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
        place=places.at("rules", position),
    )


def _named_by(target: TargetDocument) -> Field:
    return Field(target.tag, is_tag=True) if target.tag is not None else Field(target.column or "")


def _condition(document: ConditionDocument) -> Condition:
    """Columns and tags in the order of the file, then all, any and not."""
    parts = [_test(field_of(key), test) for key, test in document.tests.items()]
    if document.all_of:
        parts.append(_all(_condition(part) for part in document.all_of))
    if document.any_of:
        parts.append(_any(_condition(part) for part in document.any_of))
    if document.not_:
        parts.append(Not(_condition(document.not_)))
    return _all(parts)


def _test(field: Field, test: str | tuple[str, ...] | TestDocument) -> Condition:
    if not isinstance(test, TestDocument):
        return Equals(field, _many(test))
    parts: list[Condition] = [
        Equals(field, _many(values), test.ignore_case) for values in (test.equals, test.in_) if values is not None
    ]
    if test.prefix is not None:
        parts.append(Prefix(field, _many(test.prefix)))
    if test.glob is not None:
        parts.append(_any(Glob(field, pattern) for pattern in _many(test.glob)))
    if test.matches is not None:
        parts.append(_any(Matches(field, pattern) for pattern in _many(test.matches)))
    if test.exists is not None:
        parts.append(Exists(field) if test.exists else Not(Exists(field)))
    if test.valid_from or test.valid_until:
        parts.append(Between(field, test.valid_from, test.valid_until))
    return _all(parts)


def _many(values: str | tuple[str, ...]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(dict.fromkeys(values))


def _all(parts: Iterable[Condition]) -> Condition:
    found = tuple(parts)
    return found[0] if len(found) == 1 else And(found)


def _any(parts: Iterable[Condition]) -> Condition:
    found = tuple(parts)
    return found[0] if len(found) == 1 else Or(found)


def _pool(pool: PoolDocument, places: Places, position: int) -> Pool:
    recipients = pool.recipients
    return Pool(
        id=pool.id,
        name=pool.name or pool.id,
        basis=Fixed(whole_weights(pool.share.shares)) if isinstance(pool.share, SharesDocument) else _NAMED[pool.share],
        recipients=Recipients(recipients.groups, recipients.under, recipients.excluded) if recipients else Recipients(),
        negative_basis=pool.negative_basis,
        place=places.at("pools", position),
    )
