"""Refusals as problem documents (RFC 9457): one shape for whatever goes wrong, and never a page."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from ninja import Field, Schema
from ninja.errors import HttpError, Throttled, ValidationError

from apportion.actions.acting import SamePersonError
from apportion.actions.repeating import StillUnderWayError
from apportion.actions.workspace import without_path
from apportion.errors import (
    ApportionError,
    ConservationError,
    DocumentError,
    EngineError,
    InputRefusedError,
    NotFoundError,
    ReplayError,
    StorageError,
    UnmappedError,
    WorkspaceError,
)
from apportion.post.erp.errors import TargetError
from apportion.records.rights import ForbiddenError
from apportion.review import dispute as disputes
from apportion.review.settlement import SettlementError

MEDIA_TYPE = "application/problem+json"
TYPES = "/api/v1/problems/"
RETRY_SECONDS = 5
_MOST_NAMED = 100  # of the mistakes in one request; all are counted
_UNKNOWN = "extra_forbidden"  # as the library calls what a shape does not know
_log = logging.getLogger("apportion.api")


class Where(Schema):
    """Where it is wrong: a field of the request, or a place in a file of the workspace."""

    field: str = Field("", description="Field of the request, or column of a file")
    file: str = ""
    line: int | None = None
    column: int | None = None
    row: int | None = None


class Wrong(Schema):
    """One of several mistakes."""

    code: str
    detail: str
    place: Where
    advice: str = ""


class Problem(Schema):
    """What was refused or failed, why, where, and what to do. Nothing was changed."""

    type: str = Field(description="Address of an explanation of this kind of problem")
    title: str = Field(description="The kind of problem in a few words")
    status: int
    detail: str = Field(description="What is wrong in this case")
    code: str = Field(description="Stable name of the kind of problem, for programs")
    advice: str = Field(description="What to do next; may be empty")
    place: Where | None = None
    errors: list[Wrong] = Field(default_factory=list, description="Every mistake, where there are several")
    request_id: str = Field(description="Number of the request, as in the header X-Request-ID and in the log")


class BadRequestError(InputRefusedError):
    """A request that cannot be read: no JSON, or not what its headers say."""

    code = "BAD_REQUEST"


class InvalidRequestError(InputRefusedError):
    """Values that the schema of the route does not allow."""

    code = "INVALID_REQUEST"


class MediaTypeError(InputRefusedError):
    """A body in a form that the route does not take."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class TooLargeError(InputRefusedError):
    """A body with more bytes, fields or files than are taken."""

    code = "TOO_LARGE"


class NotSignedInError(ApportionError):
    """Nobody is known to be calling."""

    code = "NOT_SIGNED_IN"


class NoSuchRouteError(NotFoundError):
    """An address at which there is nothing."""

    code = "NO_SUCH_ROUTE"


class MethodError(ApportionError):
    """A method that the route does not have."""

    code = "METHOD_NOT_ALLOWED"


class ChangedSinceError(ApportionError):
    """What was read has changed: the entity tag in If-Match is not the current one."""

    code = "CHANGED_SINCE"


class GivenOnceError(ApportionError):
    """A secret that was given in the first answer, and is not kept."""

    code = "GIVEN_ONCE"


class TooManyAttemptsError(ApportionError):
    """Too many calls with keys that do not hold."""

    code = "TOO_MANY_ATTEMPTS"


class BusyError(ApportionError):
    """The database is busy with something else."""

    code = "BUSY"


class FaultError(ApportionError):
    """A fault of the program, which it has logged."""

    code = "FAULT"


# The first that fits counts; what is not here is a conflict with how things stand.
_STATUS: tuple[tuple[type[ApportionError], int], ...] = (
    (BadRequestError, 400),
    (NotSignedInError, 401),
    (ForbiddenError, 403),
    (SamePersonError, 403),
    (disputes.SamePersonError, 403),
    (NotFoundError, 404),
    (MethodError, 405),
    (ChangedSinceError, 412),
    (TooLargeError, 413),
    (MediaTypeError, 415),
    (TooManyAttemptsError, 429),
    (disputes.DisputedAlreadyError, 409),
    (disputes.DecidedError, 409),
    (disputes.DisputeError, 422),
    (SettlementError, 422),
    (InputRefusedError, 422),
    (DocumentError, 422),
    (FaultError, 500),
    (ConservationError, 500),
    (ReplayError, 500),
    (EngineError, 500),
    (BusyError, 503),
    (TargetError, 503),
    (StorageError, 503),
    (WorkspaceError, 503),
)


def status_of(error: ApportionError) -> int:
    """The HTTP status of a refusal: 409 for whatever the state of things does not allow."""
    named = getattr(type(error), "http_status", None)  # such as an attachment's: 413 or 415
    if isinstance(named, int):
        return named
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 409)


