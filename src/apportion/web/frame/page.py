"""What makes a view a page: its rule about who may open it, checked before it runs and listed for the tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from apportion.actions.acting import Actor
from apportion.records.rule import Reach, Rule
from apportion.review.permission import Permission
from apportion.web.frame.refusals import came_from, not_found
from apportion.web.frame.typed import keep

__all__ = ["Reach", "Request", "Rule", "View", "page"]


class Request(HttpRequest):
    """A request that has passed the middleware: it knows who acts."""

    actor: Actor
    request_id: str


View = Callable[..., HttpResponse]


def address_of(request: HttpRequest) -> str:
    """The network address that a request came from: beyond as many proxies as the settings know, and no more."""
    proxies = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    told = request.headers.get("X-Forwarded-For", "").split(",")
    found = told[-proxies].strip() if 0 < proxies <= len(told) else ""
    return (found or request.META.get("REMOTE_ADDR", ""))[:64]


def page(reach: Reach, permission: Permission | None = None, *, methods: str = "GET") -> Callable[[View], View]:
    """Make a view a page. `methods` are those it answers, parted by blanks; HEAD comes with GET.

    Who is not signed in is sent to sign in and comes back; who lacks the permission gets `ForbiddenError`.
    """
    rule = Rule(reach, permission, tuple(methods.split()))

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in {*rule.methods, *(("HEAD",) if "GET" in rule.methods else ())}:
                return _not_a_page(request, rule.methods)
            if rule.reach is not Reach.PUBLIC and request.actor.person is None:
                return _to_sign_in(request)
            rule.require(request.actor.rights)
            return view(request, *args, **kwargs)

        checked.rule = rule  # type: ignore[attr-defined]
        return checked

    return decorate


def _not_a_page(request: HttpRequest, methods: tuple[str, ...]) -> HttpResponse:
    """An address that only takes a form, opened as a page, as from the browser's history; or the other way round."""
    response = not_found(request)
    response.status_code = 405
    response["Allow"] = ", ".join(methods)
    return response


def _to_sign_in(request: Request) -> HttpResponse:
    """Sign in, and come back to the page. A form that was being sent is kept and shown again, not sent by itself."""
    if request.method in {"GET", "HEAD"}:
        back = request.get_full_path()
    else:
        page_of_form = came_from(request)
        back = reverse("resume") if keep(request, page_of_form) else page_of_form
    target = f"{settings.LOGIN_URL}?{urlencode({'next': back})}" if back else settings.LOGIN_URL
    if request.headers.get("HX-Request"):  # htmx would swap the sign-in page into a corner of this one
        response = HttpResponse(status=401)
        response["HX-Redirect"] = target
        return response
    return HttpResponseRedirect(target)
