"""What the sections of the policy file have in common: how they are read, and the values that stand in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from apportion.allocate.figures import (
    AMOUNT_PATTERN,
    NUMBER_PATTERN,
    PERCENT_PATTERN,
    parse_amount,
    parse_limit,
    parse_number,
    parse_percent,
)
from apportion.allocate.shares import parse_share
from apportion.yamlfile import NO_VALUE, Code, Refusal, Text, refuse, refuse_all


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


def nothing_left_open(document: BaseModel) -> None:
    """A key without a value looks as if it asked for something: refuse it, or it would silently ask for nothing."""
    open_keys = [
        field.alias or name
        for name, field in type(document).model_fields.items()
        if name in document.model_fields_set and getattr(document, name) is None
    ]
    if open_keys:
        raise refuse_all([Refusal("NO_VALUE", f"'{key}' has no value.", at=(key,)) for key in open_keys])


def given(document: BaseModel, names: Iterable[str]) -> list[str]:
    """Those of the names that have a value."""
    return [name for name in names if getattr(document, name) is not None]


def one_of(document: BaseModel, names: Collection[str], *, code: str, none: str, several: str, advice: str) -> str:
    """The one name that has a value; `several` is a sentence with the names that have one in place of ``{}``."""
    found = given(document, names)
    if len(found) != 1:
        sentence = several.format(" and ".join(f"'{name}'" for name in found)) if found else none
        raise refuse(code, sentence, advice)
    return found[0]


def _form(value: object) -> str | None:
    """Which form of a value stands in the file; None for nothing at all."""
    if isinstance(value, dict | BaseModel):
        return "#mapping"
    if isinstance(value, list | tuple):
        return "#list"
    return None if value is None else "#text"


def forms(advice: str = "") -> Discriminator:
    """Tells ``#text``, ``#list`` and ``#mapping`` apart; the advice is for whoever writes another form."""
    return Discriminator(_form, custom_error_type=NO_VALUE, custom_error_message=advice or " ")


def _checked(parse: Callable[[str], object]) -> Callable[[str], str]:
    def check(text: str) -> str:
        parse(text)
        return text

    return check


def _figure(pattern: str, *kinds: str) -> WithJsonSchema:
    return WithJsonSchema({"type": list(kinds) if len(kinds) > 1 else kinds[0], "pattern": f"^({pattern})$"})


Number = Annotated[str, AfterValidator(_checked(parse_number)), _figure(NUMBER_PATTERN, "string", "number")]
Money = Annotated[str, AfterValidator(_checked(parse_amount)), _figure(AMOUNT_PATTERN, "string")]
Percent = Annotated[str, AfterValidator(_checked(parse_percent)), _figure(PERCENT_PATTERN, "string")]
Limit = Annotated[str, AfterValidator(_checked(parse_limit)), _figure(f"{AMOUNT_PATTERN}|{PERCENT_PATTERN}", "string")]
Share = Annotated[str, AfterValidator(_checked(parse_share)), WithJsonSchema({"type": ["string", "number"]})]


def _not_blank(value: str) -> str:
    if not value.strip():
        raise refuse("BAD_VALUE", "The name is empty.")
    return value


Name = Annotated[Text, AfterValidator(_not_blank)]


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    found = [
        Refusal("DUPLICATE_RECIPIENT", f"'{value}' stands here a second time.", "Keep one of them.", (place,))
        for place, value in enumerate(values)
        if value in values[:place]
    ]
    if found:
        raise refuse_all(found)
    return values


Codes = Annotated[tuple[Code, ...], Field(min_length=1), AfterValidator(_distinct)]

OneOrMore = Annotated[
    Annotated[Text, Tag("#text")] | Annotated[tuple[Text, ...], Field(min_length=1), Tag("#list")],
    forms("Write one value, or several as [a, b]."),
]


def many(values: str | tuple[str, ...]) -> tuple[str, ...]:
    """One or more values as several, each once."""
    return (values,) if isinstance(values, str) else tuple(dict.fromkeys(values))
