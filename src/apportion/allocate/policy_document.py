"""What may stand in a policy file. The published JSON Schema is made from these models."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Tag, model_validator

from apportion.allocate.condition_document import ConditionDocument, UsageConditionDocument
from apportion.allocate.fields import check_column, check_usage_key
from apportion.allocate.policy import CostBasis, PoolOrder
from apportion.allocate.pool_document import CommitmentDocument, PoolDocument, UpliftDocument
from apportion.allocate.sections import Section, forms, one_of
from apportion.yamlfile import Code, Day, Flag, Text, refuse, suggestion


class _TargetDocument(Section):
    cost_group: Code | None = Field(None, description="The code of a cost group.")
    pool: Code | None = Field(None, description="The id of a pool.")
    aliases: Text | None = Field(None, description="The table of aliases that the value is looked up in first.")
    ignore_case: Flag = Field(True, description="Whether case matters in the value that names the cost group.")

    _ways: ClassVar[tuple[str, ...]] = ()
    _none: ClassVar[str] = ""
    _several: ClassVar[str] = ""

    @model_validator(mode="after")
    def _one_way(self) -> _TargetDocument:
        advice = f"Name one of {', '.join(self._ways[:-1])} or {self._ways[-1]}."
        way = one_of(self, self._ways, code="BAD_TARGET", none=self._none, several=self._several, advice=advice)
        beside = [name for name in ("aliases", "ignore_case") if name in self.model_fields_set]
        if beside and way in ("cost_group", "pool"):
            sentence = f"'{beside[0]}' goes with {' or '.join(self._ways[2:])} only."
            raise refuse("BAD_TARGET", sentence, at=(beside[0],))
        return self


class TargetDocument(_TargetDocument):
    """Where the charge goes: one of cost_group, pool, tag or column."""

    tag: Text | None = Field(None, description="The key of a tag whose value names the cost group.")
    column: Annotated[Text, AfterValidator(check_column)] | None = Field(
        None, description="A column whose value names the cost group."
    )

    _ways: ClassVar[tuple[str, ...]] = ("cost_group", "pool", "tag", "column")
    _none: ClassVar[str] = "It is not said where the charge goes."
    _several: ClassVar[str] = "A charge cannot go to {} at once."


class UsageTargetDocument(_TargetDocument):
    """Whose usage it is: one of cost_group, pool or column."""

    column: Annotated[Text, AfterValidator(check_usage_key)] | None = Field(
        None, description="What names the cost group: consumer, or a dimension."
    )

    _ways: ClassVar[tuple[str, ...]] = ("cost_group", "pool", "column")
    _none: ClassVar[str] = "It is not said whose usage it is."
    _several: ClassVar[str] = "Usage cannot go to {} at once."


def _target_word(value: object) -> object:
    if value != "kept_central":
        advice = suggestion(str(value), ["kept_central"]) or f"Write {{cost_group: {value}}} or {{pool: {value}}}."
        raise refuse("BAD_TARGET", f"'{value}' alone does not say where the charge goes.", advice)
    return value


ChargeTo = Annotated[
    Annotated[Literal["kept_central"], BeforeValidator(_target_word), Tag("#text")]
    | Annotated[TargetDocument, Tag("#mapping")],
    forms("Write for example {cost_group: …}, {pool: …} or kept_central."),
]


def _usage_target(value: object) -> object:
    if isinstance(value, str):
        if value == "kept_central":
            sentence, advice = "Usage is charged to nobody, and cannot be kept central.", "Leave it out with 'where'."
        else:
            sentence = f"'{value}' alone does not say whose usage it is."
            advice = f"Write {{cost_group: {value}}}, {{pool: {value}}} or {{column: {value}}}."
        raise refuse("BAD_TARGET", sentence, advice)
    return value


def _given(value: object) -> object:
    """An empty 'when' looks as if it asked for something, and would meet every charge."""
    if value is None:
        raise refuse("NO_VALUE", "'when' has no value.", "Leave it out for a rule that meets every charge.")
    return value


class RuleDocument(Section):
    """A rule: which charges it meets, where they go, and when it is in force."""

    id: Code = Field(description="What statements and explanations call the rule.")
    name: Text | None = Field(None, description="The rule in a few words.")
    when: Annotated[ConditionDocument | None, BeforeValidator(_given)] = Field(
        None, description="What must hold; left out, every charge meets the rule."
    )
    charge_to: ChargeTo = Field(description="Where a charge that meets the rule goes.")
    valid_from: Day | None = Field(None, alias="from", description="The first day of charges that it is in force for.")
    valid_until: Day | None = Field(None, alias="until", description="The first day that it is no longer in force for.")


class ConsumerDocument(Section):
    """A rule for delivered usage: which usage it meets, whose it is, and when it is in force."""

    id: Code = Field(description="What explanations call the rule.")
    name: Text | None = Field(None, description="The rule in a few words.")
    when: Annotated[UsageConditionDocument | None, BeforeValidator(_given)] = Field(
        None, description="What must hold; left out, all usage meets the rule."
    )
    charge_to: Annotated[UsageTargetDocument, BeforeValidator(_usage_target)] = Field(description="Whose usage it is.")
    valid_from: Day | None = Field(None, alias="from", description="The first day that it is in force for.")
    valid_until: Day | None = Field(None, alias="until", description="The first day that it is no longer in force for.")


_ORDERS = {
    "step-down": "Write declared: pools are shared as they stand in the file, and only those further down receive.",
    "step_down": "Write declared: pools are shared as they stand in the file, and only those further down receive.",
    "simultaneous": "Write reciprocal.",
}


def _order(value: object) -> object:
    if isinstance(value, str) and value in _ORDERS:
        raise refuse("BAD_VALUE", f"'pool_order' cannot be '{value}'.", _ORDERS[value])
    return value


class PolicyDocument(Section):
    """A policy: rules in order, the pools they fill, and the tables of aliases that tags are looked up in."""

    policy: Text = Field(description="The name of the policy.")
    cost_basis: CostBasis = Field(description="Charge on EffectiveCost (accrual) or on BilledCost (cash).")
    rules: tuple[RuleDocument, ...] = Field(min_length=1, description="The first rule that meets a charge decides.")
    consumers: tuple[ConsumerDocument, ...] = Field(
        (), description="Whose delivered usage is: the first rule that meets it decides."
    )
    aliases: dict[Text, dict[Text, Code]] = Field(
        {}, description="Tables from values of tags to codes of cost groups, by name."
    )
    pool_order: Annotated[PoolOrder, BeforeValidator(_order)] = Field(
        PoolOrder.DERIVED,
        description="In which order pools are shared: each after those that share into it (derived), as they stand "
        "here (declared, step-down), without pools as recipients (direct), or loops solved (reciprocal).",
    )
    pools: tuple[PoolDocument, ...] = ()
    commitments: tuple[CommitmentDocument, ...] = Field(
        (), description="How the cost of commitment discounts is divided, before pools are shared."
    )
    uplifts: tuple[UpliftDocument, ...] = Field((), description="Surcharges, after pools are shared.")
