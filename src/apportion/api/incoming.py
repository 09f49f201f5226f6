"""What comes in says only what its route knows: a name written wrongly is refused, and never left out of an act."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.operation import Operation
from ninja.params.models import BodyModel, ParamModel
from ninja.parser import Parser
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import InitErrorDetails

from apportion.api.problems import MediaTypeError

_FORMS = frozenset({"form", "file"})


class Incoming(BaseModel):
    """A shape that callers send, as a body, a form or filters. Every one derives from this."""

    model_config = ConfigDict(extra="forbid")


class JsonBody(Parser):
    """Takes JSON for JSON only: what is sent as something else is not guessed at."""

    def parse_body(self, request: HttpRequest) -> Any:
        _require_json(request)
        return json.loads(request.body)


class NothingElse(ParamModel):
    """Refuses whatever no other part of a route reads: names in the address and in forms, and a body for nobody.

    The framework picks the names that it knows and drops the others before any shape sees them. As one more part of the
    route, this reports them together with everything else that is wrong.
    """

    __ninja_param_source__ = "query"  # type: ignore[assignment]  # of which it has none, so that the schema says nothing of it
    __ninja_flatten_map_reverse__: ClassVar[dict[Any, Any]] = {}
    __known__: ClassVar[dict[str, frozenset[str]]] = {}

    @classmethod
    def get_request_data(cls, request: HttpRequest, api: NinjaAPI, path_params: dict[str, Any]) -> None:
        """Nothing: it takes no values."""

    @classmethod
    def resolve(cls, request: HttpRequest, api: NinjaAPI, path_params: dict[str, Any]) -> NothingElse:
        """Look at the request. Raises `ValidationError`, naming everything that is not known."""
        found = [*_unknown(cls.__known__, request, api)]
        if found:
            raise ValidationError.from_exception_data(
                cls.__name__, [InitErrorDetails(type="extra_forbidden", loc=(name,), input=None) for name in found]
            )
        return cls()


def take_nothing_else(operation: Operation) -> None:
    """Let a route refuse what it does not know. It looks first: a form where JSON is taken cannot be read as a body."""
    known: dict[str, frozenset[str]] = {"query": frozenset()}
    for model in operation.models:
        names = getattr(model, "__ninja_flatten_map__", None) or model.model_fields
        known[str(model.__ninja_param_source__)] = frozenset(names)
    operation.models.insert(0, type("NothingElse", (NothingElse,), {"__known__": known}))


def _unknown(known: dict[str, frozenset[str]], request: HttpRequest, api: NinjaAPI) -> Iterator[str]:
    yield from (name for name in request.GET if name not in known["query"])
    if known.keys() & _FORMS:
        yield from (name for name in request.POST if name not in known.get("form", ()))
        yield from (name for name in request.FILES if name not in known.get("file", ()))
        return
    if request.method == "POST":
        _require_json(request)
    if "body" not in known:
        body = BodyModel.get_request_data(request, api, {})
        yield from body if isinstance(body, dict) else () if body is None else ("body",)


def _require_json(request: HttpRequest) -> None:
    # A form is told by its header: once its fields are read, as they are for a session, its bytes cannot be any more.
    is_form = request.content_type == "multipart/form-data"
    if is_form or (request.body and request.content_type != "application/json"):
        raise MediaTypeError(
            "The body is not sent as JSON.", advice="Send it with the header Content-Type: application/json."
        )
