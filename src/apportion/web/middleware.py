"""Around every request: headers, who acts, and pages for what is refused."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apportion.actions.acting import Actor, Record, refused
from apportion.errors import ApportionError, InputRefusedError, NotFoundError
from apportion.records.people import Person
from apportion.records.rights import NOBODY, ForbiddenError, rights_of

_Next = Callable[[HttpRequest], HttpResponse]

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)


class SecureHeaders:
    """A strict Content-Security-Policy on every answer, and no caching of pages about money."""

    def __init__(self, get_response: _Next) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._next(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response


class Acting:
    """Puts `actor` and `request_id` on the request: the person of the session, with the rights of today."""

    def __init__(self, get_response: _Next) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        person = request.user if isinstance(request.user, Person) else None
        number = secrets.token_hex(8)
        rights = rights_of(person) if person else NOBODY
        address = request.META.get("REMOTE_ADDR", "")
        request.request_id = number  # type: ignore[attr-defined]
        request.actor = Actor(person, rights, "web", number, address)  # type: ignore[attr-defined]
        response = self._next(request)
        response.headers["X-Request-ID"] = number
        return response


def status_of(error: ApportionError) -> int:
    """The HTTP status of a refusal."""
    if isinstance(error, NotFoundError):
        return 404
    if isinstance(error, ForbiddenError):
        return 403
    return 400 if isinstance(error, InputRefusedError) else 409


class Refusals:
    """Turns a refusal into a page that says what is wrong, where, and what to do."""

    def __init__(self, get_response: _Next) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._next(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, ApportionError):
            return None
        if isinstance(error, ForbiddenError) and request.method == "POST":
            actor: Actor = request.actor  # type: ignore[attr-defined]
            refused(actor, "open page", error, Record("page", "", request.path[:300]))
        return render(request, "refused.html", {"error": error}, status=status_of(error))
