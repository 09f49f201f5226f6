"""From a policy and an organization to the document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date

from apportion.allocate.basis import quantities
from apportion.allocate.policy import Policy
from apportion.invoice.wording import BASIS, period_name
from apportion.methodology.agreements import commitments_section, uplifts_section
from apportion.methodology.document import (
    Block,
    Bullets,
    Code,
    Document,
    Example,
    Facts,
    Item,
    Link,
    Section,
    Table,
    Words,
    joined,
    say,
)
from apportion.methodology.examples import examples
from apportion.methodology.names import Annex, Names
from apportion.methodology.pools import pools_section
from apportion.methodology.rules import charges_section, columns_used, consumers_section
from apportion.methodology.standing import (
    COST,
    central_section,
    corrections_section,
    currencies_section,
    glossary_section,
    rounding_section,
)
from apportion.methodology.words import count, day, days
from apportion.organization.cost_group import Organization, Tree
from apportion.periods import BillingPeriod
from apportion.settings import ExchangeSettings


def compiled(
    policy: Policy,
    organization: Organization,
    on: date | BillingPeriod,
    *,
    company: str = "",
    exchange: ExchangeSettings | None = None,
) -> Document:
    """The methodology of a policy, with the organization of a day or of a billing period.

    Of two days between which the organization does not change, the document is the same to the letter.
    """
    period = on if isinstance(on, BillingPeriod) else None
    tree = organization.during(on.starts_on, on.ends_on) if isinstance(on, BillingPeriod) else organization.on(on)
    names = Names(policy, organization, tree)
    annex = Annex(names)
    found = examples(policy)
    shown = [(example.title, anchor) for anchor, example in found]
    # In the order of reading; each is given its number.
    makers: list[Callable[[str], Section]] = [
        lambda number: _purpose(number, policy, names),
        lambda number: charges_section(
            number, policy.rules, names, annex, period, has_agreements=bool(policy.commitments)
        ),
    ]
    if policy.consumers or any(quantities(basis) for pool in policy.pools for basis in pool.bases):
        makers.append(lambda number: consumers_section(number, policy.consumers, names, annex, period))
    if policy.commitments:
        makers.append(lambda number: commitments_section(number, policy.commitments, names, annex))
    makers.append(lambda number: pools_section(number, policy, names, shown))
    if policy.uplifts:
        makers.append(lambda number: uplifts_section(number, policy.uplifts, names))
    makers += [
        lambda number: central_section(number, policy, names),
        corrections_section,
        lambda number: rounding_section(number, policy),
        lambda number: currencies_section(number, exchange, names),
        lambda number: _examples(number, found),
        lambda number: _organization(number, organization, tree, on),
    ]
    sections = [make(str(number)) for number, make in enumerate(makers, start=1)]
    rules = (*policy.rules, *policy.consumers)
    said = _patterns(policy)
    sections.append(glossary_section(str(len(sections) + 1), columns_used(policy.rules), said))
    annex.add_tables(policy.alias_tables)
    sections += _annexes(annex)
    valid = _about(policy, organization, period, company, rules_changed=tuple(_dates(rules, policy)))
    title = "How cloud cost is charged"
    return Document(title, policy.name, valid, tuple(sections), f"{policy.name}, policy digest {policy.digest}")


def _about(
    policy: Policy,
    organization: Organization,
    period: BillingPeriod | None,
    company: str,
    *,
    rules_changed: tuple[date, ...],
) -> Facts:
    applies: Words = ("every billing period whose statements carry the digest below",)
    if period is not None:
        applies = (f"{period_name(period)}, and every other period whose statements carry the digest below",)
    pairs: list[tuple[str, Words]] = [("Company", (company,))] if company else []
    pairs += [
        ("Policy", (policy.name,)),
        ("Cost basis", (BASIS[policy.cost_basis],)),
        ("Applies to", applies),
    ]
    if rules_changed:
        span = (
            f"{day(rules_changed[0])} to {day(rules_changed[-1])}" if len(rules_changed) > 1 else day(rules_changed[0])
        )
        pairs.append(("Dated parts", (f"{count(len(rules_changed), 'day')} on which something in it changes: {span}",)))
    pairs += [("Policy digest", (Code(policy.digest),)), ("Organization digest", (Code(organization.digest),))]
    return Facts(tuple(pairs))


def _purpose(number: str, policy: Policy, names: Names) -> Section:
    held = [
        count(len(policy.rules), "rule"),
        count(len(policy.pools), "pool"),
        *(
            [count(len(policy.commitments), "agreement on commitments", "agreements on commitments")]
            if policy.commitments
            else []
        ),
        *([count(len(policy.uplifts), "surcharge")] if policy.uplifts else []),
        count(len(names.tree), "cost group"),
    ]
    steps = (
        Item(("The providers' bills are read, and checked against the providers' own invoices.",)),
        Item(
            joined(
                "Each charge goes to a cost group or a pool by the first rule that meets it (",
                Link("the rules", "rules"),
                ").",
            )
        ),
        *(
            [Item(joined("The cost of commitments is divided (", Link("commitment discounts", "commitments"), ")."))]
            if policy.commitments
            else []
        ),
        Item(joined("Pools are shared among those who use them (", Link("shared cost", "pools"), ").")),
        *([Item(joined("Surcharges are added (", Link("surcharges", "uplifts"), ")."))] if policy.uplifts else []),
        Item(
            joined(
                "Cents are settled, once (", Link("rounding", "rounding"), "), and each cost group gets its statement."
            )
        ),
    )
    blocks: tuple[Block, ...] = (
        say(
            "This document says how the cost of cloud services is divided among those who cause it, so that anyone "
            "who is shown an amount can see by which rule it came about. It is made from the policy that the "
            "calculation itself follows, and leaves nothing of it out."
        ),
        say(COST[policy.cost_basis]),
        say("A month goes through these steps:"),
        Bullets(steps),
        say(
            "Every cent of the bills ends with exactly one cost group, is kept central, or is shown as unallocated. "
            f"The policy holds {', '.join(held[:-1])} and concerns {held[-1]}. Statements carry its digest: a "
            "statement with the digest at the beginning of this document was made by exactly these rules."
        ),
    )
    return Section("purpose", number, "Purpose and cost basis", blocks)


def _examples(number: str, found: tuple[tuple[str, Example], ...]) -> Section:
    sections = tuple(
        Section(anchor, f"{number}.{at}", example.title, (example,))
        for at, (anchor, example) in enumerate(found, start=1)
    )
    intro = say("The amounts are invented. Red, Green and Blue are cost groups, and everything is in one currency.")
    return Section("examples", number, "The methods by example", (intro,), sections)


def _organization(number: str, organization: Organization, tree: Tree, on: date | BillingPeriod) -> Section:
    if isinstance(on, BillingPeriod):
        when = (
            f"in {period_name(on)}: every cost group that is there on some day of it, where it stands at the end of it"
        )
    else:
        start = max((each for each in _changes(organization) if each <= on), default=None)
        end = min((each for each in _changes(organization) if each > on), default=None)
        when = f"as it stands {days(start, end)}" if start or end else "as it stands"
    rows = tuple(
        (
            (tree[code].name,),
            (Code(code),),
            (tree[code].owners.business or tree[code].owners.finance or "nobody named",),
            (tree[code].coding.cost_center or "none",),
        )
        for code in tree
    )
    levels = tuple(len(tree.path(code)) - 1 for code in tree)
    table = Table(
        "Cost groups", ("Cost group", "Code", "Answers for it", "Cost center"), rows, levels=levels, widths=(6, 4, 6, 2)
    )
    intro = say(
        f"The organization {when}. A cost group belongs to the one above it, which is shown further left. Whoever "
        "has others below takes part in a pool only where the pool names it."
    )
    return Section("organization", number, "The organization", (intro, table))


def _changes(organization: Organization) -> set[date]:
    ends = {version.valid_from for version in organization.versions} | {
        version.valid_until for version in organization.versions
    }
    return {each for each in ends if each is not None}


def _annexes(annex: Annex) -> list[Section]:
    found: list[Section] = []
    for title, anchor, tables, about in (
        ("Lists of values in full", "annex-values", annex.value_tables(), "Lists that a rule shortens."),
        (
            "Spellings and what they stand for",
            "annex-spellings",
            annex.spelling_tables(),
            "A value in the left column is taken for the cost group in the right one.",
        ),
    ):
        if tables:
            found.append(Section(anchor, "AB"[len(found)], title, (say(about), *tables)))
    return found


def _patterns(policy: Policy) -> tuple[str, ...]:
    """Words of the glossary that not every policy needs."""
    text = repr(
        [rule.when for rule in (*policy.rules, *policy.consumers)] + [each.eligible for each in policy.commitments]
    )
    return (
        *(("pattern",) if "Glob(" in text else ()),
        *(("regular expression",) if "Matches(" in text else ()),
    )


def _dates(*values: object) -> list[date]:
    """Every day on which something that the values say begins or ends."""
    found: set[date] = set()
    waiting: list[object] = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, date):
            found.add(value)
        elif isinstance(value, tuple | list):
            waiting += value
        elif is_dataclass(value) and not isinstance(value, type):
            waiting += [getattr(value, field.name) for field in fields(value) if field.name != "places"]
    return sorted(found)
