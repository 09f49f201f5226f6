"""The schema in the order that people read it: by resource, each route with what it takes and gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """A field or parameter: where it goes, what form it has, and what it says."""

    name: str
    place: str
    form: str
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One route. `needs` is the permission, `gives` what the answer is."""

    name: str
    method: str
    path: str
    summary: str
    needs: str
    values: tuple[Value, ...]
    gives: str
    fields: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """The routes of one resource."""

    name: str
    id: str
    routes: tuple[Reading, ...]


def chapters(schema: Schema) -> list[Chapter]:
    """Every route, by resource, in the order of the schema."""
    found: dict[str, list[Reading]] = {}
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            for tag in operation.get("tags", ["other"]):
                found.setdefault(tag, []).append(_reading(schema, path, method, operation))
    return [Chapter(name, name.replace(" ", "-"), tuple(routes)) for name, routes in found.items()]


def _reading(schema: Schema, path: str, method: str, operation: Schema) -> Reading:
    values = [*_parameters(schema, operation), *_body(schema, operation)]
    status, answer = next((code, each) for code, each in operation["responses"].items() if str(code).startswith("2"))
    contents: Mapping[str, Any] = answer.get("content", {})
    media = next(iter(contents), "")
    shape: Schema = contents[media].get("schema", {}) if media else {}
    return Reading(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        needs=operation.get("x-permission", ""),
        values=tuple(values),
        gives=f"{status} {media}".strip(),
        fields=tuple(_fields(schema, shape, "")),
    )


def _parameters(schema: Schema, operation: Schema) -> Iterator[Value]:
    for each in operation.get("parameters", ()):
        form = _form(schema, each["schema"])
        yield Value(each["name"], each["in"], form, each.get("required", False), each.get("description", ""))


def _body(schema: Schema, operation: Schema) -> Iterator[Value]:
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield from _fields(schema, content["schema"], "form" if media.startswith("multipart") else "body")


def _fields(schema: Schema, shape: Schema, place: str) -> Iterator[Value]:
    whole = _resolved(schema, shape.get("items", shape) if shape.get("type") == "array" else shape)
    required = whole.get("required", ())
    for name, each in whole.get("properties", {}).items():
        text = each.get("description") or _resolved(schema, each).get("description", "")
        yield Value(name, place, _form(schema, each), name in required, text)


def _resolved(schema: Schema, shape: Schema) -> Schema:
    name = str(shape.get("$ref", "")).rpartition("/")[2]
    found: Schema = schema["components"]["schemas"][name] if name else shape
    return found


def _form(schema: Schema, shape: Schema) -> str:
    """A form in a few words: ``list of LineOut``, ``text or null``, ``issued, voided``."""
    if "$ref" in shape:
        resolved = _resolved(schema, shape)
        return _form(schema, resolved) if "enum" in resolved else _name(str(shape["$ref"]))
    if "enum" in shape:
        return ", ".join(str(each) or '""' for each in shape["enum"])
    if "const" in shape:
        return str(shape["const"])
    if "anyOf" in shape:
        return " or ".join(dict.fromkeys(_form(schema, each) for each in shape["anyOf"]))
    if shape.get("type") == "array":
        return f"list of {_form(schema, shape.get('items', {}))}"
    return _PLAIN.get(str(shape.get("format") or shape.get("type")), str(shape.get("format") or shape.get("type")))


def _name(reference: str) -> str:
    words = re.sub(r"(Out|Whole)$", "", reference.rpartition("/")[2])
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words).lower()


_PLAIN = {"string": "text", "integer": "whole number", "boolean": "true or false", "date-time": "instant"}
_PLAIN |= {"date": "day", "object": "object", "binary": "file", "null": "null", "None": "anything"}
