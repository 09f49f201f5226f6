"""The cost groups that documents were made for, as the latest tree has them, and since when each is charged."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from django.db import models

from apportion.records.kinds import CODE_LENGTH, NAME_LENGTH, PERIOD_LENGTH, choices


class CostGroup(models.Model):
    """A node of the tree. `path` holds the ids from the top down to it, as in ``/1/7/23/``: what is below begins so.

    A group that is in the tree no more has `is_current` false and keeps its last place, for its documents are still
    read. `number` is its place in the order of the tree.
    """

    code = models.CharField(max_length=CODE_LENGTH, unique=True)
    name = models.CharField(max_length=NAME_LENGTH)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=1000, db_index=True, blank=True)
    depth = models.PositiveIntegerField(default=0)
    number = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True)
    company = models.CharField(max_length=CODE_LENGTH, blank=True)
    cost_center = models.CharField(max_length=CODE_LENGTH, blank=True)
    department = models.CharField(max_length=CODE_LENGTH, blank=True)
    ledger_account = models.CharField(max_length=CODE_LENGTH, blank=True)
    owners = models.JSONField(default=dict)  # finance, technical, business: as the organization file names them
    is_current = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Charging(StrEnum):
    """Whether a cost group is only shown its cost, or charged with it."""

    SHOWBACK = "showback"
    CHARGEBACK = "chargeback"


class Mode(models.Model):
    """From `from_period` on, a cost group (not those below it) is in showback or chargeback. Without one: showback."""

    cost_group = models.ForeignKey(CostGroup, models.PROTECT, related_name="modes")
    charging = models.CharField(max_length=20, choices=choices(Charging))
    from_period = models.CharField(max_length=PERIOD_LENGTH)
    reason = models.TextField(blank=True)
    readiness = models.JSONField(default=dict)  # the report that the decision was made on
    decided_by = models.ForeignKey("Person", models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["cost_group", "from_period", "id"]
