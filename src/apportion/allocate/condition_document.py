"""What may stand in a condition of the policy file: columns, tags and dimensions, and what is asked of them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Tag, model_validator

from apportion.allocate.fields import check_key, check_usage_key, misfits, strange_values
from apportion.allocate.pattern import check_glob, check_regex
from apportion.allocate.sections import Section, forms, nothing_left_open
from apportion.yamlfile import Day, Flag, Refusal, Text, refuse, refuse_all


def _not_empty(value: str) -> str:
    if not value:
        raise refuse("BAD_VALUE", "An empty text begins every value.", "To ask for any value write {exists: true}.")
    return value


Glob = Annotated[Text, AfterValidator(check_glob)]
Regex = Annotated[Text, AfterValidator(check_regex)]
Beginning = Annotated[Text, AfterValidator(_not_empty)]

_MISSING = "To meet charges without the value write {exists: false}."
_OneOrMore = Annotated[
    Annotated[Text, Tag("#text")] | Annotated[tuple[Text, ...], Field(min_length=1), Tag("#list")],
    forms(_MISSING),
]
_OneOrMoreBeginnings = Annotated[
    Annotated[Beginning, Tag("#text")] | Annotated[tuple[Beginning, ...], Field(min_length=1), Tag("#list")],
    forms(),
]
_OneOrMoreGlobs = Annotated[
    Annotated[Glob, Tag("#text")] | Annotated[tuple[Glob, ...], Field(min_length=1), Tag("#list")],
    forms(),
]
_OneOrMoreRegexes = Annotated[
    Annotated[Regex, Tag("#text")] | Annotated[tuple[Regex, ...], Field(min_length=1), Tag("#list")],
    forms(),
]


class TestDocument(Section):
    """What is asked of one value. Where several things are asked, all of them must hold."""

    __test__ = False  # for pytest, which takes the name for one of its own

    equals: _OneOrMore | None = Field(None, description="The value is this, or one of these.")
    in_: Annotated[tuple[Text, ...], Field(min_length=1)] | None = Field(
        None, alias="in", description="The value is one of these; the same as equals."
    )
    ignore_case: Flag = Field(False, description="Compare equals and in without regard to case.")
    prefix: _OneOrMoreBeginnings | None = Field(None, description="The value begins with this, or one of these.")
    glob: _OneOrMoreGlobs | None = Field(None, description="The whole value fits *, ? and [abc].")
    matches: _OneOrMoreRegexes | None = Field(
        None, description="The regular expression (RE2) is found somewhere in the value."
    )
    exists: Flag | None = Field(None, description="The value is there (true) or missing (false).")
    valid_from: Day | None = Field(None, alias="from", description="The instant lies on this day or later.")
    valid_until: Day | None = Field(None, alias="until", description="The instant lies before this day.")

    @model_validator(mode="after")
    def _makes_sense(self) -> TestDocument:
        nothing_left_open(self)
        asked = self.asked
        if not asked:
            raise refuse("NO_VALUE", "Nothing is asked of the value here.", "Write for example {equals: …}.")
        if "ignore_case" in self.model_fields_set and not {"equals", "in"} & set(asked):
            raise refuse("BAD_VALUE", "'ignore_case' goes with equals or in only.", at=("ignore_case",))
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            sentence = f"No instant lies from {self.valid_from} until before {self.valid_until}."
            raise refuse("EMPTY_DATES", sentence, "'until' is the first day after.", ("until",))
        return self

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the tests that stand there, as the file writes them."""
        names = {"in_": "in", "valid_from": "from", "valid_until": "until"}
        return tuple(
            names.get(name, name)
            for name in type(self).model_fields
            if name != "ignore_case" and getattr(self, name) is not None
        )


Test = Annotated[
    Annotated[Text, Tag("#text")]
    | Annotated[tuple[Text, ...], Field(min_length=1), Tag("#list")]
    | Annotated[TestDocument, Tag("#mapping")],
    forms(_MISSING),
]


class _Tests(BaseModel):
    """Keys with what is asked of their values, in the order of the file."""

    model_config = ConfigDict(extra="allow", frozen=True, serialize_by_alias=True)

    _everything: ClassVar[str] = "charge"

    @property
    def tests(self) -> dict[str, str | tuple[str, ...] | TestDocument]:
        return self.__pydantic_extra__ or {}

    @model_validator(mode="after")
    def _fits(self) -> _Tests:
        nothing_left_open(self)
        if not self.tests and not {"all_of", "any_of", "not_"} & self.model_fields_set:
            advice = f"Leave out 'when' for a rule that meets every {self._everything}."
            raise refuse("NO_VALUE", "The condition is empty.", advice)
        found = [refusal for key, test in self.tests.items() for refusal in self._refusals(key, test)]
        if found:
            raise refuse_all(found)
        return self

    @abstractmethod
    def _refusals(self, key: str, test: str | tuple[str, ...] | TestDocument) -> list[Refusal]:
        """What the key's values cannot hold."""


class ConditionDocument(_Tests):
    """Everything that must hold: columns and tags with what is asked of them, and all, any and not."""

    __pydantic_extra__: dict[Annotated[str, AfterValidator(check_key)], Test]

    all_of: Annotated[tuple[ConditionDocument, ...], Field(min_length=1)] | None = Field(
        None, alias="all", description="Every one of these holds."
    )
    any_of: Annotated[tuple[ConditionDocument, ...], Field(min_length=1)] | None = Field(
        None, alias="any", description="At least one of these holds."
    )
    not_: ConditionDocument | None = Field(None, alias="not", description="This does not hold.")

    def _refusals(self, key: str, test: str | tuple[str, ...] | TestDocument) -> list[Refusal]:
        if not isinstance(test, TestDocument):
            return misfits(key, ("equals",)) or strange_values(key, test, (key,), fold=False)
        found = misfits(key, test.asked)
        for name, values in (("equals", test.equals), ("in", test.in_)):
            if values is not None and not found:
                found += strange_values(key, values, (key, name), fold=test.ignore_case)
        return found


class UsageConditionDocument(_Tests):
    """Everything that must hold for usage: consumer, metric and dimensions, and all, any and not."""

    __pydantic_extra__: dict[Annotated[str, AfterValidator(check_usage_key)], Test]

    _everything: ClassVar[str] = "usage"

    all_of: Annotated[tuple[UsageConditionDocument, ...], Field(min_length=1)] | None = Field(
        None, alias="all", description="Every one of these holds."
    )
    any_of: Annotated[tuple[UsageConditionDocument, ...], Field(min_length=1)] | None = Field(
        None, alias="any", description="At least one of these holds."
    )
    not_: UsageConditionDocument | None = Field(None, alias="not", description="This does not hold.")

    def _refusals(self, key: str, test: str | tuple[str, ...] | TestDocument) -> list[Refusal]:
        asked = test.asked if isinstance(test, TestDocument) else ()
        return [
            Refusal("MISFIT", f"'{key}' is a text: it has no dates to compare.", at=(key, name))
            for name in asked
            if name in ("from", "until")
        ]
