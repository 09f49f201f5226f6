"""Rules in words: how a charge finds its owner, and whose delivered usage is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from apportion.allocate.rule import And, ByTag, Condition, Equals, Field, Holder, Or, Rule
from apportion.invoice.wording import period_name
from apportion.methodology.conditions import Teller, fields
from apportion.methodology.document import Block, Bullets, Link, Paragraph, Section, Step, Steps, Words, joined, say
from apportion.methodology.names import Annex, Names
from apportion.methodology.words import column, days
from apportion.periods import BillingPeriod


def charges_section(
    number: str,
    rules: Sequence[Rule],
    names: Names,
    annex: Annex,
    period: BillingPeriod | None,
    *,
    has_agreements: bool = False,
) -> Section:
    """How every charge finds its owner: the rules in their order, each as a sentence.

    With agreements on commitments, rules for what nobody used say that it may be moved on.
    """
    intro: tuple[Block, ...] = (
        say(
            "Each line of a provider's bill is a charge. For each charge the rules below are tried from the first to "
            "the last, and ",
            "the first rule that meets it decides; later rules do not matter any more. A charge that meets no rule is "
            "not lost: it stays visible as ",
            "unallocated (see ",
            Link("Unallocated and kept central", "kept-central"),
            ").",
        ),
        say(
            "A rule looks only at what the provider delivered with the charge: its service, its accounts, its tags and "
            "the like. Where a rule compares a value, capitals matter unless it says otherwise, and a value that is "
            "missing meets no comparison. Rules with dates are in force for what was consumed on those days "
            "(coordinated universal time)."
        ),
    )
    steps = tuple(
        _moved_on(rule, _step(place, rule, names, Teller(annex.of(f"rule {place}")), annex, period), has_agreements)
        for place, rule in enumerate(rules, start=1)
    )
    return Section("rules", number, "How a charge finds its owner", (*intro, Steps(steps)))


def consumers_section(
    number: str, rules: Sequence[Rule], names: Names, annex: Annex, period: BillingPeriod | None
) -> Section:
    """Whose delivered usage is."""
    intro = say(
        "Some pools are shared by measured usage: figures that are delivered beside the bills, each with a metric, a "
        "consumer, a value and perhaps dimensions such as a cluster or region. The rules below say whose each figure "
        "is; the first that meets it decides. Usage that meets none is listed with the run, and counts for nobody."
    )
    steps = tuple(
        _step(
            place,
            rule,
            names,
            Teller(annex.of(f"consumer rule {place}", of_usage=True), of_usage=True),
            annex,
            period,
        )
        for place, rule in enumerate(rules, start=1)
    )
    nobody = say("This policy has no such rule, so no usage counts for anybody yet.")
    return Section("consumers", number, "Whose usage it is", (intro, Steps(steps) if steps else nobody))


def _step(place: int, rule: Rule, names: Names, teller: Teller, annex: Annex, period: BillingPeriod | None) -> Step:
    kind = "consumer" if teller.of_usage else "rule"
    return Step(f"{kind}-{place}", rule.name, rule.id, rule_blocks(rule, names, teller, annex, period))


def _moved_on(rule: Rule, step: Step, has_agreements: bool) -> Step:
    """With the word that an agreement decides who pays in the end for what nobody used."""
    if not (has_agreements and _asks_for_unused(rule.when)):
        return step
    words = say(
        "Where an agreement in section ",
        Link("Commitment discounts", "commitments"),
        " is about such a charge of commitments that nobody used, the agreement then moves its cost on.",
    )
    return replace(step, blocks=(*step.blocks, words))


def _asks_for_unused(condition: Condition | None) -> bool:
    if isinstance(condition, And | Or):
        return any(_asks_for_unused(part) for part in condition.parts)
    return (
        isinstance(condition, Equals)
        and condition.field == Field("CommitmentDiscountStatus")
        and "unused" in (value.casefold() for value in condition.values)
    )


def rule_blocks(
    rule: Rule, names: Names, teller: Teller, annex: Annex, period: BillingPeriod | None = None
) -> tuple[Block, ...]:
    """A rule as one sentence, with a list where its condition needs one, and what is to be said of tags and dates."""
    told = teller.told(rule.when)
    subject = _subject(rule, told.words, of_usage=teller.of_usage)
    goes = _goes(rule, names, of_usage=teller.of_usage)
    blocks: list[Block] = []
    if told.below:
        blocks += [say(subject, " ", goes, ":"), Bullets(told.below)]
    else:
        blocks.append(say(subject, " ", goes, "."))
    notes = _notes(rule, annex, period, of_usage=teller.of_usage)
    if notes:
        blocks.append(Paragraph(notes))
    return tuple(blocks)


def _subject(rule: Rule, condition: Words, *, of_usage: bool) -> Words:
    if isinstance(rule.target, ByTag):
        what = "Usage" if of_usage else "Charges"
        field = column(rule.target.field, of_usage=of_usage)
        whose = joined(what, " whose ", field, " names a cost group")
        return joined(whose, ", and ", condition, ",") if condition else whose
    if not condition:
        return ("All usage" if of_usage else "Every charge",)
    return joined("Usage " if of_usage else "Charges ", condition)


def _goes(rule: Rule, names: Names, *, of_usage: bool) -> Words:
    one = rule.when is None and not isinstance(rule.target, ByTag)
    verb = "counts for" if of_usage else "goes to" if one else "go to"
    if isinstance(rule.target, ByTag):
        return (f"{verb} that cost group",)
    target = rule.target
    if target.holder is Holder.KEPT_CENTRAL:
        return joined("is " if one else "are ", names.target(target))
    return joined(verb, " ", names.target(target))


def _notes(rule: Rule, annex: Annex, period: BillingPeriod | None, *, of_usage: bool) -> Words:
    notes: list[Words] = []
    if isinstance(rule.target, ByTag):
        if rule.target.aliases:
            notes.append(annex.spellings(rule.target.aliases))
        notes.append(("capitals do not matter" if rule.target.fold else "capitals matter",))
        if not of_usage:
            notes.append(("a value that names nobody leaves the charge to the next rule",))
    said = days(rule.valid_from, rule.valid_until)
    if said:
        outside = period is not None and not _in_force(rule, period)
        also = f"; not in force in {period_name(period)}" if outside and period is not None else ""
        notes.append((f"in force {said}{also}",))
    found: list[Words] = []
    for note in notes:
        begin = note[0]
        found.append(joined(begin[:1].upper() + begin[1:] if isinstance(begin, str) else begin, *note[1:], "."))
    return joined(*(part for place, note in enumerate(found) for part in ((" ",) if place else ()) + note))


def _in_force(rule: Rule, period: BillingPeriod) -> bool:
    return (rule.valid_from is None or rule.valid_from < period.ends_on) and (
        rule.valid_until is None or rule.valid_until > period.starts_on
    )


def columns_used(rules: Sequence[Rule]) -> tuple[str, ...]:
    """The FOCUS columns that rules look at, each once, in the order of the alphabet."""
    found = {field for rule in rules for field in fields(rule.when)}
    found |= {rule.target.field for rule in rules if isinstance(rule.target, ByTag)}
    return tuple(sorted({field.name for field in found if not field.is_tag and not field.name.startswith("x_")}))
