"""What is said about a document: disputes and their decisions, comments with mentions, and attachments."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from django.db import models

from apportion.records.kinds import NAME_LENGTH, choices


class DisputeState(StrEnum):
    """Where a dispute stands. `PROPOSED`: a controller has proposed a decision that a second one has to approve."""

    OPEN = "open"
    PROPOSED = "proposed"
    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


UNDECIDED = (DisputeState.OPEN, DisputeState.PROPOSED)


class Dispute(models.Model):
    """An objection to a line (or, with `line` null, to the whole document), and what was decided.

    `reason`, `outcome` and `settlement` are words of `review.dispute` and `review.settlement`. Amounts are minor units
    of `currency`; `agreed_minor` is what the decision moves. `policy_version` is what the period is allocated anew by,
    where that was decided.
    """

    document = models.ForeignKey("Document", models.PROTECT, related_name="disputes")
    line = models.PositiveIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=40)
    text = models.TextField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    state = models.CharField(max_length=20, choices=choices(DisputeState), default=DisputeState.OPEN)
    opened_by = models.ForeignKey("Person", models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=20, blank=True)
    settlement = models.CharField(max_length=40, blank=True)
    settle_to = models.ForeignKey("CostGroup", models.PROTECT, null=True, blank=True, related_name="+")
    policy_version = models.ForeignKey("PolicyVersion", models.PROTECT, null=True, blank=True, related_name="disputes")
    agreed_minor = models.BigIntegerField(null=True, blank=True)
    decision = models.TextField(blank=True)
    proposed_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["document", "line"],
                condition=models.Q(state__in=UNDECIDED, line__isnull=False),
                name="one_undecided_dispute_for_a_line",
            ),
            models.UniqueConstraint(
                fields=["document", "currency"],
                condition=models.Q(state__in=UNDECIDED, line__isnull=True),
                name="one_undecided_dispute_for_the_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | models.Q(state=DisputeState.WITHDRAWN)
                | ~models.Q(decided_by=models.F("proposed_by")),
                name="decided_by_a_second_person",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "opened_at"])]


class Comment(models.Model):
    """A contribution to the thread of a document, of one of its lines, or of a dispute. Never changed or deleted."""

    document = models.ForeignKey("Document", models.PROTECT, related_name="comments")
    dispute = models.ForeignKey(Dispute, models.PROTECT, null=True, blank=True, related_name="comments")
    line = models.PositiveIntegerField(null=True, blank=True)
    text = models.TextField()
    by = models.ForeignKey("Person", models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)


class Mention(models.Model):
    """Somebody named in a comment."""

    comment = models.ForeignKey(Comment, models.PROTECT, related_name="mentions")
    person = models.ForeignKey("Person", models.PROTECT, related_name="mentions")


class Attachment(models.Model):
    """A file beside a dispute or comment. Its bytes lie in the workspace under their SHA-256, never served inline."""

    document = models.ForeignKey("Document", models.PROTECT, related_name="attachments")
    dispute = models.ForeignKey(Dispute, models.PROTECT, null=True, blank=True, related_name="attachments")
    name = models.CharField(max_length=NAME_LENGTH)
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)
    by = models.ForeignKey("Person", models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
