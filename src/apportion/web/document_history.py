"""What the same holder got in earlier months, line by line: one query, and the keys by which lines are the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from apportion.invoice.paper import PaperKind, PaperLine
from apportion.periods import BillingPeriod
from apportion.records.documents import Document
from apportion.records.ready import fetched
from apportion.review.states import Issue

MONTHS = 12
MONTHLY = (PaperKind.STATEMENT, PaperKind.INVOICE)
Key = tuple[str, ...]
_COLUMNS = (
    "kind",
    "currency",
    "pool_id",
    "service",
    "charge_category",
    "invoice_issuer",
    "billing_account_id",
    "billed_currency",
)
_FORMER = f"""
    SELECT period, amount_minor, {", ".join(f"records_documentline.{name}" for name in _COLUMNS)}
    FROM records_documentline JOIN records_document ON records_document.id = document_id
    WHERE issue_state = %s AND records_document.kind IN (%s, %s) AND holder = %s AND period >= %s AND period <= %s
"""
History = Mapping[str, Mapping[Key, int]]


def last_periods(period: str) -> tuple[str, ...]:
    """Twelve billing periods, the given one last."""
    found = [BillingPeriod.parse(period)]
    while len(found) < MONTHS:
        found.append(found[-1].previous)
    return tuple(str(each) for each in reversed(found))


def former_lines(document: Document, periods: Sequence[str]) -> dict[str, dict[Key, int]]:
    """What each line came to in earlier documents of the same holder, by period. One query.

    `periods` are consecutive ones."""
    is_whose = "cost_group_id IS NULL" if document.cost_group_id is None else "cost_group_id = %s"
    whose = [] if document.cost_group_id is None else [document.cost_group_id]
    # Added up here: a few hundred rows at most, and the database would be asked in a far longer sentence.
    rows = fetched(
        f"{_FORMER} AND {is_whose}",
        [Issue.ISSUED, *MONTHLY, document.holder, periods[0], periods[-1], *whose],
    )
    found: dict[str, dict[Key, int]] = defaultdict(lambda: defaultdict(int))
    for period, minor, *key in rows:
        found[period][tuple(key)] += minor
    return {period: dict(lines) for period, lines in found.items()}


def key_of(line: PaperLine) -> Key:
    """What makes a line the same line in another month."""
    return (
        str(line.kind),
        line.currency,
        line.pool_id,
        line.service,
        line.charge_category,
        line.invoice_issuer,
        line.billing_account_id,
        line.billed_currency,
    )


def group_key(key: Key) -> Key:
    """What a heading stands for: a pool, or a service, in one kind of cost and currency."""
    return (key[0], key[1], key[2] or f"service {key[3]}")
