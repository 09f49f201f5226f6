"""The close of one billing period: how far it is, and who did what."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apportion.records.kinds import DIGEST_LENGTH, PERIOD_LENGTH


class _Closes(models.Manager["Close"]):
    """Leaves `tagged` in the database until it is asked for: of thousands of cost groups, a page wants one, or none."""

    def get_queryset(self) -> models.QuerySet[Close]:
        return super().get_queryset().defer("tagged")


class Close(models.Model):
    """A billing period in the books. Each instant is empty until that step is done; `*_by` did it.

    `run_digest` is the run that was allocated last, `issued_run_digest` the one that documents were issued from.
    `tie_out` is the tie-out document of the allocated run, `summary` figures of it for lists (holders, unallocated …).
    `tagged` is how much of each cost group's direct cost carries tags (see `close.figures`), by currency and its code.
    """

    period = models.CharField(max_length=PERIOD_LENGTH, unique=True)
    run_digest = models.CharField(max_length=DIGEST_LENGTH, blank=True)
    issued_run_digest = models.CharField(max_length=DIGEST_LENGTH, blank=True)
    tie_out = models.JSONField(default=dict)
    summary = models.JSONField(default=dict)
    tagged = models.JSONField(default=dict)
    data_complete_at = models.DateTimeField(null=True, blank=True)
    data_complete_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    allocated_at = models.DateTimeField(null=True, blank=True)
    allocated_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField(null=True, blank=True)
    issued_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    review_until = models.DateField(null=True, blank=True)
    posted_at = models.DateTimeField(null=True, blank=True)
    posted_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    sealed_at = models.DateTimeField(null=True, blank=True)
    sealed_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")

    objects: ClassVar[_Closes] = _Closes()

    def __str__(self) -> str:
        return self.period
