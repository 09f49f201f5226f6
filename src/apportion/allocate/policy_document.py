"""What may stand in a policy file. The published JSON Schema is made from these models."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from apportion.allocate.fields import check_column, check_key, misfits, strange_values
from apportion.allocate.pattern import check_glob, check_regex
from apportion.allocate.policy import CostBasis, NegativeBasis
from apportion.allocate.shares import parse_share, whole_weights
from apportion.yamlfile import NO_VALUE, Code, Day, Flag, Refusal, Text, refuse, refuse_all, suggestion


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


def _not_empty(value: str) -> str:
    if not value:
        raise refuse("BAD_VALUE", "An empty text begins every value.", "To ask for any value write {exists: true}.")
    return value


def _nothing_left_open(document: BaseModel) -> None:
    """A key without a value looks as if it asked for something: refuse it, or it would silently ask for nothing."""
    for name, field in type(document).model_fields.items():
        if name in document.model_fields_set and getattr(document, name) is None:
            key = field.alias or name
            raise refuse("NO_VALUE", f"'{key}' has no value.", at=(key,))


Glob = Annotated[Text, AfterValidator(check_glob)]
Regex = Annotated[Text, AfterValidator(check_regex)]
Beginning = Annotated[Text, AfterValidator(_not_empty)]


def _form(value: object) -> str | None:
    """Which form of a value stands in the file; None for nothing at all."""
    if isinstance(value, dict | BaseModel):
        return "#mapping"
    if isinstance(value, list | tuple):
        return "#list"
    return None if value is None else "#text"


def _forms(advice: str = "") -> Discriminator:
    return Discriminator(_form, custom_error_type=NO_VALUE, custom_error_message=advice or " ")


_MISSING = "To meet charges without the value write {exists: false}."
_OneOrMore = Annotated[
    Annotated[Text, Tag("#text")] | Annotated[tuple[Text, ...], Field(min_length=1), Tag("#list")],
    _forms(_MISSING),
]
_OneOrMoreBeginnings = Annotated[
    Annotated[Beginning, Tag("#text")] | Annotated[tuple[Beginning, ...], Field(min_length=1), Tag("#list")],
    _forms(),
]
_OneOrMoreGlobs = Annotated[
    Annotated[Glob, Tag("#text")] | Annotated[tuple[Glob, ...], Field(min_length=1), Tag("#list")],
    _forms(),
]
_OneOrMoreRegexes = Annotated[
    Annotated[Regex, Tag("#text")] | Annotated[tuple[Regex, ...], Field(min_length=1), Tag("#list")],
    _forms(),
]


class TestDocument(_Section):
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
        _nothing_left_open(self)
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
    _forms(_MISSING),
]


class ConditionDocument(BaseModel):
    """Everything that must hold: columns and tags with what is asked of them, and all, any and not."""

    model_config = ConfigDict(extra="allow", frozen=True, serialize_by_alias=True)
    __pydantic_extra__: dict[Annotated[str, AfterValidator(check_key)], Test]

    all_of: Annotated[tuple[ConditionDocument, ...], Field(min_length=1)] | None = Field(
        None, alias="all", description="Every one of these holds."
    )
    any_of: Annotated[tuple[ConditionDocument, ...], Field(min_length=1)] | None = Field(
        None, alias="any", description="At least one of these holds."
    )
    not_: ConditionDocument | None = Field(None, alias="not", description="This does not hold.")

    @property
    def tests(self) -> dict[str, str | tuple[str, ...] | TestDocument]:
        """The columns and tags with what is asked of them, in the order of the file."""
        return self.__pydantic_extra__

    @model_validator(mode="after")
    def _fits(self) -> ConditionDocument:
        _nothing_left_open(self)
        if not self.tests and not {"all_of", "any_of", "not_"} & self.model_fields_set:
            raise refuse("NO_VALUE", "The condition is empty.", "Leave out 'when' for a rule that meets every charge.")
        found = [refusal for key, test in self.tests.items() for refusal in _refusals(key, test)]
        if found:
            raise refuse_all(found)
        return self


def _refusals(key: str, test: str | tuple[str, ...] | TestDocument) -> list[Refusal]:
    """What the column cannot hold."""
    if not isinstance(test, TestDocument):
        return misfits(key, ("equals",)) or strange_values(key, test, (key,), fold=False)
    found = misfits(key, test.asked)
    for name, values in (("equals", test.equals), ("in", test.in_)):
        if values is not None and not found:
            found += strange_values(key, values, (key, name), fold=test.ignore_case)
    return found


class TargetDocument(_Section):
    """Where the charge goes: one of cost_group, pool, tag or column."""

    cost_group: Code | None = Field(None, description="The code of a cost group.")
    pool: Code | None = Field(None, description="The id of a pool.")
    tag: Text | None = Field(None, description="The key of a tag whose value names the cost group.")
    column: Annotated[Text, AfterValidator(check_column)] | None = Field(
        None, description="A column whose value names the cost group."
    )
    aliases: Text | None = Field(None, description="The table of aliases that the value is looked up in first.")
    ignore_case: Flag = Field(True, description="Whether case matters in the value of the tag or column.")

    @model_validator(mode="after")
    def _one_way(self) -> TargetDocument:
        ways = [name for name in ("cost_group", "pool", "tag", "column") if getattr(self, name) is not None]
        if len(ways) != 1:
            named = " and ".join(f"'{way}'" for way in ways)
            sentence = f"A charge cannot go to {named} at once." if ways else "It is not said where the charge goes."
            raise refuse("BAD_TARGET", sentence, "Name one of cost_group, pool, tag or column.")
        beside = [name for name in ("aliases", "ignore_case") if name in self.model_fields_set]
        if beside and ways[0] in ("cost_group", "pool"):
            raise refuse("BAD_TARGET", f"'{beside[0]}' goes with tag or column only.", at=(beside[0],))
        return self


def _target_word(value: object) -> object:
    if value != "kept_central":
        advice = suggestion(str(value), ["kept_central"]) or f"Write {{cost_group: {value}}} or {{pool: {value}}}."
        raise refuse("BAD_TARGET", f"'{value}' alone does not say where the charge goes.", advice)
    return value


ChargeTo = Annotated[
    Annotated[Literal["kept_central"], BeforeValidator(_target_word), Tag("#text")]
    | Annotated[TargetDocument, Tag("#mapping")],
    _forms("Write for example {cost_group: …}, {pool: …} or kept_central."),
]


def _given(value: object) -> object:
    """An empty 'when' looks as if it asked for something, and would meet every charge."""
    if value is None:
        raise refuse("NO_VALUE", "'when' has no value.", "Leave it out for a rule that meets every charge.")
    return value


class RuleDocument(_Section):
    """A rule: which charges it meets, where they go, and when it is in force."""

    id: Code = Field(description="What statements and explanations call the rule.")
    name: Text | None = Field(None, description="The rule in a few words.")
    when: Annotated[ConditionDocument | None, BeforeValidator(_given)] = Field(
        None, description="What must hold; left out, every charge meets the rule."
    )
    charge_to: ChargeTo = Field(description="Where a charge that meets the rule goes.")
    valid_from: Day | None = Field(None, alias="from", description="The first day of charges that it is in force for.")
    valid_until: Day | None = Field(None, alias="until", description="The first day that it is no longer in force for.")


def _checked_share(text: str) -> str:
    parse_share(text)
    return text


Share = Annotated[str, AfterValidator(_checked_share), WithJsonSchema({"type": ["string", "number"]})]


class SharesDocument(_Section):
    """Fixed shares, which sum to exactly 100 %."""

    fixed: Annotated[dict[Code, Share], Field(min_length=1)] = Field(
        description="Cost groups or other pools, each with its share: 45%, 0.45 or 1/3."
    )

    @property
    def shares(self) -> dict[str, Fraction]:
        """Each recipient's part of one whole."""
        return {code: parse_share(text) for code, text in self.fixed.items()}

    @model_validator(mode="after")
    def _whole(self) -> SharesDocument:
        whole_weights(self.shares)
        return self


