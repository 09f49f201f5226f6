"""Around every request: headers, who acts, and pages for what is refused."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hmac import compare_digest
from typing import cast

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict, UnreadablePostError
from django.urls import reverse
from django.utils import translation

from apportion.actions.acting import Actor, Record, refused
from apportion.actions.words import one_line
from apportion.errors import ApportionError, NotFoundError
from apportion.records.people import Person
from apportion.records.rights import NOBODY, ForbiddenError, Rights, person_with_rights, rights_of
from apportion.web.door import REFUSED
from apportion.web.frame.page import Request, address_of
from apportion.web.frame.refusals import body_refused, refusal_page
from apportion.web.frame.typed import remember_writer

_Next = Callable[[HttpRequest], HttpResponse]

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)
# Open to somebody who has yet to set up the second factor that one of their roles asks for.
_BEFORE_SECOND_FACTOR = ("/me/second-factor/", "/me/confirm/", "/sign-out/", "/sign-in/", "/static/", "/api/")


class LettingGo:
    """Takes from a request that was answered what points back at it, so that its memory is free at once.

    Else request, person and messages stay until the garbage collector looks for circles: see `web.frame.rendering`.
    """

    def __init__(self, get_response: _Next) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._next(request)
        for name in ("user", "auser", "_messages"):
            vars(request).pop(name, None)
        return response


class SecureHeaders:
    """A strict Content-Security-Policy on every answer, and no caching of pages about money."""

    def __init__(self, get_response: _Next) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._next(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response


class Readable:
    """Refuses a body that was not let in or is in another encoding than UTF-8, and leaves out NUL.

    PostgreSQL does not take NUL. No browser sends it or another encoding for a page of this site. An address is read as
    UTF-8, whatever the headers say. The API says itself which texts it does not take.
    """

    def __init__(self, get_response: _Next) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if REFUSED in request.META:
            return body_refused(request, request.META[REFUSED])
        said = (request.content_params or {}).get("charset", "utf-8")
        if request.method not in {"GET", "HEAD"} and said.lower() not in {"utf-8", "utf8"}:
            raise BadRequest("another encoding")
        request.encoding = "utf-8"
        if not request.path.startswith("/api/"):
            try:
                request.GET = _without_nul(request.GET)  # type: ignore[assignment]
                request.POST = _without_nul(request.POST)  # type: ignore[assignment]
            except UnreadablePostError as error:  # whoever sent it has gone
                raise BadRequest("no end") from error
        return self._next(request)


def _without_nul(said: QueryDict) -> QueryDict:
    """The same where there is none."""
    if not any("\x00" in text for name, values in said.lists() for text in (name, *values)):
        return said
    made = QueryDict(mutable=True)
    for name, values in said.lists():
        made.setlistdefault(name.replace("\x00", "")).extend(text.replace("\x00", "") for text in values)
    made._mutable = False
    return made


class Acting:
    """Puts `actor` and `request_id` on the request: the person of the session, with the rights of today.

    A person who was deactivated is nobody from the next request on: Django finds no such user for their session.
    """

    def __init__(self, get_response: _Next) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        person, rights = _signed_in(request)
        number = secrets.token_hex(8)
        made = cast(Request, request)
        made.request_id = number
        made.actor = Actor(person, rights, "web", number, address_of(request))
        if person is not None and person.language:
            translation.activate(person.language)
            request.LANGUAGE_CODE = translation.get_language()
        response = self._lacking_second_factor(made) or self._next(request)
        response.headers["X-Request-ID"] = number
        if person is not None and not request.path.startswith("/api/"):
            remember_writer(request, response, person.pk)
        return response

    def _lacking_second_factor(self, request: Request) -> HttpResponse | None:
        """Who has a role that asks for a second factor sets it up before anything else.

        Not who came by single sign-on: there the company's own provider asks for what it finds right.
        """
        asked = settings.APPORTION_SECOND_FACTOR_FOR
        if request.actor.person is None or not asked & {*request.actor.rights.roles}:
            return None
        ways = request.session.get("account_authentication_methods", [])
        if request.path.startswith(_BEFORE_SECOND_FACTOR) or any(way["method"] == "socialaccount" for way in ways):
            return None
        from allauth.mfa.utils import is_mfa_enabled

        if is_mfa_enabled(request.actor.person):
            return None
        return HttpResponseRedirect(reverse("mfa_activate_totp"))


def _signed_in(request: HttpRequest) -> tuple[Person | None, Rights]:
    """Who the session is of, with the rights of today: person and rights in one query.

    Whatever is not as after an ordinary sign-in is left to Django, which tells a stranger from a session to renew.
    """
    session = request.session
    key, way, proof = (session.get(name) for name in (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY))
    if key and str(key).isdecimal() and proof and way in settings.AUTHENTICATION_BACKENDS:
        found = person_with_rights(int(key))
        if found is not None and found[0].is_active and compare_digest(found[0].get_session_auth_hash(), proof):
            request._cached_user = found[0]  # type: ignore[attr-defined]  # what `request.user` looks for first
            return found
    person = request.user if isinstance(request.user, Person) else None
    return person, rights_of(person) if person else NOBODY


class Refusals:
    """Turns a refusal into a page that says what is wrong, where, and what to do."""

    def __init__(self, get_response: _Next) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._next(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, ApportionError):
            return None
        made = cast(Request, request)
        if isinstance(error, ForbiddenError | NotFoundError) and request.method == "POST" and made.actor.person:
            refused(made.actor, "open page", error, Record("page", "", one_line(request.path, 300)))
        return refusal_page(made, error)
