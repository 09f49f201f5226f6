"""Which cost group of today stands for one that is gone, and a policy of then in the words of today's tree.

Takes a policy, the organization it was written for and a tree, gives the same policy with every cost group replaced by
its successor. A rule that charges a group without one lets its charges go on to the next rule; an agreed share of such
a group goes to an heir: a place in the tree that stands for nobody, and whose cost is shown as unallocated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import TypeVar

from apportion.allocate.allocation import Allocation, Line
from apportion.allocate.basis import Basis, Cost, Fixed, Mix, Simple
from apportion.allocate.policy import Commitment, Policy, Pool, Recipients, Uplift
from apportion.allocate.rule import UNALLOCATED, ByTag, Holder, Rule, Target
from apportion.errors import InputRefusedError
from apportion.organization.cost_group import CostGroup, Organization, Tree
from apportion.yamlfile import suggestion

B = TypeVar("B", bound=Basis)
_HEIR = "(gone) "


class Succession:
    """From every code of then to a code of today, or to an heir that is nobody."""

    def __init__(self, then: Organization, today: Tree, successors: Mapping[str, str]) -> None:
        """`successors` name a group of today for groups that are gone.

        Raises `InputRefusedError` for one that is not in today's tree.
        """
        for old, new in successors.items():
            if new not in today:
                raise InputRefusedError(
                    f"The successor of '{old}', '{new}', is not in the tree on that day.",
                    advice=suggestion(new, list(today)),
                )
        self._today = today
        self._to = {code: code if code in today else successors.get(code, "") for code in then.codes}
        self._to = {code: new or self._heir(code, then) for code, new in self._to.items()}

    def _heir(self, code: str, then: Organization) -> str:
        heir = _HEIR + code
        while heir in self._today or heir in then.codes:
            heir = _HEIR + heir
        return heir

    @property
    def renamed(self) -> dict[str, str]:
        """Groups that are gone and have a successor."""
        return {code: new for code, new in self._to.items() if new != code and new in self._today}

    @property
    def gone(self) -> tuple[str, ...]:
        """Groups that are gone and have none."""
        return tuple(code for code, new in self._to.items() if new not in self._today)

    @property
    def heirs(self) -> tuple[str, ...]:
        """The places in the tree that stand for `gone`."""
        return tuple(self._to[code] for code in self.gone)

    def code(self, code: str) -> str:
        """What stands for a code today; the code itself where it never was a cost group."""
        return self._to.get(code, code)

    def is_gone(self, code: str) -> bool:
        return code in self._to and self._to[code] not in self._today

    def codes(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Codes of today for those of then, without those that are gone."""
        return tuple(dict.fromkeys(self.code(code) for code in codes if not self.is_gone(code)))


def frozen(organization: Organization, day: date, succession: Succession) -> Organization:
    """The tree of one day as if it had been there for ever, with the heirs of what is gone."""
    versions = [version for version in organization.versions if version.in_force_on(day)]
    for_ever = [replace(version, valid_from=None, valid_until=None) for version in versions]
    heirs = [CostGroup(code, code) for code in succession.heirs]
    return Organization((*for_ever, *heirs), organization.digest)


def in_words_of_today(policy: Policy, succession: Succession) -> Policy:
    """The policy with successors in place of the groups that it names."""
    return replace(
        policy,
        rules=_rules(policy.rules, succession),
        consumers=_rules(policy.consumers, succession),
        pools=tuple(_pool(pool, succession) for pool in policy.pools),
        commitments=tuple(_commitment(commitment, succession) for commitment in policy.commitments),
        uplifts=tuple(_uplifts(policy.uplifts, succession)),
    )


def _rules(rules: Iterable[Rule], succession: Succession) -> tuple[Rule, ...]:
    found = []
    for rule in rules:
        target = rule.target
        if isinstance(target, ByTag):
            known = {alias for alias, _ in target.aliases}
            aliases = [(alias, succession.code(code)) for alias, code in target.aliases if not succession.is_gone(code)]
            aliases += [(old, new) for old, new in succession.renamed.items() if old not in known]
            found.append(replace(rule, target=replace(target, aliases=tuple(aliases))))
        elif target.holder is not Holder.COST_GROUP:
            found.append(rule)
        elif not succession.is_gone(target.code):
            found.append(replace(rule, target=Target(Holder.COST_GROUP, succession.code(target.code))))
    return tuple(found)


