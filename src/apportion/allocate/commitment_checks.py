"""Whether commitments and uplifts mean something: who is named exists, and a condition can hold."""

from __future__ import annotations

from collections.abc import Iterator

from apportion.allocate.policy import Policy
from apportion.allocate.recipient_checks import Entry, World, check_group, check_recipients
from apportion.allocate.rule import KEPT_CENTRAL, Rule
from apportion.allocate.unreachable import never_met
from apportion.errors import Mistake
from apportion.organization.cost_group import Organization, Tree


def check_commitments(policy: Policy, organization: Organization, tree: Tree) -> Iterator[Mistake]:
    """Every mistake in commitments and uplifts. `tree` is the tree that cost is shared in."""
    world = World(policy, organization, tree)
    for position, commitment in enumerate(policy.commitments):
        entry = Entry("commitments", position, "commitment", commitment.id)
        if commitment.buyer:
            yield from check_group(world, commitment.buyer, entry.at(world, "buyer"))
        for place, code in enumerate(commitment.priority):
            yield from check_group(world, code, entry.at(world, "priority", place))
    conditions = [Rule(one.id, one.name, one.eligible, KEPT_CENTRAL) for one in policy.commitments]
    for position in never_met(conditions):
        sentence = f"No charge can be part of '{conditions[position].id}': what it asks for can never hold at once."
        there = world.spots.at("commitments", position, "when")
        yield Mistake("NEVER_MET", sentence, there, "Look for two values of one column, or dates that do not meet.")
    for position, uplift in enumerate(policy.uplifts):
        yield from check_recipients(world, Entry("uplifts", position, "uplift", uplift.id), uplift.recipients)
