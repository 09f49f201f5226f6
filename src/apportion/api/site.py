"""The API itself: every resource, one schema, and problems for whatever goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template import RequestContext, Template
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.docs import DocsBase
from ninja.openapi.schema import OpenAPISchema

from apportion.api import (
    audit,
    calendars,
    deliveries,
    disputes,
    documents,
    explained,
    groups,
    journals,
    lines,
    measures,
    people,
    periods,
    policies,
    reviews,
    talk,
    webhooks,
    work_list,
)
from apportion.api.incoming import JsonBody
from apportion.api.problems import MEDIA_TYPE, Problem, translated
from apportion.api.reading import chapters
from apportion.api.route import refusal

DESCRIPTION = """\
Everything that the pages of Apportion do, for programs.

Sign in with `Authorization: Bearer` and a key from your own page. Amounts are decimal text with a currency, and minor
units beside it. Lists are paged. A write that carries an `Idempotency-Key` can be sent again and does nothing twice.
Whatever is refused is a problem document (RFC 9457) with a code, a sentence, the place and advice.
"""
_PAGE = Path(__file__).with_name("docs.html")
_SCHEMAS = "#/components/schemas/"


class OwnPage(DocsBase):
    """The schema for people: a page of ours, that reads without scripts."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **values: Any) -> HttpResponse:
        page = Template(_PAGE.read_text(encoding="utf-8"))
        told = {"groups": chapters(api.get_openapi_schema()), "schema": self.get_openapi_url(api, values)}
        return HttpResponse(page.render(RequestContext(request, told)))


class OneMeaning(OpenAPISchema):
    """Refuses two shapes of one name: the framework would let the last of them win. Closes forms as bodies are."""

    def add_schema_definitions(self, definitions: dict[str, Any]) -> None:
        """Add shapes by name. Raises `ValueError` where the name has another meaning already."""
        for name, shape in definitions.items():
            if self.schemas.setdefault(name, shape) != shape:
                raise ValueError(f"Two shapes of the API are called {name}.")

    def _create_multipart_schema_from_models(self, *given: Any, **more: Any) -> tuple[dict[str, Any], str]:
        schema, media = super()._create_multipart_schema_from_models(*given, **more)
        return {**schema, "additionalProperties": False}, media  # the framework leaves out what the shapes say of it


class Api(NinjaAPI):
    """With problems in its schema."""

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        """The schema, with the shape of problems and a response for each status."""
        made = OneMeaning(self, self.get_root_path(path_params or {}) if path_prefix is None else path_prefix)
        schema = Problem.model_json_schema(ref_template=_SCHEMAS + "{model}", mode="serialization")
        made["components"]["schemas"] |= schema.pop("$defs", {})
        made["components"]["schemas"]["Problem"] = schema
        made["components"]["responses"] = {
            "Problem": {
                "description": "Refused, and nothing was changed",
                "content": {MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
            }
        }
        return made


api = Api(
    title="Apportion",
    version="1.0.0",
    description=DESCRIPTION,
    parser=JsonBody(),
    urls_namespace="api",
    docs=OwnPage(),
)
_RESOURCES = (
    people,
    periods,
    calendars,
    journals,
    policies,
    documents,
    lines,
    reviews,
    disputes,
    talk,
    groups,
    measures,
    deliveries,
    work_list,
    audit,
    webhooks,
    explained,
)
for _resource in _RESOURCES:
    api.add_router("", _resource.router)


def _problem(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    return refusal(request, translated(error if isinstance(error, Exception) else error()))


for _kind in (Exception, Http404, HttpError, ValidationError):  # the framework has answers of its own for these
    api.add_exception_handler(_kind, _problem)
