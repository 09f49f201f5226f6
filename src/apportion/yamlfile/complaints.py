"""What a pydantic model finds wrong, as mistakes with a place and a sentence that a person understands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from apportion.errors import Mistake
from apportion.yamlfile.fields import suggestion
from apportion.yamlfile.nodes import Key, Places

NO_VALUE = "no_value"
"""The type of error a model gives where nothing stands; its message is advice."""

_LISTS = frozenset(("list_type", "tuple_type", "set_type", "frozen_set_type"))
_MAPPINGS = frozenset(("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"))


def complaints(error: ValidationError, model: type[BaseModel], places: Places) -> list[Mistake]:
    """One mistake for each thing found."""
    schema: Mapping[str, Any] | None = None
    found = []
    for detail in error.errors(include_url=False):
        if detail["type"] == "too_short" and detail["input"]:
            continue  # entries stand there, but each of them is wrong and has a mistake of its own
        if detail["type"] == "extra_forbidden" and schema is None:
            schema = model.model_json_schema()
        found += _mistakes(detail, schema or {}, places)
    return found


def _mistakes(detail: Any, schema: Mapping[str, Any], places: Places) -> list[Mistake]:
    path, of_key = _path(detail["loc"], places)
    context: Mapping[str, Any] = detail.get("ctx") or {}
    if detail["type"] != "mistake":
        return [_mistake(detail, path, of_key, schema, places)]
    return [
        Mistake(one.code, one.sentence, places.key(*path) if of_key else places.at(*path, *one.at), one.advice)
        for one in context["refusals"]
    ]


def _mistake(detail: Any, path: tuple[Key, ...], of_key: bool, schema: Mapping[str, Any], places: Places) -> Mistake:
    kind: str = detail["type"]
    context: Mapping[str, Any] = detail.get("ctx") or {}
    if kind == "extra_forbidden":
        return _unknown_key(path, schema, places)
    if kind == "missing":
        return _missing(path, places)
    name = _name(path)
    if detail["input"] is None:
        advice = str(detail["msg"]).strip() if kind == NO_VALUE else ""
        return Mistake("NO_VALUE", f"{name} has no value.", places.at(*path), advice)
    sentence, advice = _sentence(kind, name, detail["input"], context, detail["msg"])
    return Mistake("BAD_VALUE", sentence, places.key(*path) if of_key else places.at(*path), advice)


def _sentence(kind: str, name: str, given: Any, context: Mapping[str, Any], message: str) -> tuple[str, str]:
    if kind == NO_VALUE:
        return f"{name} cannot be {_shape(given)}.", message.strip()
    if kind == "string_type":
        return f"{name} takes a text, not {_shape(given)}.", ""
    if kind in _LISTS:
        return f"{name} takes a list, not {_shape(given)}.", "Write each entry on a line of its own after '- '."
    if kind in _MAPPINGS:
        return f"{name} takes a mapping, not {_shape(given)}.", "Write it as lines of 'key: value'."
    if kind in ("literal_error", "enum"):
        return _choice(name, given, str(context.get("expected", "")))
    if kind.startswith("date_"):
        return f"{name} takes a date, not {_shape(given)}.", "Write it as YYYY-MM-DD, for example 2026-07-01."
    if kind.startswith("int_"):
        return f"'{given}' is not a whole number, as {name} must be.", ""
    if kind.startswith("bool_"):
        return f"'{given}' is neither true nor false.", "Write true or false."
    if kind in ("too_short", "string_too_short"):
        return f"{name} is empty.", ""
    if kind == "string_pattern_mismatch":
        return f"'{given}' cannot stand for {name}.", f"It must match {context.get('pattern')}."
    if kind == "value_error":
        return _ended(str(context.get("error", message))), ""
    return f"{name}: {_ended(message)}", ""


def _choice(name: str, given: Any, expected: str) -> tuple[str, str]:
    choices = expected.replace(" or ", ", ").split(", ")
    advice = suggestion(str(given), [choice.strip("'") for choice in choices])
    shown = f"'{given}'" if isinstance(given, str) else _shape(given)
    return f"{name} cannot be {shown}; it can be {expected}.", advice


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?", "!")) else sentence + "."


def _shape(given: Any) -> str:
    if isinstance(given, dict):
        return "a mapping"
    if isinstance(given, list):
        return "a list"
    return "nothing" if given is None else f"'{given}'"


def _name(path: tuple[Key, ...]) -> str:
    """What to call the value at a path: its key, or its position in the list of that key."""
    if not path:
        return "The file"
    last = path[-1]
    if isinstance(last, str):
        return f"'{last}'"
    above = next((step for step in reversed(path[:-1]) if isinstance(step, str)), "")
    return f"Entry {last + 1} of '{above}'" if above else f"Entry {last + 1}"


def _path(location: Iterable[Key], places: Places) -> tuple[tuple[Key, ...], bool]:
    """The path in the file, without what the model's unions and keys add; and whether the key itself is meant."""
    path: list[Key] = []
    steps = list(location)
    of_key = bool(steps) and steps[-1] == "[key]"
    for step in steps[:-1] if of_key else steps:
        if isinstance(step, str) and step.startswith("#") and not places.has(*path, step):
            continue
        path.append(step)
    return tuple(path), of_key


def _missing(path: tuple[Key, ...], places: Places) -> Mistake:
    above = path[:-1]
    where = f" in {_name(above)}" if above and isinstance(above[-1], str) else ""
    return Mistake("MISSING_KEY", f"'{path[-1]}' is missing{where}.", places.at(*above), f"Add '{path[-1]}: …'.")


def _unknown_key(path: tuple[Key, ...], schema: Mapping[str, Any], places: Places) -> Mistake:
    known = sorted(set(_known_keys(schema, path[:-1])))
    advice = suggestion(str(path[-1]), known)
    if not advice and known:
        advice = "It can be " + ", ".join(known) + "."
    return Mistake("UNKNOWN_KEY", f"There is no key '{path[-1]}' here.", places.key(*path), advice)


def _known_keys(schema: Mapping[str, Any], path: tuple[Key, ...]) -> Iterator[str]:
    """The keys that a model knows at a path, from its JSON Schema."""
    branches = list(_branches(schema, schema))
    for step in path:
        below = []
        for branch in branches:
            if isinstance(step, int):
                inner = branch.get("items")
            else:
                inner = branch.get("properties", {}).get(step, branch.get("additionalProperties"))
            if isinstance(inner, dict):
                below += list(_branches(inner, schema))
        branches = below
    for branch in branches:
        yield from branch.get("properties", {})


def _branches(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The part of a schema with references followed and unions opened."""
    if "$ref" in part:
        yield from _branches(schema["$defs"][part["$ref"].removeprefix("#/$defs/")], schema)
    for union in ("anyOf", "oneOf", "allOf"):
        for one in part.get(union, ()):
            yield from _branches(one, schema)
    if "properties" in part or "additionalProperties" in part or "items" in part:
        yield part
