"""Which FOCUS dataset and version a file holds, recognised from the names of its columns.

Takes names as delivered, gives FOCUS Column IDs. Case and underscores do not matter, because exporters to databases
change both (``billed_cost``, ``SkuPriceid``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apportion.focus.columns import (
    BILLING_PERIOD,
    CONTRACT_COMMITMENT,
    COST_AND_USAGE,
    DATASETS,
    INVOICE_DETAIL,
    Level,
    columns,
)

# Columns that only this dataset has. Invoice Detail repeats much of Cost and Usage, so it is looked for first.
_SIGNATURES = (
    (INVOICE_DETAIL, frozenset({"InvoiceIssueStatus", "InvoiceDetailGrain", "PaymentTerms"})),
    (CONTRACT_COMMITMENT, frozenset({"ContractCommitmentId", "ContractCommitmentCategory"})),
    (BILLING_PERIOD, frozenset({"BillingPeriodStatus"})),
)
_COST_COLUMNS = frozenset({"BilledCost", "EffectiveCost", "ChargeCategory", "ChargePeriodStart"})


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a set of column names is: the dataset and version, and the FOCUS Column ID of each name (by place).

    `ids` has one entry for each delivered name: its Column ID, or None for an ``x_`` or unknown column.
    `repeated` are Column IDs that more than one name could stand for, none or several of them spelled exactly.
    """

    dataset: str
    version: str
    ids: tuple[str | None, ...]
    repeated: tuple[str, ...]

    def missing(self, level: Level = Level.MANDATORY) -> tuple[str, ...]:
        """Columns of this dataset and version at `level` that are not there, in alphabetical order."""
        wanted = columns(self.dataset, self.version).values()
        return tuple(sorted(facts.name for facts in wanted if facts.level is level and facts.name not in self.ids))


def fold(name: str) -> str:
    """A column name without what exporters change: case, underscores and blanks around it."""
    return name.strip().replace("_", "").casefold()


_BY_FOLD: Mapping[str, Mapping[str, str]] = {
    dataset: {fold(name): name for name in facts} for dataset, facts in DATASETS.items()
}


def column_id(name: str, dataset: str = COST_AND_USAGE) -> str | None:
    """The FOCUS Column ID that a name stands for in a dataset; None for an ``x_`` or unknown column."""
    return None if name.strip().casefold().startswith("x_") else _BY_FOLD[dataset].get(fold(name))


def recognise(names: Sequence[str]) -> Recognition | None:
    """The dataset and version of a table with these columns; None where it is no FOCUS dataset at all.

    A column that the file lacks says nothing: the version is the lowest one that has every column of the file.
    """
    dataset = _dataset(names)
    if dataset is None:
        return None
    ids, repeated = _match(names, dataset)
    return Recognition(dataset, _version(dataset, ids), ids, repeated)


def _dataset(names: Sequence[str]) -> str | None:
    for dataset, signature in _SIGNATURES:
        if signature & {column_id(name, dataset) for name in names}:
            return dataset
    found = {column_id(name) for name in names}
    return COST_AND_USAGE if found & _COST_COLUMNS else None


def _match(names: Sequence[str], dataset: str) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    """The Column ID of each name. Of several names for one ID the exact spelling has it, the others are kept."""
    candidates = [column_id(name, dataset) for name in names]
    exact = {name for name in names if name in DATASETS[dataset]}
    twice = [name for name, count in Counter(names).items() if count > 1 and name in exact]
    ids: list[str | None] = []
    repeated: list[str] = twice
    for name, candidate in zip(names, candidates, strict=True):
        taken = candidate in ids or (candidate in exact and name != candidate)
        if candidate is not None and candidate in ids and candidate not in exact and candidate not in repeated:
            repeated.append(candidate)
        ids.append(None if taken else candidate)
    return tuple(ids), tuple(repeated)


def _version(dataset: str, ids: Sequence[str | None]) -> str:
    facts = [DATASETS[dataset][name] for name in ids if name is not None]
    lowest = max(column.introduced for column in facts)
    removed = [column.removed for column in facts if column.removed]
    if dataset == COST_AND_USAGE and lowest == "1.3" and "ServiceProviderName" in ids and not removed:
        return "1.4"  # which names the provider, but has neither ProviderName nor PublisherName any more
    return lowest
