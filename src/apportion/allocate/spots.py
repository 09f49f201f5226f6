"""Where the values of a policy stand, also of one that was never in a file."""

from __future__ import annotations

from dataclasses import dataclass

from apportion.allocate.policy import Policy
from apportion.errors import Place
from apportion.yamlfile import Key


@dataclass(frozen=True, slots=True)
class Spots:
    """Places in one policy; for a policy without places, those that its rules and pools carry."""

    policy: Policy

    def rule(self, position: int, *path: Key) -> Place:
        """A value of a rule, or the rule."""
        return self._at(self.policy.rules[position].place, "rules", position, *path)

    def pool(self, position: int, *path: Key) -> Place:
        """A value of a pool, or the pool."""
        return self._at(self.policy.pools[position].place, "pools", position, *path)

    def pool_key(self, position: int, *path: Key) -> Place:
        """The key of a value of a pool."""
        places = self.policy.places
        return places.key("pools", position, *path) if places else self.policy.pools[position].place

    def alias(self, table: str, value: str) -> Place:
        """What an alias stands for."""
        return self._at(Place(), "aliases", table, value)

    def _at(self, otherwise: Place, *path: Key) -> Place:
        return self.policy.places.at(*path) if self.policy.places else otherwise
