"""What makes a function a route: its rule, its answer, and that a repeated write does nothing twice."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Router
from ninja.utils import contribute_operation_callback
from pydantic import TypeAdapter

from apportion.actions.acting import Record, refused
from apportion.actions.repeating import FIELD, Answer, once
from apportion.api.auth import Request, Session, Token
from apportion.api.incoming import take_nothing_else
from apportion.api.problems import MEDIA_TYPE, ChangedSinceError, GivenOnceError, refuse
from apportion.errors import ApportionError, NotFoundError
from apportion.records.rights import ForbiddenError
from apportion.records.rule import Reach, Rule
from apportion.review.permission import Permission

JSON = "application/json"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
View = Callable[..., Any]
_NUMBER = re.compile(r"\{(?!period|code|name)([a-z]+)\}")  # every other thing of an address is known by its number
_ONCE = "Its secret was in that answer only. Where it was lost, end what was made and make another."
# What a write may come to beside its own answer, and what a read may.
_ALWAYS = (401, 403, 429, 500, 503)
_READ = (404, 409, 422)
_WRITE = (400, 404, 409, 413, 415, 422)
_KEY_PARAMETER = {
    "in": "header",
    "name": FIELD,
    "required": False,
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,200}$"},
    "description": "Sent again with the same key and body, the call gets the same answer and does nothing twice.",
}
_MATCH_PARAMETER = {
    "in": "header",
    "name": "If-Match",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag of what was read; the call is refused where it has changed since.",
}


def route(
    router: Router,
    method: str,
    path: str,
    reach: Reach,
    permission: Permission | None = None,
    *,
    gives: Any = None,
    status: int = 200,
    matches: bool = False,
    is_secret: bool = False,
    files: Mapping[str, str] | None = None,
) -> Callable[[View], View]:
    """Make a function a route of a router. `gives` is the shape of its answer, `files` the media types of a download.

    A GET may give a response of its own. What a POST gives is kept under its `Idempotency-Key`. With `matches` it may
    carry `If-Match`, which the function looks at (`require_unchanged`). What is secret is given once, and never kept.
    """
    rule = Rule(reach, permission, (method,))
    adapter: TypeAdapter[Any] | None = TypeAdapter(gives) if gives is not None else None

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, **values: Any) -> Any:
            made = cast(Request, request)
            if method == "GET":
                return _shown(view(made, **values), adapter, status)
            return _write(made, lambda: _body(view(made, **values), adapter), status, is_secret=is_secret)

        checked.__signature__ = inspect.signature(view, eval_str=True)  # type: ignore[attr-defined]
        checked.rule = rule  # type: ignore[attr-defined]
        contribute_operation_callback(checked, take_nothing_else)
        made = router.api_operation(
            [method],
            _NUMBER.sub(r"{int:\1}", path),
            response={status: gives},
            auth=None if reach is Reach.PUBLIC else [Token(rule), Session(rule)],
            operation_id=view.__name__,
            summary=inspect.cleandoc(view.__doc__ or view.__name__).partition("\n")[0].rstrip("."),
            openapi_extra=_extra(method, rule, status, matches=matches, files=files),
        )
        made(checked)
        return checked

    return decorate


def require_unchanged(request: Request, tag: str) -> None:
    """Raises `ChangedSinceError` where the call names another state of things than `tag`, or none at all."""
    sent = request.headers.get("If-Match")
    if sent is None or sent.strip() == "*":
        return
    wanted = [each.strip() for each in sent.split(",") if each.strip()]
    if not wanted:  # whoever sends the header wants to be held to what was read, and has lost it on the way
        raise ChangedSinceError(
            "The header If-Match is empty.", advice="Send the ETag that you read, or leave the header out."
        )
    if tag not in wanted:
        raise ChangedSinceError("It has changed since you read it.", advice="Read it again, then decide.")


def _extra(method: str, rule: Rule, status: int, *, matches: bool, files: Mapping[str, str] | None) -> dict[str, Any]:
    codes = {*_ALWAYS, *(_READ if method == "GET" else _WRITE), *((412,) if matches else ())}
    if rule.reach is Reach.PUBLIC:
        codes -= {401, 403}
    responses: dict[Any, Any] = {code: {"$ref": "#/components/responses/Problem"} for code in sorted(codes)}
    if files:
        binary = {"type": "string", "contentMediaType": "application/octet-stream"}
        responses[status] = {"description": "The file", "content": {media: {"schema": binary} for media in files}}
    parameters = [] if method == "GET" else [_KEY_PARAMETER]
    if matches:
        parameters.append(_MATCH_PARAMETER)
    extra: dict[str, Any] = {"responses": responses, "x-reach": str(rule.reach)}
    if parameters:
        extra["parameters"] = parameters
    if rule.permission is not None:
        extra["x-permission"] = str(rule.permission)
    return extra


def _shown(value: Any, adapter: TypeAdapter[Any] | None, status: int) -> HttpResponse | StreamingHttpResponse:
    if isinstance(value, HttpResponse | StreamingHttpResponse):
        return value
    response = HttpResponse(_body(value, adapter), status=status, content_type=JSON)
    tag = getattr(value, "etag", "")
    if tag:
        response["ETag"] = tag
    return response


def _body(value: Any, adapter: TypeAdapter[Any] | None) -> str:
    if adapter is None:
        return ""
    return adapter.dump_json(adapter.validate_python(value) if isinstance(value, dict) else value).decode()


def _write(request: Request, act: Callable[[], str], status: int, *, is_secret: bool) -> HttpResponse:
    given = ""

    def answer() -> Answer:
        nonlocal given
        try:
            given = act()
            return Answer(status, "" if is_secret else given)
        except ApportionError as error:
            problem = refusal(request, error)
            if problem.status_code >= 500:
                raise
            return Answer(problem.status_code, problem.content.decode())

    key = request.headers.get(FIELD)
    person = request.actor.person
    if key is None or person is None:
        found = answer()
    else:
        where = f"{request.method} {request.path}"[:200]
        found = once(person, key, where, _digest(request), answer)
    if is_secret and found.status < 400:
        if found.is_repeated:
            raise GivenOnceError("This was made by the first call with this key.", advice=_ONCE)
        found = Answer(found.status, given)
    media = JSON if found.status < 400 else MEDIA_TYPE
    response = HttpResponse(found.body, status=found.status, content_type=media)
    if found.status == 204:
        del response["Content-Type"]
    if found.is_repeated:
        response["Idempotency-Replayed"] = "true"
    return response


def refusal(request: HttpRequest, error: ApportionError) -> HttpResponse:
    """The problem; what somebody tried and may not do is noted, as it is for pages."""
    actor = cast(Request, request).actor
    if isinstance(error, ForbiddenError | NotFoundError) and request.method not in _SAFE and actor.person:
        refused(actor, "call route", error, Record("route", "", request.path[:300]))
    return refuse(request, error)


def _digest(request: Request) -> str:
    """SHA-256 of everything that the call says: address, fields and files."""
    found = hashlib.sha256(request.get_full_path().encode("utf-8", "surrogatepass"))
    if request.content_type == "multipart/form-data":
        for name, values in sorted(request.POST.lists()):
            found.update(repr((name, values)).encode("utf-8", "surrogatepass"))
        for name, uploads in sorted(request.FILES.lists()):
            for upload in uploads:
                found.update(repr((name, upload.name, upload.content_type, upload.size)).encode("utf-8", "replace"))
                for chunk in upload.chunks():
                    found.update(chunk)
                upload.seek(0)
    else:
        found.update(request.body)
    return found.hexdigest()
