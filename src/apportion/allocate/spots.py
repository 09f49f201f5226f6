"""Where the values of a policy stand, also of one that was never in a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from apportion.allocate.policy import Policy
from apportion.errors import Place
from apportion.yamlfile import Key

Listed = Literal["rules", "consumers", "pools", "commitments", "uplifts"]


@dataclass(frozen=True, slots=True)
class Spots:
    """Places in one policy; for a policy without places, those that its rules and pools carry."""

    policy: Policy

    def at(self, listed: Listed, position: int, *path: Key) -> Place:
        """A value of an entry of one of the policy's lists, or the entry."""
        return self._at(self._entry(listed, position), listed, position, *path)

    def key(self, listed: Listed, position: int, *path: Key) -> Place:
        """The key of a value of such an entry."""
        places = self.policy.places
        return places.key(listed, position, *path) if places else self._entry(listed, position)

    def pool(self, position: int, *path: Key) -> Place:
        """A value of a pool, or the pool."""
        return self.at("pools", position, *path)

    def alias(self, table: str, value: str) -> Place:
        """What an alias stands for."""
        return self._at(Place(), "aliases", table, value)

    def _entry(self, listed: Listed, position: int) -> Place:
        entries = getattr(self.policy, listed)
        place: Place = entries[position].place
        return place

    def _at(self, otherwise: Place, *path: Key) -> Place:
        return self.policy.places.at(*path) if self.policy.places else otherwise