def _pool(pool: Pool, succession: Succession) -> Pool:
    asked = pool.recipients
    recipients = _recipients(asked, succession)
    if _is_left_alone(asked, recipients) and not asked.pools:
        # All who were named are gone: what they shared stays visible under the first of them.
        first = succession.code((*asked.groups, *asked.under)[0])
        return replace(pool, basis=Fixed(((first, 1),)), otherwise=(), recipients=recipients)
    return replace(
        pool,
        basis=_basis(pool.basis, succession),
        otherwise=tuple(_basis(basis, succession) for basis in pool.otherwise),
        recipients=recipients,
    )


def _recipients(asked: Recipients, succession: Succession) -> Recipients:
    groups, under = succession.codes(asked.groups), succession.codes(asked.under)
    excluded = (*succession.codes(asked.excluded), *succession.heirs)
    everybody = asked.excluded and not (asked.groups or asked.under)
    if asked.pools and not (everybody or groups or under or asked.having or asked.charged_by):
        # Pools alone take part, and whoever is left out beside them would bring in everybody else.
        excluded = ()
    return replace(asked, groups=groups, under=under, excluded=excluded)


def _basis(basis: B, succession: Succession) -> B:
    found: Basis = basis
    if isinstance(basis, Fixed):
        weights: dict[str, int] = {}
        for code, weight in basis.shares:
            heir = succession.code(code)
            weights[heir] = weights.get(heir, 0) + weight
        found = Fixed(tuple(weights.items()))
    elif isinstance(basis, Cost):
        found = replace(basis, under=tuple(dict.fromkeys(map(succession.code, basis.under))))
    elif isinstance(basis, Mix):
        parts = (replace(part, basis=_simple(part.basis, succession)) for part in basis.parts)
        found = Mix(tuple(parts))
    return found  # type: ignore[return-value]  # of the kind that it was


def _simple(basis: Simple, succession: Succession) -> Simple:
    return _basis(basis, succession)


def _commitment(commitment: Commitment, succession: Succession) -> Commitment:
    buyer = succession.code(commitment.buyer) if commitment.buyer else ""
    return replace(commitment, buyer=buyer, priority=tuple(dict.fromkeys(map(succession.code, commitment.priority))))


def _uplifts(uplifts: Iterable[Uplift], succession: Succession) -> Iterator[Uplift]:
    """The surcharges; one whose cost groups are all gone would otherwise meet everybody else."""
    for uplift in uplifts:
        recipients = _recipients(uplift.recipients, succession)
        if not _is_left_alone(uplift.recipients, recipients):
            yield replace(uplift, recipients=recipients)


def _is_left_alone(asked: Recipients, today: Recipients) -> bool:
    """Whether all who were named are gone."""
    return bool(asked.groups or asked.under) and not (today.groups or today.under or asked.having or asked.charged_by)


def without_heirs(allocation: Allocation, succession: Succession) -> Allocation:
    """The allocation with what heirs carry as unallocated."""
    if not succession.heirs:
        return allocation
    heirs = {Target(Holder.COST_GROUP, code) for code in succession.heirs}

    def holder(target: Target) -> Target:
        return UNALLOCATED if target in heirs else target

    merged: dict[tuple[object, ...], Line] = {}
    for line in allocation.lines:
        moved = line._replace(holder=holder(line.holder))
        key = (moved.holder, line.scope, line.pool_id, line.service, line.charge_category, line.corrects)
        same = merged.get(key)
        if same is not None:
            moved = moved._replace(units=moved.units + same.units, minor=moved.minor + same.minor)
        merged[key] = moved
    return replace(
        allocation,
        cells=tuple(cell._replace(target=holder(cell.target)) for cell in allocation.cells),
        shares=tuple(share._replace(target=holder(share.target)) for share in allocation.shares),
        lines=tuple(merged.values()),
    )
