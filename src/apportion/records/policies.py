"""Versions of the policy on their way to being used, and answers to "who owns this?"."""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from apportion.records.kinds import DIGEST_LENGTH, NAME_LENGTH, PERIOD_LENGTH, choices


class PolicyState(StrEnum):
    """Where a version stands. Only an active one is in the workspace's policy file."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    ACTIVE = "active"
    REPLACED = "replaced"
    REJECTED = "rejected"


class PolicyVersion(models.Model):
    """One text of the policy file. Its author may not approve it. `simulation` is what it would have changed."""

    digest = models.CharField(max_length=DIGEST_LENGTH, db_index=True)
    name = models.CharField(max_length=NAME_LENGTH)
    text = models.TextField()
    note = models.TextField(blank=True)
    state = models.CharField(max_length=20, choices=choices(PolicyState), default=PolicyState.DRAFT)
    based_on = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    simulated_period = models.CharField(max_length=PERIOD_LENGTH, blank=True)
    simulation = models.JSONField(default=dict)
    author = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    proposed_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.TextField(blank=True)


class ClaimState(StrEnum):
    """What became of an answer."""

    OPEN = "open"
    PROPOSED = "proposed"  # a draft policy has a rule for it
    DECLINED = "declined"


class Claim(models.Model):
    """Somebody says whose an unallocated or untagged cost is: charges with these column values belong to this group."""

    period = models.CharField(max_length=PERIOD_LENGTH)
    match = models.JSONField(default=dict)  # column: value, as the work list shows them
    cost_group = models.ForeignKey("CostGroup", models.PROTECT, related_name="claims")
    note = models.TextField(blank=True)
    state = models.CharField(max_length=20, choices=choices(ClaimState), default=ClaimState.OPEN)
    policy_version = models.ForeignKey(PolicyVersion, models.PROTECT, null=True, blank=True, related_name="claims")
    by = models.ForeignKey("Person", models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
