"""What is done later or elsewhere: running work, messages to people and programs, answers to repeated calls."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from django.db import models

from apportion.records.kinds import CODE_LENGTH, NAME_LENGTH, PERIOD_LENGTH, choices


class WorkState(StrEnum):
    """Where a piece of work stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Work(models.Model):
    """Something too long for a request, such as allocating a month. Whoever runs it holds a lease and renews it.

    A worker that dies leaves a lease that ends; the work then waits again. `key` makes pressing twice one piece.
    """

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=CODE_LENGTH)
    period = models.CharField(max_length=PERIOD_LENGTH, blank=True)
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=20, choices=choices(WorkState), default=WorkState.WAITING)
    done_parts = models.PositiveBigIntegerField(default=0)
    all_parts = models.PositiveBigIntegerField(default=0)
    sentence = models.TextField(blank=True)  # what it is doing, or what it came to
    result = models.JSONField(default=dict)
    error = models.JSONField(default=dict)  # code, sentence, place, advice
    created_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(state__in=[WorkState.WAITING, WorkState.RUNNING]),
                name="one_such_work_at_a_time",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["state", "created_at"])]


class Channel(StrEnum):
    """How a message travels."""

    MAIL = "mail"
    SLACK = "slack"
    TEAMS = "teams"
    WEBHOOK = "webhook"


class MessageState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class Message(models.Model):
    """Something to be told, written in the transaction of its reason and sent after it. `key` is used once for ever."""

    channel = models.CharField(max_length=20, choices=choices(Channel))
    recipient = models.CharField(max_length=1000)
    subject = models.CharField(max_length=NAME_LENGTH)
    body = models.TextField()
    key = models.CharField(max_length=CODE_LENGTH, unique=True)
    person = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    document = models.ForeignKey("Document", models.PROTECT, null=True, related_name="+")
    endpoint = models.ForeignKey("WebhookEndpoint", models.PROTECT, null=True, related_name="messages")
    state = models.CharField(max_length=20, choices=choices(MessageState), default=MessageState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "next_attempt_at"])]


class SentNotice(models.Model):
    """A reminder or escalation that went out about a document, before or after the deadline that it then had."""

    document = models.ForeignKey("Document", models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=20)  # as `review.deadlines` writes it
    days = models.PositiveIntegerField()
    review_until = models.DateField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "kind", "days", "review_until"], name="a_notice_once")
        ]


class WebhookEndpoint(models.Model):
    """A program that wants to be told; each call is signed with `secret`."""

    url = models.URLField(max_length=1000)
    secret = models.CharField(max_length=100)
    events = models.JSONField(default=list)  # issued, accepted, disputed, posted
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey("Person", models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)


class IdempotencyKey(models.Model):
    """The answer to a call that may be repeated: the same key and body get the same answer, and nothing twice."""

    person = models.ForeignKey("Person", models.PROTECT, related_name="+")
    key = models.CharField(max_length=CODE_LENGTH)
    route = models.CharField(max_length=CODE_LENGTH)
    request_digest = models.CharField(max_length=64)
    status = models.PositiveIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "key"], name="an_idempotency_key_once")]
