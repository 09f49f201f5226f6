"""Who may come through a door of a face: the rule that every page and route declares, and that tests read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from apportion.records.rights import Rights
from apportion.review.permission import Permission


class Reach(StrEnum):
    """How far a page or route reaches, and so who is turned away."""

    PUBLIC = "public"  # anybody
    SELF = "self"  # whoever is signed in, about themselves
    SOMEWHERE = "somewhere"  # whoever has the permission anywhere; it shows only their part of the tree
    OBJECT = "object"  # one thing of the tree: `records.reach` finds it, or it does not exist for this person
    EVERYWHERE = "everywhere"  # whoever has the permission for the whole


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may open a page or call a route, and by which methods."""

    reach: Reach
    permission: Permission | None
    methods: tuple[str, ...]

    def require(self, rights: Rights) -> None:
        """Raises `ForbiddenError` for rights that do not reach as far as the rule asks."""
        if self.permission is None:
            return
        if self.reach is Reach.EVERYWHERE or not rights.may_somewhere(self.permission):
            rights.require(self.permission)
