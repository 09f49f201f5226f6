"""Reading the policy file: from what stands in it to rules, pools and the cost basis."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from apportion.allocate.condition_file import condition_of
from apportion.allocate.policy import Policy
from apportion.allocate.policy_document import ConsumerDocument, PolicyDocument, RuleDocument, TargetDocument
from apportion.allocate.pool_file import commitment_of, pool_of, uplift_of
from apportion.allocate.rule import KEPT_CENTRAL, ByTag, Field, Holder, Rule, Target
from apportion.errors import DocumentError, Mistake
from apportion.yamlfile import Places, load_document, suggestion

Aliases = Mapping[str, tuple[tuple[str, str], ...]]


def read(path: Path) -> Policy:
    """The policy of a YAML file; what it names is not yet looked up (`apportion.allocate.policy_checks`).

    Raises `DocumentError` with every mistake in the order of the file, `EmptyFileError` and
    `UnreadableFileError`.
    """
    document = load_document(path, PolicyDocument)
    value, places = document.value, document.places
    aliases = {name: tuple(table.items()) for name, table in value.aliases.items()}
    mistakes: list[Mistake] = []
    rules = tuple(_rule(rule, aliases, places, ("rules", place), mistakes) for place, rule in enumerate(value.rules))
    consumers = tuple(
        _rule(rule, aliases, places, ("consumers", place), mistakes) for place, rule in enumerate(value.consumers)
    )
    if mistakes:
        raise DocumentError(mistakes)
    return Policy(
        name=value.policy,
        cost_basis=value.cost_basis,
        rules=rules,
        pools=tuple(pool_of(pool, places.at("pools", place)) for place, pool in enumerate(value.pools)),
        digest=document.digest,
        pool_order=value.pool_order,
        commitments=tuple(
            commitment_of(commitment, places.at("commitments", place))
            for place, commitment in enumerate(value.commitments)
        ),
        uplifts=tuple(uplift_of(uplift, places.at("uplifts", place)) for place, uplift in enumerate(value.uplifts)),
        consumers=consumers,
        alias_tables=tuple(aliases.items()),
        places=places,
    )


def _rule(
    rule: RuleDocument | ConsumerDocument,
    aliases: Aliases,
    places: Places,
    path: tuple[str, int],
    mistakes: list[Mistake],
) -> Rule:
    target: Target | ByTag
    to = rule.charge_to
    if isinstance(to, str):
        target = KEPT_CENTRAL
    elif to.cost_group:
        target = Target(Holder.COST_GROUP, to.cost_group)
    elif to.pool:
        target = Target(Holder.POOL, to.pool)
    else:
        if to.aliases is not None and to.aliases not in aliases:
            sentence = f"There is no table of aliases '{to.aliases}'."
            advice = suggestion(to.aliases, aliases) or "Write it under 'aliases' at the top of the file."
            mistakes.append(Mistake("UNKNOWN_ALIASES", sentence, places.at(*path, "charge_to", "aliases"), advice))
        pairs = aliases.get(to.aliases, ()) if to.aliases is not None else ()
        tag = to.tag if isinstance(to, TargetDocument) else None
        field = Field(tag, is_tag=True) if tag is not None else Field(to.column or "")
        target = ByTag(field, pairs, to.ignore_case)
    return Rule(
        id=rule.id,
        name=rule.name or rule.id,
        when=condition_of(rule.when) if rule.when is not None else None,
        target=target,
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
        place=places.at(*path),
    )
