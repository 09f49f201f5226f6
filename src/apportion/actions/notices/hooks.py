"""Signed webhooks: programs that want to be told, and what they are told.

An administrator adds an endpoint and sees its secret once. Each event is a message in the transaction of its act, and
sent after it (`sending`). What is sent is JSON; its signature covers the time and every byte.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from django.db.models import Prefetch
from django.utils import timezone

from apportion.actions import configured
from apportion.actions.acting import Actor, locked, person_of, recorded
from apportion.actions.notices import addresses
from apportion.actions.notices.audience import fetched
from apportion.actions.notices.mail_text import document_link
from apportion.errors import InputRefusedError, Place
from apportion.records.chain import instant
from apportion.records.disputes import Dispute
from apportion.records.documents import Document, DocumentTotal
from apportion.records.work import Channel, Message, MessageState, WebhookEndpoint
from apportion.review.permission import Permission

EVENTS: Final = ("issued", "accepted", "disputed", "posted")
SIGNATURE: Final = "Apportion-Signature"
REPLAY_SECONDS: Final = 300
MOST_ENDPOINTS = 20


def add_endpoint(actor: Actor, url: str, events: Sequence[str]) -> WebhookEndpoint:
    """Add a program that is told of `events`. Its `secret` is for the answer to this call only.

    Raises `ForbiddenError`, and `InputRefusedError` for an address that webhooks may not go to or an unknown event.
    """
    actor.rights.require(Permission.MANAGE_PEOPLE)
    person = person_of(actor)
    wanted = [event for event in EVENTS if event in events]
    if not wanted or set(events) - set(EVENTS):
        raise InputRefusedError(
            "The events are not those that there are.", place=Place(field="events"), advice=f"Use {', '.join(EVENTS)}."
        )
    rules = configured.current().webhooks
    target = addresses.parse(url, allow_http=rules.allow_http)
    addresses.resolve(target, allow_private=rules.allow_private)
    with recorded(actor, "add webhook") as record:
        if WebhookEndpoint.objects.filter(is_active=True).count() >= MOST_ENDPOINTS:
            raise InputRefusedError(f"There are {MOST_ENDPOINTS} webhooks already.", advice="Remove one first.")
        made = WebhookEndpoint.objects.create(
            url=target.url, secret=secrets.token_urlsafe(32), events=wanted, created_by=person
        )
        record.about(made, "webhook")
        record.subject = target.host
        record.changed({}, {"host": target.host, "events": wanted})
    return made


def remove_endpoint(actor: Actor, endpoint: int) -> None:
    """Tell a program nothing any more; what waits for it is not sent. Raises `ForbiddenError` or `NotFoundError`."""
    actor.rights.require(Permission.MANAGE_PEOPLE)
    with recorded(actor, "remove webhook") as record:
        row = locked(WebhookEndpoint, endpoint)
        if not row.is_active:
            return
        row.is_active = False
        row.save(update_fields=["is_active"])
        Message.objects.filter(endpoint=row, state=MessageState.WAITING).update(
            state=MessageState.FAILED, error="The webhook was removed."
        )
        record.about(row, "webhook")
        record.subject = urlsplit(row.url).hostname or ""
        record.changed({"is_active": True}, {"is_active": False})


def announce(event: str, documents: Sequence[Document], dispute: Dispute | None = None) -> None:
    """Write a message about each document for each program that wants this event, inside the caller's act."""
    endpoints = [each for each in WebhookEndpoint.objects.filter(is_active=True) if event in each.events]
    if not endpoints or not documents:
        return
    fetched(documents, "cost_group", Prefetch("totals", DocumentTotal.objects.order_by("currency")))
    at = instant(timezone.now())
    Message.objects.bulk_create(
        [
            Message(
                channel=Channel.WEBHOOK,
                recipient=urlsplit(endpoint.url).hostname or "",
                subject=event,
                body=body,
                key=f"{event}:{document.pk}:{_which(document, dispute)}:webhook:{endpoint.pk}",
                document=document,
                endpoint=endpoint,
            )
            for document in documents
            for body in (_body(event, at, document, dispute),)
            for endpoint in endpoints
        ],
        batch_size=500,
        ignore_conflicts=True,
    )


def signature(secret: str, at: int, body: bytes) -> str:
    """``t=1767225600,v1=…``: HMAC-SHA256, with the secret, of the time in seconds, a full stop and the body."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"


def is_genuine(secret: str, header: str, body: bytes, now: int) -> bool:
    """Whether a body was signed with the secret within `REPLAY_SECONDS`: what a receiver has to check."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    moment = parts.get("t", "")
    if not (moment.isascii() and moment.isdigit()) or len(moment) > 12 or abs(now - int(moment)) > REPLAY_SECONDS:
        return False
    return hmac.compare_digest(
        signature(secret, int(moment), body).encode(), f"t={moment},v1={parts.get('v1', '')}".encode()
    )


def _which(document: Document, dispute: Dispute | None) -> str:
    """What tells one acceptance or posting of a document from the next."""
    if dispute is not None:
        return f"dispute-{dispute.pk}"
    words = f"{document.reviewed_at or ''}|{document.posted_at or ''}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _body(event: str, at: str, document: Document, dispute: Dispute | None) -> str:
    group = document.cost_group
    content: dict[str, object] = {
        "event": event,
        "at": at,
        "document": {
            "id": document.pk,
            "label": document.label,
            "kind": str(document.kind),
            "period": document.period,
            "cost_group": group.code if group is not None else None,
            "holder": document.holder,
            "review": str(document.review_state),
            "posting": str(document.posting_state),
            "totals": [
                {"currency": total.currency, "amount_minor": total.amount_minor} for total in document.totals.all()
            ],
            "url": document_link(document),
        },
    }
    if dispute is not None:
        content["dispute"] = {
            "id": dispute.pk,
            "line": dispute.line,
            "reason": str(dispute.reason),
            "currency": dispute.currency,
            "claimed_minor": dispute.amount_minor,
        }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