class RecipientsDocument(_Section):
    """Who takes part in a pool. Nothing named: every cost group with nothing below it."""

    groups: tuple[Code, ...] = Field((), description="Cost groups that take part themselves.")
    under: tuple[Code, ...] = Field((), description="Cost groups of which everyone at the bottom takes part.")
    excluded: tuple[Code, ...] = Field((), alias="except", description="Left out, with all that is below them.")


class PoolDocument(_Section):
    """A pool: cost used by many, and how it is shared."""

    id: Code = Field(description="What rules and statements call the pool.")
    name: Text | None = Field(None, description="The pool in a few words.")
    share: Annotated[
        Annotated[Literal["even", "proportional to direct cost"], Tag("#text")]
        | Annotated[SharesDocument, Tag("#mapping")],
        _forms("Write even, proportional to direct cost, or {fixed: …}."),
    ]
    recipients: RecipientsDocument | None = None
    negative_basis: NegativeBasis = Field(
        NegativeBasis.REFUSE,
        description="In proportion to direct cost: what a recipient with less than nothing means.",
    )

    @model_validator(mode="after")
    def _fits(self) -> PoolDocument:
        fixed = isinstance(self.share, SharesDocument)
        found = []
        if fixed and self.recipients is not None:
            sentence = "Fixed shares name their recipients themselves."
            found.append(Refusal("BAD_POOL", sentence, "Leave out 'recipients'.", ("recipients",)))
        if "negative_basis" in self.model_fields_set and self.share != "proportional to direct cost":
            sentence = "'negative_basis' means nothing here: only a share in proportion has a basis."
            found.append(Refusal("BAD_POOL", sentence, "Leave it out.", ("negative_basis",)))
        if found:
            raise refuse_all(found)
        return self


class PolicyDocument(_Section):
    """A policy: rules in order, the pools they fill, and the tables of aliases that tags are looked up in."""

    policy: Text = Field(description="The name of the policy.")
    cost_basis: CostBasis = Field(description="Charge on EffectiveCost (accrual) or on BilledCost (cash).")
    rules: tuple[RuleDocument, ...] = Field(min_length=1, description="The first rule that meets a charge decides.")
    aliases: dict[Text, dict[Text, Code]] = Field(
        {}, description="Tables from values of tags to codes of cost groups, by name."
    )
    pools: tuple[PoolDocument, ...] = ()
