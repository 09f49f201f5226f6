"""Whether those who are to take part in something exist, and whether anybody is left of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apportion.allocate.policy import Policy, Recipients
from apportion.allocate.rule import Holder, Target
from apportion.allocate.spots import Listed, Spots
from apportion.allocate.weigh import groups_of
from apportion.errors import Mistake, Place
from apportion.organization.coding import FIELDS
from apportion.organization.cost_group import Organization, Tree
from apportion.organization.life import life_text, lives
from apportion.yamlfile import Key, suggestion


class World:
    """What names are looked up in. `tree` is the tree that pools are shared in."""

    def __init__(self, policy: Policy, organization: Organization, tree: Tree) -> None:
        self.policy, self.organization, self.tree = policy, organization, tree
        self.spots = Spots(policy)
        self.codes = dict.fromkeys(organization.codes)
        self.pools = dict.fromkeys(pool.id for pool in policy.pools)
        self.rules = {rule.id: rule for rule in policy.rules}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of one of the policy's lists, as mistakes name it."""

    listed: Listed
    position: int
    what: str
    id: str

    def at(self, world: World, *path: Key) -> Place:
        """A value of the entry."""
        return world.spots.at(self.listed, self.position, *path)


def check_group(world: World, code: str, place: Place) -> Iterator[Mistake]:
    """A name that has to be that of a cost group in the tree."""
    if code not in world.codes:
        advice = "It is a pool." if code in world.pools else suggestion(code, world.codes)
        yield Mistake("UNKNOWN_COST_GROUP", f"'{code}' is no cost group.", place, advice)
    else:
        yield from check_in_force(world, code, place)


def check_in_force(world: World, code: str, place: Place) -> Iterator[Mistake]:
    """A cost group that has to be in the tree."""
    if code not in world.tree:
        life = life_text(lives(world.organization.versions)[code])
        sentence = f"The cost group '{code}' is in the tree only {life}."
        yield Mistake("NOT_IN_FORCE", sentence, place, "Take it out, or change its dates in the organization.")


def check_recipients(world: World, entry: Entry, asked: Recipients) -> Iterator[Mistake]:
    """Every name under `recipients`, and whether it leaves nobody."""
    found: list[Mistake] = []
    for key, codes in (("groups", asked.groups), ("under", asked.under), ("except", asked.excluded)):
        for position, code in enumerate(codes):
            # To leave out somebody who is not there is no mistake, as long as such a group exists at all.
            if key != "except" or code not in world.codes:
                found += check_group(world, code, entry.at(world, "recipients", key, position))
    found += _attributes(world, entry, asked)
    found += _rules(world, entry, asked)
    found += _pools(world, entry, asked)
    yield from found
    only_pools = asked.pools and not asked.excluded
    if not found and not asked.charged_by and not only_pools and not groups_of(asked, world.tree):
        sentence = f"Nobody takes part in the {entry.what} '{entry.id}'."
        advice = "Name recipients that are in the tree, or leave out fewer."
        if asked.pools:
            sentence = f"Only pools take part in the {entry.what} '{entry.id}': 'except' leaves out every cost group."
            advice = "Leave out fewer, or name 'pools' alone if that is meant."
        yield Mistake("NO_RECIPIENTS", sentence, entry.at(world, "recipients"), advice)


def _attributes(world: World, entry: Entry, asked: Recipients) -> Iterator[Mistake]:
    if not asked.having:
        return
    versions = world.organization.versions
    known = dict.fromkeys([*FIELDS, *(name for version in versions for name, _ in version.attributes)])
    for name, values in asked.having:
        if name not in known:
            place = world.spots.key(entry.listed, entry.position, "recipients", "with", name)
            advice = suggestion(name, known) or "Attributes stand in the organization, under 'attributes'."
            yield Mistake("UNKNOWN_ATTRIBUTE", f"No cost group has an attribute '{name}'.", place, advice)
            continue
        there = {version.attribute(name) for version in versions}
        for position, value in enumerate(values):
            if value not in there:
                path: tuple[Key, ...] = ("recipients", "with", name)
                places = world.policy.places
                one = places is not None and not places.has(entry.listed, entry.position, *path, position)
                sentence = f"No cost group has '{value}' as its '{name}'."
                place = entry.at(world, *path) if one else entry.at(world, *path, position)
                yield Mistake("UNKNOWN_ATTRIBUTE", sentence, place, suggestion(value, there))


def _rules(world: World, entry: Entry, asked: Recipients) -> Iterator[Mistake]:
    for position, code in enumerate(asked.charged_by):
        place = entry.at(world, "recipients", "charged_by", position)
        rule = world.rules.get(code)
        if rule is None:
            yield Mistake("UNKNOWN_RULE", f"There is no rule '{code}'.", place, suggestion(code, world.rules))
        elif isinstance(rule.target, Target) and rule.target.holder is not Holder.COST_GROUP:
            where = f"the pool '{rule.target.code}'" if rule.target.code else "what is kept central"
            sentence = f"The rule '{code}' charges no cost group: it goes to {where}."
            yield Mistake("NO_RECIPIENTS", sentence, place, "Name rules that charge cost groups.")


def _pools(world: World, entry: Entry, asked: Recipients) -> Iterator[Mistake]:
    for position, code in enumerate(asked.pools):
        place = entry.at(world, "recipients", "pools", position)
        if code not in world.pools:
            advice = suggestion(code, world.pools)
            if code in world.codes:
                advice = "It is a cost group: write it under 'groups'."
            yield Mistake("UNKNOWN_POOL", f"There is no pool '{code}'.", place, advice)
