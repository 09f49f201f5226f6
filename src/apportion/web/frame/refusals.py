"""Pages for what is refused or fails: what is wrong, that nothing was changed, and what to do next."""

from __future__ import annotations

import sys
from http import HTTPStatus
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import (
    REASON_BAD_ORIGIN,
    REASON_BAD_REFERER,
    REASON_INSECURE_REFERER,
    REASON_MALFORMED_REFERER,
    REASON_NO_CSRF_COOKIE,
)
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from apportion.actions.acting import Actor, Record, refused
from apportion.actions.words import one_line
from apportion.errors import ApportionError, InputRefusedError, NotFoundError
from apportion.records.rights import ForbiddenError
from apportion.web.frame.typed import typed_in


class FormRefusedError(ApportionError):
    """A form that did not come from a page of this site, or from one that is too old."""

    code = "FORM_REFUSED"


class NoSuchPageError(NotFoundError):
    """An address that leads nowhere."""

    code = "NO_SUCH_PAGE"


class BadRequestError(ApportionError):
    """A request that no page of this site would have sent."""

    code = "BAD_REQUEST"


class TooLargeError(ApportionError):
    """More bytes than an act may come with."""

    code = "TOO_LARGE"


class BusyError(ApportionError):
    """More people send something at this moment than can be listened to."""

    code = "BUSY"


_FOREIGN = ("Origin checking failed", "Referer checking failed")


def status_of(error: ApportionError) -> int:
    """The HTTP status of a refusal."""
    if isinstance(error, NotFoundError):
        return 404
    if isinstance(error, ForbiddenError | FormRefusedError):
        return 403
    return 400 if isinstance(error, InputRefusedError | BadRequestError) else 409


def _heading(status: int) -> tuple[str, str]:
    """What kind of refusal it is, and its picture."""
    return {
        400: (_("This cannot be taken"), "alert-triangle"),
        403: (_("Not allowed"), "lock"),
        404: (_("Not found"), "search"),
        409: (_("This cannot be done now"), "hand-stop"),
        411: (_("This cannot be taken"), "alert-triangle"),
        413: (_("Too much at once"), "alert-triangle"),
        429: (_("Too many attempts"), "hourglass"),
        503: (_("Busy at this moment"), "hourglass"),
    }[status]


