"""What may stand for pools, commitments and uplifts in the policy file."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, Tag, model_validator

from apportion.allocate.basis import Amount
from apportion.allocate.basis_document import ShareBy, asks_recipients, ways
from apportion.allocate.condition_document import ConditionDocument
from apportion.allocate.figures import parse_limit
from apportion.allocate.policy import Beyond, NegativeBasis, Unused
from apportion.allocate.sections import (
    Codes,
    Limit,
    Money,
    Name,
    OneOrMore,
    Percent,
    Section,
    forms,
    nothing_left_open,
    one_of,
)
from apportion.allocate.shares import percent_text
from apportion.yamlfile import Code, Refusal, Text, refuse, refuse_all, suggestion


class GroupsDocument(Section):
    """Who takes part. Nobody named: every cost group with nothing below it, but for those under `except`."""

    groups: Codes | None = Field(None, description="Cost groups that take part themselves.")
    under: Codes | None = Field(None, description="Cost groups of which everyone at the bottom takes part.")
    having: Annotated[dict[Name, OneOrMore], Field(min_length=1)] | None = Field(
        None, alias="with", description="Attributes with the value, or the values, of those who take part."
    )
    charged_by: Codes | None = Field(None, description="Rules: whoever they charged in the period takes part.")
    excluded: Codes | None = Field(None, alias="except", description="Left out, with all that is below them.")

    @model_validator(mode="after")
    def _names_somebody(self) -> GroupsDocument:
        nothing_left_open(self)
        if not self.model_fields_set:
            advice = "Leave 'recipients' out for every cost group that has none below it."
            raise refuse("NO_VALUE", "It is not said who takes part.", advice)
        return self


class RecipientsDocument(GroupsDocument):
    """Who takes part in a pool: cost groups, and other pools beside them."""

    pools: Codes | None = Field(None, description="Pools that take part and share it further.")


class LimitsDocument(Section):
    """The least and the most that a recipient pays."""

    at_least: Limit | None = Field(None, description="The least of each recipient: 10.00 USD, or 2% of the pool.")
    at_most: Limit | None = Field(None, description="The most of each recipient: 500.00 USD, or 40% of the pool.")
    beyond: Beyond = Field(
        Beyond.PASSED_ON, description="Where what is beyond the most goes: to the others, or nowhere (kept central)."
    )

    @model_validator(mode="after")
    def _fit_together(self) -> LimitsDocument:
        nothing_left_open(self)
        if self.at_least is None and self.at_most is None:
            raise refuse("NO_VALUE", "There is no limit here.", "Write at_least, at_most or both.")
        if self.at_most is None and "beyond" in self.model_fields_set:
            raise refuse("BAD_LIMITS", "'beyond' goes with 'at_most' only.", "Leave it out.", ("beyond",))
        least, most = (parse_limit(text) if text else None for text in (self.at_least, self.at_most))
        for name, limit in (("at_least", least), ("at_most", most)):
            if isinstance(limit, Fraction) and limit > 1:
                sentence = f"{percent_text(limit)} is more than the whole pool."
                raise refuse("BAD_LIMITS", sentence, "", (name,))
        too_much = False
        if isinstance(least, Fraction) and isinstance(most, Fraction):
            too_much = least > most
        elif isinstance(least, Amount) and isinstance(most, Amount):
            if least.currency != most.currency:
                sentence = (
                    f"The least is in {least.currency} and the most in {most.currency}; no pool holds both in one."
                )
                raise refuse("BAD_LIMITS", sentence, "Give both in one currency, or in per cent of the pool.")
            too_much = least.units > most.units
        if too_much:
            sentence = f"The least, {self.at_least}, is more than the most, {self.at_most}."
            raise refuse("BAD_LIMITS", sentence, "Exchange them, or change one.", ("at_least",))
        return self


class RestDocument(Section):
    """Who takes what is beyond a cap: another pool, or one cost group."""

    pool: Code | None = Field(None, description="The id of another pool, which shares it further.")
    cost_group: Code | None = Field(None, description="The code of a cost group.")

    _ways: ClassVar[tuple[str, ...]] = ("pool", "cost_group")

    @model_validator(mode="after")
    def _one_way(self) -> RestDocument:
        nothing_left_open(self)
        one_of(
            self, self._ways, code="BAD_TARGET", none="It is not said where the rest goes.",
            several="The rest cannot go to {} at once.", advice="Name pool or cost_group, or write kept_central.",
        )  # fmt: skip
        return self


def _rest_word(value: object) -> object:
    if value != "kept_central":
        advice = suggestion(str(value), ["kept_central"]) or f"Write {{pool: {value}}} or kept_central."
        raise refuse("BAD_TARGET", f"'{value}' alone does not say where the rest goes.", advice)
    return value


class CapDocument(Section):
    """The most of a pool that is shared at all."""

    most: Money = Field(description="How much is shared at most: 5000.00 USD.")
    rest: Annotated[
        Annotated[Literal["kept_central"], BeforeValidator(_rest_word), Tag("#text")]
        | Annotated[RestDocument, Tag("#mapping")],
        forms("Write kept_central or {pool: …}."),
    ] = Field("kept_central", description="Where what is beyond it goes.")


_MEASURED = {"proportional to direct cost", "proportional to cost so far", "direct_cost"} | {
    "metered",
    "greater_of",
    "sum_of",
}


def _bracketed(value: object) -> object:
    if isinstance(value, str):
        raise refuse("BAD_BASIS", f"'{value}' stands here without brackets.", f"Write otherwise: [{value}].")
    return value


class PoolDocument(Section):
    """A pool: cost used by many, and how it is shared."""

    id: Code = Field(description="What rules and statements call the pool.")
    name: Text | None = Field(None, description="The pool in a few words.")
    share: ShareBy = Field(description="How it is shared.")
    otherwise: Annotated[tuple[ShareBy, ...], Field(min_length=1), BeforeValidator(_bracketed)] | None = Field(
        None, description="How it is shared where `share` cannot be followed; tried in order."
    )
    recipients: RecipientsDocument | None = Field(None, description="Who takes part.")
    limits: LimitsDocument | None = Field(None, description="The least and the most that a recipient pays.")
    cap: CapDocument | None = Field(None, description="The most of the pool that is shared at all.")
    negative_basis: NegativeBasis = Field(
        NegativeBasis.REFUSE,
        description="In proportion to cost or usage: what a recipient with less than nothing means.",
    )

    @model_validator(mode="after")
    def _fits(self) -> PoolDocument:
        nothing_left_open(self)
        shares = (self.share, *(self.otherwise or ()))
        used = {way for share in shares for way in ways(share)}
        found = [
            Refusal(
                "BAD_BASIS", "'follow' can only stand first, under 'share'.", "Move it there.", ("otherwise", place)
            )
            for place, share in enumerate(self.otherwise or ())
            if "follow" in ways(share)
        ]
        if self.recipients is not None and not any(asks_recipients(share) for share in shares):
            sentence = "'recipients' means nothing here: nobody takes part but by the share itself."
            if "fixed" in used:
                sentence = "Fixed shares name their recipients themselves."
            found.append(Refusal("BAD_POOL", sentence, "Leave out 'recipients'.", ("recipients",)))
        if "negative_basis" in self.model_fields_set and not used & _MEASURED:
            sentence = "'negative_basis' means nothing here: only a share in proportion has a basis."
            found.append(Refusal("BAD_POOL", sentence, "Leave it out.", ("negative_basis",)))
        for name in ("limits", "cap"):
            if getattr(self, name) is None:
                continue
            if against := [way for way in ("price", "follow") if way in used]:
                sentence = f"'{name}' does not go with '{against[0]}', which says itself what everybody takes."
                found.append(Refusal("BAD_POOL", sentence, f"Leave out '{name}'.", (name,)))
            elif used == {"kept_central"}:
                sentence = f"'{name}' means nothing here: nobody is charged."
                found.append(Refusal("BAD_POOL", sentence, f"Leave out '{name}'.", (name,)))
        if found:
            raise refuse_all(found)
        return self


_FIRST, _PRIORITY = "buyer first", "priority"


class CommitmentDocument(Section):
    """How the cost of commitment discounts is divided among the usage that they could have covered."""

    id: Code = Field(description="What statements and explanations call it.")
    name: Text | None = Field(None, description="It in a few words.")
    when: ConditionDocument = Field(
        description="Which charges it is about: usage that is covered or could have been, and the unused part."
    )
    share: Literal["applied", "buyer first", "blended", "priority"] = Field(
        description="Who has the benefit: as the provider applied it, the buyer first, all at one rate, or as listed."
    )
    buyer: Code | None = Field(None, description="The cost group that bought it.")
    priority: Codes | None = Field(None, description="With share: priority, the cost groups in their order.")
    unused: Unused = Field(Unused.BUYER, description="Who pays for the part that nobody used.")

    @model_validator(mode="after")
    def _fits(self) -> CommitmentDocument:
        nothing_left_open(self)
        found = []
        needs_buyer = self.share == _FIRST or self.unused is Unused.BUYER
        if needs_buyer and self.buyer is None:
            why = f"'share: {_FIRST}'" if self.share == _FIRST else "The unused part, which goes to the buyer,"
            advice = "Add 'buyer: …' with a cost group" + (
                "." if self.share == _FIRST else ", or 'unused: kept_central' or 'unused: beneficiaries'."
            )
            found.append(Refusal("BAD_COMMITMENT", f"{why} needs to know who the buyer is.", advice))
        if not needs_buyer and self.buyer is not None:
            sentence = "'buyer' means nothing here: the buyer neither comes first nor pays the unused part."
            found.append(Refusal("BAD_COMMITMENT", sentence, "Leave it out.", ("buyer",)))
        if self.share == _PRIORITY and self.priority is None:
            sentence = "It is not said in which order cost groups have the benefit."
            found.append(Refusal("BAD_COMMITMENT", sentence, "Add 'priority: [...]' with cost groups.", ("share",)))
        if self.share != _PRIORITY and self.priority is not None:
            sentence = f"'priority' means nothing with 'share: {self.share}'."
            found.append(
                Refusal("BAD_COMMITMENT", sentence, "Leave it out, or write 'share: priority'.", ("priority",))
            )
        if found:
            raise refuse_all(found)
        return self


class UpliftDocument(Section):
    """A surcharge on what cost groups carry."""

    id: Code = Field(description="What statements and explanations call it.")
    name: Text | None = Field(None, description="It in a few words.")
    percent: Percent | None = Field(None, description="This part of what each recipient carries: 5%.")
    amount: Money | None = Field(None, description="This amount for each recipient and billing period: 250.00 USD.")
    recipients: GroupsDocument | None = Field(None, description="Who pays it.")

    _ways: ClassVar[tuple[str, ...]] = ("percent", "amount")

    @model_validator(mode="after")
    def _one_way(self) -> UpliftDocument:
        nothing_left_open(self)
        one_of(
            self, self._ways, code="BAD_UPLIFT", none="It is not said how large the uplift is.",
            several="{} cannot both say how large the uplift is.", advice="Write percent or amount.",
        )  # fmt: skip
        return self
