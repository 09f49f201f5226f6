"""Sending what acts have written down to be told: mail, channels of Slack and Teams, and signed webhooks.

Takes waiting messages after their transaction, sends each at least once, and notes what came of it. A message that is
sent twice, because the program ended in between, carries the same Message-ID or delivery number. Failures are tried
again, later and later, and then stay visible with their reason. No secret is ever written into a reason or a log.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import re
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings as site
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from apportion.actions import configured
from apportion.actions.acting import Actor, locked, recorded
from apportion.actions.notices import addresses, hooks
from apportion.actions.notices.messages import chat_url
from apportion.actions.words import one_line
from apportion.errors import ApportionError
from apportion.records.work import Channel, Message, MessageState
from apportion.review.permission import Permission
from apportion.review.states import StateError

AT_ONCE = 100
LEASE = timedelta(minutes=10)  # so long no other process takes a message that one is sending
STALE = timedelta(days=3)  # what nobody could send by then says nothing new any more
_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720))
_SECRETIVE = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sent:
    """How many were sent, will be tried again, and were given up."""

    sent: int = 0
    later: int = 0
    failed: int = 0


class _NotSent(Exception):  # noqa: N818 - it never leaves this module
    """Why a message was not sent, and whether it can be tried again."""

    def __init__(self, sentence: str, *, for_good: bool = False) -> None:
        super().__init__(sentence)
        self.for_good = for_good


def send_waiting(limit: int = AT_ONCE, now: datetime | None = None) -> Sent:
    """Send what is due now, oldest first, and say what came of it. Not inside a transaction;"""
    at = now or timezone.now()
    _give_up_old(at)
    messages = _claimed(limit, at)
    sent = later = failed = 0
    with _Mail() as mail:
        for message in messages:
            try:
                _send(message, mail, at)
            except _NotSent as error:
                gave_up = _not_sent(message, error, at)
                failed, later = failed + gave_up, later + (not gave_up)
            else:
                sent += 1
                message.state, message.sent_at, message.error = MessageState.SENT, timezone.now(), ""
                message.save(update_fields=["state", "sent_at", "error"])
    return Sent(sent, later, failed)


def send_again(actor: Actor, message: int) -> Message:
    """Let a message that was given up be tried again. Raises `ForbiddenError`, `NotFoundError` or `StateError`."""
    actor.rights.require(Permission.MANAGE_PEOPLE)
    with recorded(actor, "send again") as record:
        row = locked(Message, message)
        if row.state != MessageState.FAILED or (row.endpoint is not None and not row.endpoint.is_active):
            raise StateError(f"This message is {row.state}.", advice="Only what was given up can be sent again.")
        row.state, row.attempts, row.next_attempt_at = MessageState.WAITING, 0, timezone.now()
        row.save(update_fields=["state", "attempts", "next_attempt_at"])
        record.about(row)
        record.subject = f"{row.channel}: {row.subject}"[:300]
        record.changed({"state": "failed", "error": row.error}, {"state": "waiting"})
    return row


def message_id(message: Message) -> str:
    """The same for every attempt, so that mail programs show it once."""
    host = urlsplit(configured.current().site.url).hostname or "apportion"
    return f"<apportion.{message.pk}.{hashlib.sha256(message.key.encode()).hexdigest()[:16]}@{host}>"


def has_mail() -> bool:
    """Whether a mail server is set."""
    return not site.EMAIL_BACKEND.endswith("dummy.EmailBackend")


def _claimed(limit: int, at: datetime) -> Sequence[Message]:
    """Messages that are due, taken from other processes for as long as a lease."""
    due = Q(state=MessageState.WAITING) & (Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=at))
    if not has_mail():
        due &= ~Q(channel=Channel.MAIL)
    with transaction.atomic():
        numbers = list(
            Message.objects.select_for_update(skip_locked=True)
            .filter(due)
            .order_by("created_at", "pk")
            .values_list("pk", flat=True)[:limit]
        )
        Message.objects.filter(pk__in=numbers).update(attempts=F("attempts") + 1, next_attempt_at=at + LEASE)
    return list(Message.objects.filter(pk__in=numbers).select_related("endpoint").order_by("created_at", "pk"))


def _give_up_old(at: datetime) -> None:
    Message.objects.filter(state=MessageState.WAITING, created_at__lt=at - STALE).update(
        state=MessageState.FAILED, error="Nobody could send it in three days, as without a mail server in the settings."
    )


def _not_sent(message: Message, error: _NotSent, at: datetime) -> bool:
    """Note why; says whether it is given up."""
    gave_up = error.for_good or message.attempts > len(_WAITS)
    message.error = one_line(_SECRETIVE.sub("…", str(error)), 1_000)
    if gave_up:
        message.state = MessageState.FAILED
    else:
        message.next_attempt_at = at + _WAITS[message.attempts - 1]
    message.save(update_fields=["state", "error", "next_attempt_at"])
    return gave_up


def _send(message: Message, mail: _Mail, at: datetime) -> None:
    match Channel(message.channel):
        case Channel.MAIL:
            mail.send(message)
        case Channel.WEBHOOK:
            _send_webhook(message, int(at.timestamp()))
        case chat:
            _send_chat(message, chat)


class _Mail:
    """One connection for a batch, opened when the first mail needs it."""

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None

    def __enter__(self) -> _Mail:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def send(self, message: Message) -> None:
        """Raises `_NotSent`."""
        try:
            validate_email(message.recipient)
        except ValidationError:
            raise _NotSent("That is no mail address.", for_good=True) from None
        try:
            if self._connection is None:
                self._connection = get_connection()
                self._connection.open()
            letter = EmailMessage(
                one_line(message.subject, 200),
                message.body,
                to=[message.recipient],
                headers={"Message-ID": message_id(message), "Auto-Submitted": "auto-generated"},
                connection=self._connection,
            )
            letter.send()
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _ in error.recipients.values()), default=0)
            raise _NotSent(f"The mail server does not take this address ({code}).", for_good=code >= 500) from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self._close()
            raise _NotSent(f"The mail server did not take it: {type(error).__name__}.") from error

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _send_chat(message: Message, channel: Channel) -> None:
    url = chat_url(channel)
    if not url:
        raise _NotSent(f"No address of {channel} is set.", for_good=True)
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would write addresses, which are secrets
    sender = apprise.Apprise()
    if not sender.add(url):
        raise _NotSent(f"The address of {channel} is not one that it gives out.", for_good=True)
    if not sender.notify(body=message.body, title="", body_format=apprise.NotifyFormat.TEXT):
        raise _NotSent(f"{channel} did not take it.")


def _send_webhook(message: Message, at: int) -> None:
    endpoint = message.endpoint
    if endpoint is None or not endpoint.is_active:
        raise _NotSent("The webhook was removed.", for_good=True)
    rules = configured.current().webhooks
    body = message.body.encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Apportion",
        "Apportion-Event": message.subject,
        "Apportion-Delivery": str(message.pk),
        hooks.SIGNATURE: hooks.signature(endpoint.secret, at, body),
    }
    try:
        target = addresses.parse(endpoint.url, allow_http=rules.allow_http)
        status = addresses.send(target, addresses.resolve(target, allow_private=rules.allow_private), body, headers)
    except ApportionError as error:
        raise _NotSent(error.sentence) from error
    except (OSError, http.client.HTTPException) as error:
        raise _NotSent(f"The program did not answer: {type(error).__name__}.") from error
    if not 200 <= status < 300:
        raise _NotSent(f"The program answered with status {status}.", for_good=status == 410)
