"""What makes a view a page: its rule about who may open it, checked before it runs and listed for the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect

from apportion.actions.acting import Actor
from apportion.review.permission import Permission


class Reach(StrEnum):
    """How far a page reaches, and so who is turned away."""

    PUBLIC = "public"  # anybody
    SELF = "self"  # whoever is signed in, about themselves
    SOMEWHERE = "somewhere"  # whoever has the permission anywhere; it shows only their part of the tree
    OBJECT = "object"  # one thing of the tree: `records.reach` finds it, or it does not exist for this person
    EVERYWHERE = "everywhere"  # whoever has the permission for the whole


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may open a page, and by which methods."""

    reach: Reach
    permission: Permission | None
    methods: tuple[str, ...]


class Request(HttpRequest):
    """A request that has passed the middleware: it knows who acts."""

    actor: Actor
    request_id: str


View = Callable[..., HttpResponse]


def page(reach: Reach, permission: Permission | None = None, *, methods: str = "GET") -> Callable[[View], View]:
    """Make a view a page. `methods` are those it answers, parted by blanks; HEAD comes with GET.

    Who is not signed in is sent to sign in and comes back; who lacks the permission gets `ForbiddenError`.
    """
    rule = Rule(reach, permission, tuple(methods.split()))

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in {*rule.methods, *(("HEAD",) if "GET" in rule.methods else ())}:
                return HttpResponseNotAllowed(rule.methods)
            if rule.reach is not Reach.PUBLIC and request.actor.person is None:
                return _to_sign_in(request)
            if rule.permission is not None:
                _require(request.actor, rule)
            return view(request, *args, **kwargs)

        checked.rule = rule  # type: ignore[attr-defined]
        return checked

    return decorate


def _require(actor: Actor, rule: Rule) -> None:
    assert rule.permission is not None  # noqa: S101 - the caller has asked
    if rule.reach is Reach.EVERYWHERE or not actor.rights.may_somewhere(rule.permission):
        actor.rights.require(rule.permission)


def _to_sign_in(request: Request) -> HttpResponse:
    """Sign in, and come back to the page; a form that was being sent is shown again after it (see `resume`)."""
    back = request.get_full_path() if request.method in {"GET", "HEAD"} else request.headers.get("Referer", "")
    target = f"{settings.LOGIN_URL}?{urlencode({'next': back})}" if back else settings.LOGIN_URL
    if request.headers.get("HX-Request"):  # htmx would swap the sign-in page into a corner of this one
        response = HttpResponse(status=401)
        response["HX-Redirect"] = target
        return response
    return HttpResponseRedirect(target)
