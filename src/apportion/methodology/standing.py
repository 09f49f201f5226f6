"""What holds for every policy: rounding, corrections, what has no owner, other currencies; and the glossary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apportion.allocate.policy import CostBasis, Policy
from apportion.allocate.rule import KEPT_CENTRAL
from apportion.focus.columns import COST_AND_USAGE, DATASETS
from apportion.methodology.document import Block, Bullets, Code, Facts, Item, Section, Table, Words, joined, say
from apportion.methodology.names import Names
from apportion.methodology.words import column_name, count, sentence
from apportion.money.exchange import Choice, Kind
from apportion.settings import ExchangeSettings

COST = {
    CostBasis.EFFECTIVE: "Cost groups are charged on effective cost, the accrual view: a commitment that was paid "
    "beforehand counts when it is used, spread over the usage that it covers. The bridge from effective cost to what "
    "the providers invoice, the change in prepaid commitments, is shown with every close.",
    CostBasis.BILLED: "Cost groups are charged on billed cost, the cash view: what the providers invoice for a "
    "period, with prepaid amounts in full in the month in which they are billed.",
}


def central_section(number: str, policy: Policy, names: Names) -> Section:
    """What nobody carries: without an owner, or kept by choice."""
    kept = [rule.id for rule in policy.rules if rule.target == KEPT_CENTRAL]
    by_choice: Words = (
        joined("By the rules of this policy that is the cost of ", names.rules(kept), ".") if kept else ()
    )
    return Section(
        "kept-central",
        number,
        "Unallocated and kept central",
        (
            say(
                "Unallocated is cost that met no rule. It has a statement of its own, is part of every total, and is "
                "never spread over others in silence: to charge it on, a rule has to be written for it."
            ),
            say(
                "Kept central is cost that the payer keeps by choice. Beside what rules keep central, the parts of "
                "pools are added that a limit, a cap or an internal price leaves, and surcharges are taken off. ",
                by_choice,
            ),
        ),
    )


def rounding_section(number: str, policy: Policy) -> Section:
    """How exact amounts become cents."""
    effective = policy.cost_basis is CostBasis.EFFECTIVE
    whole = (
        "all charges of one invoice issuer in one billing period and currency" if effective else "one provider invoice"
    )
    blocks: list[Block] = [
        say(
            "Amounts are kept exactly, to eighteen decimals and in fractions, until a statement is written. Only "
            "then are they settled in whole cents (or whatever the smallest unit of the currency is), once and "
            "together for ",
            whole,
            ":",
        ),
        Bullets(
            (
                Item(("the sum is rounded to the nearest cent, half a cent away from zero;",)),
                Item(("each line is cut to whole cents, toward zero;",)),
                Item(("the cents that are then missing go one each to the lines with the largest remainders.",)),
            )
        ),
        say(
            "So the lines sum to the bill, and no line is more than one cent from its exact amount. Credits mirror "
            "charges."
        ),
    ]
    if effective:
        blocks.append(
            say(
                "What rounding a provider's month leaves over, less than a cent, is carried to the next month once "
                "the first is sealed. Over the months nothing is lost."
            )
        )
    return Section("rounding", number, "Rounding", tuple(blocks))


def corrections_section(number: str) -> Section:
    """Late corrections and credits."""
    return Section(
        "corrections",
        number,
        "Late corrections and credits",
        (
            say(
                "A provider sometimes corrects an earlier month in a later bill. Such a correction is decided about "
                "as that month was: by the policy, the organization and the shares of the month that it corrects. It "
                "then stands on the statements of the later month, as a credit or an additional charge that names "
                "the statement it puts right. A month that is sealed is never changed."
            ),
            say(
                "Credits and refunds are charges below zero, and go the same way as charges: to the same owners by "
                "the same rules, and through pools in the same proportions."
            ),
        ),
    )


_KINDS = {
    Kind.AVERAGE: "the mean of all days of the billing period that have a rate",
    Kind.AGREED: "the rate that the company agreed for the billing period",
}


def currencies_section(number: str, exchange: ExchangeSettings | None, names: Names) -> Section:
    """How amounts come into other currencies."""
    own = [code for code in names.tree if names.tree[code].currency]
    blocks: list[Block] = [
        say(
            "Amounts in different currencies are never added up or shared together: each provider invoice is divided "
            "in the currency in which it was billed."
        )
    ]
    if exchange is None:
        blocks.append(say("No rates of exchange are set, so statements are in the currencies of the bills."))
        return Section("currencies", number, "Currencies", tuple(blocks))
    choice = Choice.parse(exchange.choose)
    how = _KINDS.get(choice.kind) or _on_day(choice.day)
    blocks.append(
        say(
            "Where a cost group has its statements in another currency, the settled amounts are converted, line by "
            f"line with the rate, its date and its source on the line. The rate of a billing period is {how}; none "
            f"is more than {count(exchange.oldest, 'day')} off. Cents of the conversion are settled like any others. "
            f"Totals over all currencies are given in {exchange.reporting_currency}."
        )
    )
    blocks.append(Facts((("Sources of rates", (", then ".join(exchange.rates),)),)))
    if own:
        rows = tuple((names.group(code), (names.tree[code].currency,)) for code in own)
        blocks.append(Table("Currencies of statements", ("Cost group", "Currency"), rows))
    return Section("currencies", number, "Currencies", tuple(blocks))


def _on_day(day: int) -> str:
    if day == 0:
        return "that of the last day of the month before that has one"
    if day == 31:
        return "that of the last day of the period that has one"
    return f"that of day {day} of the month, or of the last day before it that has one"


_TERMS: tuple[tuple[str, str], ...] = (
    ("Charge", "One line of a provider's cost data: what was used, when, in which account, and what it costs."),
    ("Cost group", "Who pays: a team, department or company in the organization."),
    ("Direct cost", "Cost that rules brought to a cost group itself, before any pool is shared."),
    ("Pool", "Cost that many use, gathered to be shared."),
    ("Basis", "What the shares of a pool follow: cost, usage, agreed shares, or nothing but the number of recipients."),
    ("Recipient", "A cost group or pool that takes part in a pool."),
    ("Tag", "A key and value that the company puts on its resources at the provider, such as team: payments."),
    ("Unallocated", "Cost that met no rule."),
    ("Kept central", "Cost that the payer keeps by choice."),
    ("Statement", "What a cost group is shown for a period. A showback statement charges nothing."),
    ("Billing period", "The calendar month that a provider bills."),
    ("Digest", "A fingerprint (SHA-256) of a file: two files with one digest are the same, letter by letter."),
)
_IN_USE: tuple[tuple[str, str], ...] = (
    ("Pattern", "A text with * for anything, ? for any one character, and [abc] for one of several."),
    ("Regular expression", "A formal description of texts, for names that follow a scheme."),
)


def glossary_section(number: str, columns: Sequence[str], words_used: Iterable[str]) -> Section:
    """The words of this document, and which column of the cost data is meant by which words."""
    used = " ".join(words_used)
    extra = [term for term in _IN_USE if term[0].casefold() in used]
    pairs = tuple((term, (meaning,)) for term, meaning in sorted((*_TERMS, *extra)))
    blocks: list[Block] = [Facts(pairs)]
    if columns:
        known = DATASETS[COST_AND_USAGE]
        rows = tuple(
            ((sentence(column_name(name)),), (Code(name),), ("FOCUS" if name in known else "of the provider",))
            for name in columns
        )
        blocks.append(
            Table("Columns that the rules look at", ("In this document", "In the cost data", "Defined by"), rows)
        )
    return Section("glossary", number, "Words used here", tuple(blocks))
