"""Who did what, when and why: entries that hang together by hash, and are never changed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apportion.records.kinds import DIGEST_LENGTH, NAME_LENGTH


class AuditEntry(models.Model):
    """One act. `before` and `after` are canonical JSON of what it changed; `hash` covers every other field."""

    number = models.BigIntegerField(primary_key=True)  # from 1, without a gap
    at = models.DateTimeField()
    person = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    person_name = models.CharField(max_length=NAME_LENGTH)
    via = models.CharField(max_length=20)  # web, api, cli, timer
    act = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=60)
    subject = models.CharField(max_length=NAME_LENGTH)
    before = models.TextField()
    after = models.TextField()
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=64, blank=True)
    previous_hash = models.CharField(max_length=DIGEST_LENGTH)
    hash = models.CharField(max_length=DIGEST_LENGTH, unique=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["subject_kind", "subject_id"]),
            models.Index(fields=["act", "at"]),
            models.Index(fields=["person", "at"]),
        ]


class AuditHead(models.Model):
    """The one row that says where the chain ends; locked while an entry is added, so that there is one chain."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=DIGEST_LENGTH, blank=True)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="one_head")]