def problem_of(error: ApportionError, request_id: str) -> Problem:
    """The problem document of a refusal."""
    kind = type(error)
    status = status_of(error)
    wrong = []
    if isinstance(error, DocumentError):
        wrong = [
            Wrong(
                code=each.code,
                detail=without_path(each.sentence),
                place=_where(each.place),
                advice=without_path(each.advice),
            )
            for each in error.mistakes
        ]
    elif isinstance(error, UnmappedError):
        wrong = [
            Wrong(code=error.code, detail=f"'{code}' has no {', '.join(missing)}.", place=Where(field=code))
            for code, missing in error.groups
        ]
    elif isinstance(error, _InvalidError):
        wrong = error.wrong
    return Problem(
        type=f"{TYPES}{error.code}",
        title=title_of(kind),
        status=status,
        detail=without_path(error.sentence),
        code=error.code,
        advice=without_path(error.advice),
        place=_where(error.place) if error.place is not None and str(error.place) else None,
        errors=wrong,
        request_id=request_id,
    )


def title_of(kind: type[ApportionError]) -> str:
    """The first sentence of the class that its code is of, which says what kind of refusal it is."""
    of = next(each for each in kind.__mro__ if "code" in vars(each))
    return " ".join((of.__doc__ or kind.code).split()).partition(". ")[0].rstrip(".")


def kinds() -> Iterator[type[ApportionError]]:
    """Every kind of refusal that there is, by code, each code once."""
    found: dict[str, type[ApportionError]] = {}
    waiting: list[type[ApportionError]] = [ApportionError]
    while waiting:
        kind = waiting.pop()
        found.setdefault(kind.code, kind)
        waiting += sorted(kind.__subclasses__(), key=lambda each: each.__name__, reverse=True)
    return (found[code] for code in sorted(found))


def response_of(problem: Problem) -> HttpResponse:
    """The problem as it is sent."""
    response = HttpResponse(problem.model_dump_json(), status=problem.status, content_type=MEDIA_TYPE)
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="apportion"'
    if problem.status in {429, 503} or problem.code == StillUnderWayError.code:
        response["Retry-After"] = str(60 if problem.status == 429 else RETRY_SECONDS)
    return response


def refuse(request: HttpRequest, error: ApportionError) -> HttpResponse:
    """The answer to a request that is refused."""
    return response_of(problem_of(error, getattr(request, "request_id", "")))


class _InvalidError(InvalidRequestError):
    """As the schema finds it, with every field."""

    def __init__(self, wrong: list[Wrong]) -> None:
        first = wrong[0]
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        advice = first.advice or "See the API's schema."
        super().__init__(f"{first.place.field or 'The request'}: {first.detail}{more}.", advice=advice)
        self.wrong = wrong[:_MOST_NAMED]


def translated(error: Exception) -> ApportionError:
    """What a server or library raises, as a refusal of ours; a `FaultError` for what nobody foresaw."""
    match error:
        case ApportionError():
            return error
        case ValidationError():
            return _InvalidError([_wrong(each) for each in error.errors])
        case Http404():
            return NoSuchRouteError("There is nothing at this address.", advice="See /api/v1/openapi.json.")
        case RequestDataTooBig() | TooManyFieldsSent() | TooManyFilesSent():
            return TooLargeError("The body is larger than is taken.", advice="Send less at once.")
        case MultiPartParserError() | UnreadablePostError() | SuspiciousOperation():
            return BadRequestError("The body of the request cannot be read.", advice="Send it again.")
        case PermissionDenied():
            return ForbiddenError("You may not do this.")
        case Throttled():
            return TooManyAttemptsError("Too many requests.", advice="Wait a minute.")
        case HttpError():
            inside = error.__cause__ or error.__context__  # what the framework has taken for unreadable JSON
            return inside if isinstance(inside, ApportionError) else _http(error)
        case OperationalError() | InterfaceError():
            _log.warning("database busy: %s", error)
            return BusyError("The books are busy with something else.", advice="Send it again in a few seconds.")
        case _:
            _log.exception("fault in the API", exc_info=error)
            return FaultError(
                "The program failed. Nothing was changed.",
                advice="Give the administrator the number of this request: the log says more.",
            )


def _http(error: HttpError) -> ApportionError:
    if error.status_code == 401:
        return NotSignedInError(
            "Nobody is signed in.", advice="Send the header Authorization: Bearer with a key, or sign in."
        )
    return BadRequestError("The body of the request is no JSON.", advice="Send one JSON value in UTF-8.")


def _wrong(found: dict[str, Any]) -> Wrong:
    """A finding of the schema; its place without the names of the parameters that hold it."""
    source, *path = found["loc"]
    if source == "body" and len(path) > 1:
        path = path[1:]  # the name of the parameter that takes the whole body
    field = (".".join(str(part) for part in path) or str(source))[:200]
    if found["type"] == _UNKNOWN:
        advice = "See the API's schema for the names that it takes."
        return Wrong(code=_UNKNOWN, detail="This call takes no such field", place=Where(field=field), advice=advice)
    return Wrong(code=str(found["type"]), detail=str(found["msg"]), place=Where(field=field))


def _where(place: Any) -> Where:
    file = without_path(place.file)
    return Where(field=place.field, file=file, line=place.line, column=place.column, row=place.row)
