"""Writes the example company: its documents, its deliveries, and what they add up to."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from itertools import groupby
from pathlib import Path

from apportion.demo import budgets
from apportion.demo.delivery import DemoCompany, DemoDelivery, DemoTotal
from apportion.demo.expand import Writer
from apportion.demo.files import DELIVERIES, write_bill
from apportion.demo.plan import Bill, plan
from apportion.demo.rates import RATES, write_rates
from apportion.demo.usage import write_usage
from apportion.errors import InputRefusedError
from apportion.warehouse import disk

DOCUMENTS = ("apportion.yaml", "organization.yaml", "policy.yaml")


def write(
    directory: Path,
    *,
    rows: int = 60_000,
    months: int = 12,
    seed: int = 2026,
    progress: Callable[[int], None] = lambda _: None,
) -> DemoCompany:
    """Write the example company's workspace into `directory`: the same bytes for the same arguments.

    `rows` is how many charges are current once everything is ingested, over all sources and months; it changes how
    finely cost is metered, not how much there is. Months count from November 2025. Raises `InputRefusedError` for
    fewer rows than the story has lines and where something of the same name is already there, `StorageError` where
    the disk refuses; then nothing is left behind. `progress` is told the rows written since it was told last.
    """
    bills = plan(rows, months, seed)
    if directory.exists() and not directory.is_dir():
        raise InputRefusedError(f"{directory} is not a directory.", advice="Name a new directory for the demo.")
    names = (*DOCUMENTS, RATES, budgets.FILE, DELIVERIES)
    taken = [name for name in names if (directory / name).exists()]
    if taken:
        raise InputRefusedError(
            f"{directory} already holds {taken[0]}.", advice="Name a new or an empty directory for the demo."
        )
    with disk.explained(directory):
        directory.mkdir(parents=True, exist_ok=True)
        try:
            return _written(directory, bills, progress)
        except BaseException:
            for name in (*DOCUMENTS, RATES, budgets.FILE):
                (directory / name).unlink(missing_ok=True)
            shutil.rmtree(directory / DELIVERIES, ignore_errors=True)
            raise


def _written(directory: Path, bills: Sequence[Bill], progress: Callable[[int], None]) -> DemoCompany:
    for name in DOCUMENTS:
        text = resources.files("apportion.demo").joinpath("documents", name).read_text(encoding="utf-8")
        (directory / name).write_text(text, encoding="utf-8")
    (directory / budgets.FILE).write_text(budgets.HEADER, encoding="utf-8")
    write_rates(directory / RATES, dict.fromkeys(bill.month for bill in bills))
    deliveries: list[DemoDelivery] = []
    with Writer() as writer:
        for month, of_month in groupby(bills, key=lambda bill: bill.month):
            for bill in of_month:
                deliveries += write_bill(directory, bill, writer)
                progress(bill.rows)
            deliveries += write_usage(directory / DELIVERIES, month)
    periods = tuple(dict.fromkeys(bill.month.period for bill in bills))
    return DemoCompany(directory, periods, tuple(deliveries), tuple(_totals(bills)))


def _totals(bills: Iterable[Bill]) -> Iterable[DemoTotal]:
    for bill in bills:
        intended: dict[str, int] = {}
        for line in bill.lines:
            intended[line.intended] = intended.get(line.intended, 0) + line.effective_units
        yield DemoTotal(
            source=bill.source.name,
            period=bill.month.period,
            currency=bill.source.currency,
            rows=bill.rows,
            billed_units=sum(line.billed_units for line in bill.lines),
            effective_units=sum(line.effective_units for line in bill.lines),
            intended=intended,
        )
