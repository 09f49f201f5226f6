"""Commitments and uplifts in words: agreements that move cost between holders without changing the total."""

from __future__ import annotations

from collections.abc import Sequence

from apportion.allocate.policy import Commitment, CommitmentMethod, Unused, Uplift
from apportion.methodology.bases import taking_part
from apportion.methodology.conditions import Teller
from apportion.methodology.document import Block, Bullets, Code, Facts, Section, Words, joined, say
from apportion.methodology.names import Annex, Names
from apportion.methodology.words import money, part, series

_BENEFIT = {
    CommitmentMethod.APPLIED: "The benefit stays where the provider applied it.",
    CommitmentMethod.BUYER_FIRST: "The buyer's own usage is covered first, as far as it goes. What is left covers "
    "the usage of everybody else, in proportion to its worth.",
    CommitmentMethod.BLENDED: "All usage that could be covered pays one and the same rate: its whole cost is divided "
    "in proportion to its worth.",
    CommitmentMethod.PRIORITY: "Usage is covered in the order below, each as far as it goes; after that everybody "
    "else, in proportion to worth. A cost group stands for all below it.",
}
_UNUSED = {
    Unused.BUYER: "The buyer pays for it.",
    Unused.KEPT_CENTRAL: "It is kept central.",
    Unused.BENEFICIARIES: "Those who benefit pay for it, in proportion to the worth of their usage that is covered.",
}


def commitments_section(number: str, commitments: Sequence[Commitment], names: Names, annex: Annex) -> Section:
    """How the cost of commitment discounts is divided among the usage that they could have covered."""
    intro = say(
        "Reserved capacity, savings plans and committed use are bought by one and used by many. A provider applies "
        "them to whatever usage comes first. The agreements below say who has the benefit; they move cost between "
        "those who carry it before any pool is shared, and add nothing. A charge belongs to the first agreement that "
        "it meets. What usage is worth is its price without the commitment: contracted cost, else list cost, else "
        "its own cost."
    )
    sections = tuple(
        Section(f"commitment-{at}", f"{number}.{at}", each.name, _commitment(each, at, names, annex))
        for at, each in enumerate(commitments, start=1)
    )
    return Section("commitments", number, "Commitment discounts", (intro,), sections)


def _commitment(each: Commitment, at: int, names: Names, annex: Annex) -> tuple[Block, ...]:
    told = Teller(annex.of(f"commitment {at}")).told(each.eligible)
    about = joined("It is about usage ", told.words) if told.words else ("It is about all usage",)
    blocks: list[Block] = [say(about, ":" if told.below else ".")]
    blocks += [Bullets(told.below)] if told.below else []
    pairs: list[tuple[str, Words]] = [("Code", (Code(each.id),)), ("Benefit", (_BENEFIT[each.method],))]
    if each.priority:
        pairs.append(("Order", series((names.group(code) for code in each.priority), "then")))
    if each.buyer:
        pairs.append(("Buyer", names.group(each.buyer)))
    pairs.append(("What nobody used", (_UNUSED[each.unused],)))
    return (*blocks, Facts(tuple(pairs)))


def uplifts_section(number: str, uplifts: Sequence[Uplift], names: Names) -> Section:
    """Surcharges, and what they are taken off."""
    intro = say(
        "Surcharges come last, on what cost groups carry by then. What they bring is taken off what is kept central, "
        "so the total stays what the providers billed. Where they bring more than the centre has, what is kept "
        "central goes below zero for everybody to see."
    )
    sections = tuple(
        Section(f"uplift-{at}", f"{number}.{at}", each.name, _uplift(each, names))
        for at, each in enumerate(uplifts, start=1)
    )
    return Section("uplifts", number, "Surcharges", (intro,), sections)


def _uplift(each: Uplift, names: Names) -> tuple[Block, ...]:
    pairs: tuple[tuple[str, Words], ...] = (
        ("Code", (Code(each.id),)),
        ("Who pays it", taking_part(each.recipients, names)),
    )
    said: list[str] = []
    if each.percent is not None:
        said.append(f"{part(each.percent)} of everything that a recipient carries, earlier surcharges included.")
    if each.fixed is not None:
        said.append(f"{money(each.fixed)} for each recipient and billing period, whatever it carries.")
    return (say(" ".join(said) or "Nothing is charged."), Facts(pairs))