def came_from(request: HttpRequest) -> str:
    """The page of this site that the request came from; empty where there is none or it is this very address."""
    referrer = request.headers.get("Referer", "")
    try:
        host = request.get_host()
    except DisallowedHost:  # which may be why it was refused
        return ""
    if not url_has_allowed_host_and_scheme(referrer, {host}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(referrer)
    address = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return "" if address == request.get_full_path() and request.method == "GET" else address


def refusal_page(request: HttpRequest, error: ApportionError, *, status: int = 0, resend: bool = False) -> HttpResponse:
    """The page of a refusal; for a part of a page (htmx), only its sentence, to be shown among the messages.

    With `resend` what was typed is shown again, to be sent by the person.
    """
    status = status or status_of(error)
    if request.path.startswith("/api/"):  # refused before it came to a route, as for a wrong host
        return _for_programs(request, error.code, error.sentence, error.advice, status)
    if request.headers.get("HX-Request"):
        response = render(request, "parts/refusal.html", {"error": error}, status=status)
        response["HX-Retarget"], response["HX-Reswap"] = "#messages", "innerHTML show:window:top"
        return response
    heading, picture = (_("Not sent"), "send") if isinstance(error, FormRefusedError) else _heading(status)
    context = {
        "error": error,
        "heading": heading,
        "picture": picture,
        "back": came_from(request),
        "typed": typed_in(request) if resend else None,
    }
    return render(request, "refused.html", context, status=status)


def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For Django's protection against forged forms. What was typed is only shown again if it came from a page here.

    A form that another site made is never offered again: it would be sent by whoever is lured into pressing a button.
    """
    from_here = _is_from_here(request, reason)
    if reason == REASON_NO_CSRF_COOKIE and not request.COOKIES:
        error = FormRefusedError(
            _("Your browser sent no cookies, so nobody can tell that this form is yours."),
            advice=_("Allow cookies for this site, then load the page again."),
        )
    elif from_here:
        error = FormRefusedError(
            _("The form had expired before it was sent."),
            advice=_("Nothing is lost: look at what you typed, and send it again."),
        )
    else:
        error = FormRefusedError(
            _("This form did not come from a page of this site."),
            advice=_("If another site sent you here, do not trust it. Begin at your start page."),
        )
    actor: Actor | None = getattr(request, "actor", None)
    if actor is not None and actor.person is not None:
        refused(actor, "send form", error, Record("page", "", one_line(request.path, 300)))
    return refusal_page(request, error, resend=from_here)


def _is_from_here(request: HttpRequest, reason: str) -> bool:
    templates = (REASON_BAD_ORIGIN, REASON_BAD_REFERER, REASON_INSECURE_REFERER, REASON_MALFORMED_REFERER)
    if reason in templates or reason.startswith(_FOREIGN):
        return False
    origin = request.headers.get("Origin")
    if origin is not None:  # browsers write it themselves: no page can forge it
        return origin == f"{request.scheme}://{request.get_host()}"
    return bool(came_from(request))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Handler for 400."""
    error = BadRequestError(
        _("The request is not one that this site understands."), advice=_("Begin at your start page.")
    )
    return refusal_page(request, error)


def body_refused(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    """What was sent was not taken, or not to its end: see `web.door`."""
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        error: ApportionError = TooLargeError(
            _("More was sent at once than is taken."), advice=_("Send smaller files, or fewer of them.")
        )
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        error = BusyError(
            _("Too many others are sending something at this moment."),
            advice=_("Go back, which keeps what you typed, and send it again in a minute."),
        )
    elif status == HTTPStatus.LENGTH_REQUIRED:
        error = BadRequestError(
            _("What was sent does not say how long it is."),
            advice=_("Send it whole, with its length (Content-Length)."),
        )
    else:
        error = BadRequestError(_("What was sent did not arrive to its end."), advice=_("Go back, and send it again."))
    response = refusal_page(request, error, status=status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "60"
    return response


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Handler for 403."""
    error = ForbiddenError(_("You may not do this."), advice=_("Ask an administrator for the role that may."))
    return refusal_page(request, error)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Handler for 404."""
    error = NoSuchPageError(
        _("There is nothing at this address."),
        advice=_("It may be an old link, or mistyped. Begin at your start page, or search."),
    )
    return refusal_page(request, error)


def failed(request: HttpRequest) -> HttpResponse:
    """Handler for 500: asks neither database nor session, since one of them may be what failed.

    Books that cannot be reached, or are locked or full, are no mistake of the program: that is a 503, to be sent again.
    """
    is_away = isinstance(sys.exception(), OperationalError | InterfaceError)
    status = 503 if is_away else 500
    if request.path.startswith("/api/"):
        if is_away:
            advice = "Send it again in a few seconds."
            response = _for_programs(request, "BUSY", "The books cannot be reached now.", advice, status)
        else:
            response = _for_programs(request, "FAULT", "The program failed. Nothing was changed.", "", status)
    else:
        context = {"request_id": getattr(request, "request_id", ""), "is_away": is_away}
        response = HttpResponse(render_to_string("500.html", context), status=status)
    if is_away:
        response["Retry-After"] = "5"
    return response


def _for_programs(request: HttpRequest, code: str, sentence: str, advice: str, status: int) -> HttpResponse:
    """The same as a problem document (RFC 9457), as the API's own refusals are."""
    problem: dict[str, object] = {
        "type": f"/api/v1/problems/{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": sentence,
        "code": code,
        "advice": advice,
        "place": None,
        "errors": [],
        "request_id": getattr(request, "request_id", ""),
    }
    return JsonResponse(problem, status=status, content_type="application/problem+json")
