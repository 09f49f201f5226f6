"""Who calls: a key in the header, or the session of a browser."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from typing import cast

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware
from ninja.security import APIKeyCookie, HttpBearer

from apportion.actions.access.people import person_of_token
from apportion.actions.acting import Actor, actor_of, person_of
from apportion.api.problems import NotSignedInError, TooManyAttemptsError
from apportion.records.people import Person
from apportion.records.rights import ForbiddenError, rights_of
from apportion.records.rule import Rule

MOST_FAILURES = 20
_WINDOW_SECONDS = 60


class Request(HttpRequest):
    """A request whose caller is known."""

    actor: Actor
    request_id: str


class Token(HttpBearer):
    """``Authorization: Bearer …``; whoever sends this header is not asked for a session as well.

    The rule of the route is checked here, before anything of the request is read.
    """

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule = rule

    def __call__(self, request: HttpRequest) -> Actor | None:
        found = request.headers.get("Authorization")
        if found is None:
            return None
        scheme, _, token = found.strip().partition(" ")
        return self.authenticate(request, token.strip() if scheme.lower() == "bearer" else "")

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        made = cast(Request, request)
        address = request.META.get("REMOTE_ADDR", "")
        counter = f"api-failures:{hashlib.sha256(address.encode()).hexdigest()[:20]}"
        if cache.get(counter, 0) >= MOST_FAILURES:
            raise TooManyAttemptsError(
                "Too many calls came with keys that do not hold.", advice="Wait a minute, and look at the key."
            )
        found = person_of_token(token) if token else None
        if found is None:
            cache.add(counter, 0, _WINDOW_SECONDS)
            with suppress(ValueError):  # it went in between
                cache.incr(counter)
            raise NotSignedInError(
                "This key does not hold: it is unknown, revoked, or over.", advice="Make one on your own page."
            )
        person, key = found
        actor = actor_of(person, "api", made.request_id, address)
        made.actor = replace(actor, rights=actor.rights.narrowed(key.scopes))
        self.rule.require(made.actor.rights)
        return made.actor


class Session(APIKeyCookie):
    """The session of somebody who has signed in; what changes anything carries the token against forged forms."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule = rule

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        if not isinstance(request.user, Person):
            return None
        made = cast(Request, request)
        made.actor = replace(made.actor, via="api")
        asked = settings.APPORTION_SECOND_FACTOR_FOR & {*made.actor.rights.roles}
        if asked and not _has_second_factor(request.user):
            raise ForbiddenError("Your role asks for a second factor.", advice="Set it up on your own page first.")
        self.rule.require(made.actor.rights)
        return made.actor

    def _get_key(self, request: HttpRequest) -> str | None:
        # Only a session can be used by a forged form, so who has none is simply not signed in.
        if isinstance(request.user, Person) and _is_forged(request):
            raise ForbiddenError(
                "The call does not carry the token that protects against forged forms.",
                advice="Send the header X-CSRFToken with the value of the cookie csrftoken, or use a key.",
            )
        return request.COOKIES.get(self.param_name)


class _Forms(CsrfViewMiddleware):
    """Says that a form is forged, and renders no page for it."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponseForbidden:
        return HttpResponseForbidden()


def _is_forged(request: HttpRequest) -> bool:
    forms = _Forms(lambda _: HttpResponse())
    request.csrf_processing_done = False  # type: ignore[attr-defined]  # the middleware let the API through
    forms.process_request(request)
    return forms.process_view(request, HttpResponse, (), {}) is not None


def require_whole(request: Request) -> None:
    """Raises `ForbiddenError` for a key that may do less than its person: it gives nobody else their rights."""
    if request.actor.rights != rights_of(person_of(request.actor)):
        raise ForbiddenError(
            "This key may do less than you, and so cannot give your rights away.", advice="Do it on your own page."
        )


def _has_second_factor(person: Person) -> bool:
    from allauth.mfa.utils import is_mfa_enabled

    return bool(is_mfa_enabled(person))
