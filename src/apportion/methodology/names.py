"""What cost groups, pools, rules and tables are called, and where a reader finds them in the document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from apportion.allocate.policy import Policy
from apportion.allocate.rule import Field, Holder, Target
from apportion.methodology.conditions import Shorten
from apportion.methodology.document import Code, Link, Strong, Table, Value, Words, joined
from apportion.methodology.words import column, count, series
from apportion.organization.cost_group import Organization, Tree


class Names:
    """Names of everything that a policy speaks of. Cost groups are called as `tree` does, else as they last were."""

    def __init__(self, policy: Policy, organization: Organization, tree: Tree) -> None:
        self._groups = {
            version.code: version.name
            for version in sorted(organization.versions, key=lambda version: version.valid_from or date.min)
        }
        self._groups |= {code: tree[code].name for code in tree}
        self._pools = {pool.id: (place, pool.name) for place, pool in enumerate(policy.pools, start=1)}
        self._rules = {rule.id: (place, rule.name) for place, rule in enumerate(policy.rules, start=1)}
        self._tables = {pairs: name for name, pairs in reversed(policy.alias_tables) if pairs}
        self.tree = tree

    def group(self, code: str) -> Words:
        """``Payments (pay)``; only the code, where the name says the same."""
        name = self._groups.get(code, code)
        return (Strong(name),) if name == code else joined(Strong(name), " (", Code(code), ")")

    def groups(self, codes: Iterable[str]) -> Words:
        """Several cost groups in one sentence."""
        return series(self.group(code) for code in codes)

    def pool(self, code: str) -> Words:
        """A pool's name, which leads to what is said of it."""
        place, name = self._pools.get(code, (0, code))
        return (Link(name, f"pool-{place}"),) if place else (Strong(name),)

    def pools(self, codes: Iterable[str]) -> Words:
        """Several pools in one sentence."""
        return series(self.pool(code) for code in codes)

    def holder(self, code: str) -> Words:
        """A cost group or a pool, whichever has the code."""
        return self.pool(code) if code in self._pools else self.group(code)

    def target(self, target: Target) -> Words:
        """Where an amount goes, with the word for what that is."""
        if target.holder is Holder.COST_GROUP:
            return self.group(target.code)
        if target.holder is Holder.POOL:
            return joined("the pool ", self.pool(target.code))
        return (Link(str(target.holder).replace("_", " "), "kept-central"),)

    def rule(self, rule_id: str) -> Words:
        """``rule 12, Databases``, which leads to the rule."""
        place, name = self._rules.get(rule_id, (0, rule_id))
        return (Link(f"rule {place}, {name}", f"rule-{place}"),) if place else (f"rule {name}",)

    def rules(self, found: Iterable[str]) -> Words:
        """Several rules in one sentence."""
        return series(self.rule(rule_id) for rule_id in found)

    def table(self, aliases: Sequence[tuple[str, str]]) -> str:
        """What the policy calls a table of spellings; empty for one that it does not list."""
        return self._tables.get(tuple(aliases), "")


class Annex:
    """What is too long for a sentence: full lists of values, and tables of spellings. Each is kept once, numbered."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._values: dict[tuple[str, ...], tuple[Words, str]] = {}
        self._spellings: dict[tuple[tuple[str, str], ...], str] = {}

    def of(self, where: str, *, of_usage: bool = False) -> Shorten:
        """How a rule called `where` shortens its lists."""

        def shorten(field: Field, values: Sequence[str]) -> Words:
            key = tuple(values)
            title = joined(column(field, of_usage=of_usage), ", ", where)
            number = len(self._values) + 1
            _, anchor = self._values.setdefault(key, (title, f"values-{number}"))
            shown = series(Value(value) for value in values[:3])
            label = f"all {len(values):,} in list {anchor.removeprefix('values-')}"
            return joined(_without_and(shown), f" and {len(values) - 3:,} more (", Link(label, anchor), ")")

        return shorten

    def spellings(self, aliases: Sequence[tuple[str, str]]) -> Words:
        """``12 spellings are translated first (table 1)``."""
        key = tuple(aliases)
        anchor = self._spellings.setdefault(key, f"spellings-{len(self._spellings) + 1}")
        said = count(len(key), "spelling is", "spellings are")
        label = f"table {anchor.removeprefix('spellings-')}"
        return joined(f"{said} translated first (", Link(label, anchor), ")")

    def value_tables(self) -> tuple[Table, ...]:
        """Every list that a sentence shortened, in full."""
        return tuple(
            Table(
                f"List {number}: {_text(title)}, {len(values):,} values",
                ("Value",),
                tuple((joined(Value(value)),) for value in values),
                anchor=anchor,
            )
            for number, (values, (title, anchor)) in enumerate(self._values.items(), start=1)
        )

    def spelling_tables(self) -> tuple[Table, ...]:
        """Every table of spellings, in full; called as in the policy."""
        return tuple(
            Table(
                f"Table {number}: {self._called(pairs)}",
                ("Spelling", "Stands for"),
                tuple((joined(Value(spelling)), self._names.holder(code)) for spelling, code in pairs),
                anchor=anchor,
            )
            for number, (pairs, anchor) in enumerate(self._spellings.items(), start=1)
        )

    def add_tables(self, tables: Iterable[tuple[str, tuple[tuple[str, str], ...]]]) -> None:
        """Tables of the policy that no rule uses belong into the document too."""
        for _, pairs in tables:
            if pairs:
                self.spellings(pairs)

    def _called(self, pairs: tuple[tuple[str, str], ...]) -> str:
        name = self._names.table(pairs)
        return f"{name}, {count(len(pairs), 'spelling')}" if name else count(len(pairs), "spelling")


def _without_and(words: Words) -> Words:
    return tuple(", " if word == " and " else word for word in words)


def _text(words: Words) -> str:
    return "".join(word if isinstance(word, str) else word.text for word in words)
