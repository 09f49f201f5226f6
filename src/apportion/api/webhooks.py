"""Webhooks: programs that are told of what happens, each call signed."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Query, Router, Schema
from pydantic import Field

from apportion.actions.notices import hooks
from apportion.api.auth import Request
from apportion.api.incoming import Incoming
from apportion.api.route import route
from apportion.api.shapes import Instant, Named, Number, Page, Paging, Text, paged
from apportion.records.rule import Reach
from apportion.records.work import Message, MessageState, WebhookEndpoint
from apportion.review.permission import Permission

router = Router(tags=["webhooks"])
_MANAGE = Permission.MANAGE_PEOPLE
Event = Literal["issued", "accepted", "disputed", "posted"]


class WebhookOut(Schema):
    """A program that is told, without its secret."""

    id: int
    url: str
    events: list[str]
    active: bool
    created_by: Named
    created_at: Instant


class NewWebhook(WebhookOut):
    """With its secret, which is given once: calls are signed with it."""

    secret: str


def _values(row: WebhookEndpoint) -> dict[str, object]:
    return {
        "id": row.pk,
        "url": row.url,
        "events": row.events,
        "active": row.is_active,
        "created_by": Named(id=row.created_by_id, name=str(row.created_by)),
        "created_at": row.created_at,
    }


@route(router, "GET", "/webhooks", Reach.EVERYWHERE, _MANAGE, gives=Page[WebhookOut])
def list_webhooks(request: Request, paging: Query[Paging]) -> dict[str, object]:
    """List the programs that are told of events."""
    rows = WebhookEndpoint.objects.select_related("created_by").order_by("-pk")
    return paged(request, rows, paging, lambda row: WebhookOut(**_values(row)))  # type: ignore[arg-type]


class WebhookIn(Incoming):
    """An address and what it wants to be told of."""

    url: Text
    events: Annotated[list[Event], Field(min_length=1, max_length=4)]


@route(router, "POST", "/webhooks", Reach.EVERYWHERE, _MANAGE, gives=NewWebhook, status=201, is_secret=True)
def add_webhook(request: Request, body: WebhookIn) -> NewWebhook:
    """Add a program that is told of events; its secret is given once, and not again for the same Idempotency-Key."""
    made = hooks.add_endpoint(request.actor, body.url, body.events)
    return NewWebhook(**_values(made), secret=made.secret)  # type: ignore[arg-type]


@route(router, "DELETE", "/webhooks/{webhook}", Reach.EVERYWHERE, _MANAGE, status=204)
def remove_webhook(request: Request, webhook: Number) -> None:
    """Tell a program nothing any more."""
    hooks.remove_endpoint(request.actor, webhook)


class CallOut(Schema):
    """One call to a program: sent, waiting, or failed."""

    id: int
    event: str
    document: int | None
    state: MessageState
    attempts: int
    created_at: Instant
    next_attempt_at: Instant | None
    sent_at: Instant | None
    error: str


@route(router, "GET", "/webhooks/{webhook}/calls", Reach.EVERYWHERE, _MANAGE, gives=Page[CallOut])
def list_webhook_calls(request: Request, webhook: Number, paging: Query[Paging]) -> dict[str, object]:
    """List the calls to a program, the latest first."""
    return paged(request, Message.objects.filter(endpoint=webhook).order_by("-pk"), paging, _call)


def _call(row: Message) -> CallOut:
    return CallOut(
        id=row.pk,
        event=row.subject,
        document=row.document_id,
        state=MessageState(row.state),
        attempts=row.attempts,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        sent_at=row.sent_at,
        error=row.error,
    )
