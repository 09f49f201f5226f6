"""Journals and their way into the ledger, and the pushes that bring them there.

A journal's body never changes: what was approved is what is handed over. Its number is taken when it is approved.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apportion.post.erp.book import PushState
from apportion.post.lifecycle import PENDING, JournalKind, JournalState
from apportion.records.documents import Series
from apportion.records.kinds import CODE_LENGTH, DIGEST_LENGTH, PERIOD_LENGTH, choices


class LedgerJournal(models.Model):
    """A journal for one target. `repair` lists what the ledger refused of it, line by line, as of its last push.

    `body` is the journal as `post.formats.json_text` writes it. `reference` is what the ledger calls its posting.
    """

    period = models.CharField(max_length=PERIOD_LENGTH)
    kind = models.CharField(max_length=20, choices=choices(JournalKind))
    target = models.CharField(max_length=CODE_LENGTH)
    journal_id = models.CharField(max_length=CODE_LENGTH)
    digest = models.CharField(max_length=DIGEST_LENGTH)
    body = models.TextField()
    state = models.CharField(max_length=20, choices=choices(JournalState), default=JournalState.DRAWN_UP)
    series = models.ForeignKey(Series, models.PROTECT, null=True, blank=True)
    number = models.PositiveIntegerField(null=True, blank=True)
    label = models.CharField(max_length=CODE_LENGTH, null=True, blank=True, unique=True)
    reverses = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="reversals")
    reason = models.TextField(blank=True)  # why it was withdrawn, or why it reverses another
    repair = models.JSONField(default=list)
    reference = models.CharField(max_length=CODE_LENGTH, blank=True)
    drawn_up_at = models.DateTimeField()
    drawn_up_by = models.ForeignKey("Person", models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    handed_over_at = models.DateTimeField(null=True, blank=True)
    handed_over_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    posted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)  # withdrawn or reversed

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["target"], condition=models.Q(state__in=PENDING), name="one_journal_waits_at_a_target"
            ),
            models.UniqueConstraint(
                fields=["journal_id", "target"],
                condition=~models.Q(state__in=[JournalState.WITHDRAWN, JournalState.REVERSED]),
                name="a_journal_once_at_a_target",
            ),
            models.UniqueConstraint(fields=["series", "number"], name="a_journal_number_once_in_a_series"),
            models.CheckConstraint(
                condition=models.Q(state__in=[JournalState.DRAWN_UP, JournalState.WITHDRAWN])
                | models.Q(approved_by__isnull=False, label__isnull=False),
                name="approved_before_it_goes_out",
            ),
            models.CheckConstraint(
                condition=models.Q(approved_by__isnull=True) | ~models.Q(approved_by=models.F("drawn_up_by")),
                name="approved_by_a_second_person",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["period", "kind"])]

    def __str__(self) -> str:
        return self.label or self.journal_id


class LedgerPush(models.Model):
    """One attempt to bring a company's part of an entry into a target: `post.erp.book.Push`, written before it."""

    target = models.CharField(max_length=CODE_LENGTH)
    entry = models.CharField(max_length=CODE_LENGTH)
    company = models.CharField(max_length=CODE_LENGTH, blank=True)
    reverses = models.CharField(max_length=CODE_LENGTH, blank=True)
    round = models.PositiveIntegerField()
    key = models.CharField(max_length=20, unique=True)
    content_hash = models.CharField(max_length=DIGEST_LENGTH)
    state = models.CharField(max_length=20, choices=choices(PushState))
    reference = models.CharField(max_length=CODE_LENGTH, blank=True)
    number = models.CharField(max_length=CODE_LENGTH, blank=True)
    detail = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["target", "entry", "company", "reverses", "round"], name="a_round_of_a_push_once"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["target", "entry", "company"])]

    def __str__(self) -> str:
        return self.key
