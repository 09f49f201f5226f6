"""The workspace and its store: deliveries and runs in directories that never change, pointers in a catalog.

A delivery or run is staged aside, made permanent, renamed into its place, and only then does one transaction
point to it. Whatever the catalog does not know is not there: a process killed at any point leaves the former
state, and the next one to take the lock sweeps up. Readers need no lock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from apportion import settings as settings_file
from apportion.errors import ApportionError, InputRefusedError, NotFoundError, SealedPeriodError, WorkspaceError
from apportion.focus.finding import Finding
from apportion.periods import BillingPeriod
from apportion.settings import SOURCE_NAME, SOURCE_NAME_ADVICE, Settings
from apportion.warehouse import catalog, current, disk, guards
from apportion.warehouse.catalog import Catalog
from apportion.warehouse.lock import WorkspaceLock
from apportion.warehouse.record import Dataset, Delivery, Quarantined
from apportion.warehouse.snapshot import DeliveredInvoice, Snapshot, Total
from apportion.warehouse.usage import UsageFile

STORE = ".apportion"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_IS_CURRENT = "is_current AND period = ?"


class Committed(StrEnum):
    """What a commit came to."""

    LOADED = "loaded"
    UNCHANGED = "unchanged"


class Workspace:
    """A directory with `apportion.yaml` and the store `.apportion`. Made by `create`, found by `open`."""

    def __init__(self, root: Path) -> None:
        """`root` is absolute. Use `create` or `open`."""
        self._root = root
        self._store = root / STORE
        self._catalog = Catalog(self._store / catalog.FILE_NAME)
        self._lock = WorkspaceLock(self._store / "lock")

    @classmethod
    def create(cls, root: Path) -> Workspace:
        """Make the store in `root`, which may hold other files and need not exist.

        Raises `WorkspaceError` where there is one already.
        """
        workspace = cls(root.resolve())
        store = workspace._store
        with disk.explained(store):
            # Killed before the catalog is there, it is no workspace yet, and the next call completes it.
            for directory in (store, workspace._deliveries, workspace._runs, workspace._staging):
                directory.mkdir(parents=True, exist_ok=True)
            with workspace._lock.taken("create"):
                if (store / catalog.FILE_NAME).exists():
                    raise WorkspaceError(
                        f"{workspace.root} already is a workspace.", advice="Work in it, or choose another directory."
                    )
                # Cost data does not belong in the version control that holds the policy.
                (store / ".gitignore").write_text("*\n", encoding="utf-8")
                Catalog.create(store / catalog.FILE_NAME)
                disk.sync(store)
                disk.sync(workspace.root)
        return workspace

    @classmethod
    def open(cls, start: Path) -> Workspace:
        """The workspace at `start` or the nearest directory above it. Raises `WorkspaceError`."""
        begin = start.resolve()
        for root in (begin, *begin.parents):
            if (root / settings_file.FILE_NAME).is_file():
                if not (root / STORE / catalog.FILE_NAME).is_file():
                    raise WorkspaceError(
                        f"{root} has {settings_file.FILE_NAME}, but no store ({STORE}).",
                        advice=f"Make one with: apportion init {root}",
                    )
                workspace = cls(root)
                workspace._catalog.check_version()
                return workspace
        raise WorkspaceError(
            f"There is no workspace in {begin} or above it.",
            advice="Make one with: apportion init DIR, or name one with --workspace.",
        )

    @property
    def root(self) -> Path:
        return self._root

    @cached_property
    def settings(self) -> Settings:
        """`apportion.yaml`, read once. Raises `DocumentError`."""
        return settings_file.load(self._root)

    @property
    def _deliveries(self) -> Path:
        return self._store / "deliveries"

    @property
    def _runs(self) -> Path:
        return self._store / "runs"

    @property
    def _staging(self) -> Path:
        return self._store / "staging"

    def cache(self, snapshot: Snapshot) -> Path:
        """Where a narrow copy of the snapshot's charges is kept while its period is open; caches of others go."""
        directory = self._store / "cache" / str(snapshot.period)
        here = directory / snapshot.digest[:16]
        for other in directory.glob("*"):
            if other != here:
                disk.remove(other)
        return here

    # Writing.

    @contextmanager
    def lock(self, purpose: str) -> Iterator[None]:
        """The right to change the workspace, for one process at a time; first sweeps up after killed ones.

        May be taken again inside itself. Raises `WorkspaceBusyError` with the process and purpose that has it,
        and `StorageError`. The calls that change something take it themselves where the caller has not.
        """
        with ExitStack() as stack:
            with disk.explained(self._store):
                if stack.enter_context(self._lock.taken(purpose)):
                    self._sweep()
            yield

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A fresh directory to fill, on the file system of the store; removed at exit unless committed.

        Fill it with copies, never with hard links: committed files become read-only. A full disk inside the
        block comes out as `StorageError`.
        """
        with disk.explained(self._store), disk.staging(self._staging) as path:
            yield path

    def commit_delivery(self, staged: Path, delivery: Delivery, *, allow_shrink: bool = False) -> Committed:
        """Take a staged directory as a delivery, and make it current: whole, or not at all.

        Paths of the charge files are relative to `staged`. In mode overwrite it becomes the only current
        delivery of its source and dataset in each billing period it has; in mode append it comes beside them.
        `UNCHANGED` when it already is so. A delivery that was current once and is sent again becomes current
        again, as it was recorded then.

        Raises `SealedPeriodError`, `DuplicateDeliveryError`, `ShrinkingDeliveryError` (unless `allow_shrink`),
        `WorkspaceBusyError` and `StorageError`; `ValueError` for a record that does not fit its directory.
        """
        if not SOURCE_NAME.fullmatch(delivery.source):
            raise InputRefusedError(
                f"'{delivery.source}' cannot be the name of a source.",
                advice=SOURCE_NAME_ADVICE,
            )
        target = self._directory(delivery)
        with self.lock(f"load {delivery.source}"), self._withdrawing(target, staged):
            known = self._catalog.deliveries("id = ?", (delivery.id,))
            if known:
                delivery = replace(known[0], mode=delivery.mode)
            else:
                delivery = current.relative(delivery, staged)
                disk.harden(staged)
            with self._catalog.writing() as connection:
                move = guards.plan(connection, delivery, allow_shrink=allow_shrink)
                if move.is_nothing:
                    return Committed.UNCHANGED
                if not known:
                    disk.move(staged, target)
                    catalog.record_delivery(connection, delivery, guards.rows_held(delivery))
                catalog.move_pointers(connection, move.joins, move.leaves)
        return Committed.LOADED

    def save_run(self, period: BillingPeriod, digest: str, staged: Path) -> None:
        """Take a staged directory as the result of a period; the former result goes. Same digest: no change.

        Raises `SealedPeriodError` for a sealed period and another digest than it was sealed with,
        `WorkspaceBusyError` and `StorageError`.
        """
        target = self._run_directory(period, digest)
        with self.lock(f"run {period}"), self._withdrawing(target, staged):
            if self.current_run(period) == target:
                return
            disk.harden(staged)
            with self._catalog.writing() as connection:
                seal = catalog.seal_of(connection, period)
                if seal is not None and seal.run_digest != digest:
                    raise SealedPeriodError(
                        f"Billing period {period} is sealed, and its results would change.",
                        advice="Put back the policy, organization and settings it was sealed with, or correct in "
                        f"{guards.next_open(period, catalog.sealed_periods(connection))}, the next open period.",
                    )
                disk.move(staged, target)
                if catalog.run_of(connection, period) != digest:
                    catalog.point_to_run(connection, period, digest)
            self._sweep_moved()

    def seal(self, period: BillingPeriod, record: Mapping[str, str]) -> None:
        """Seal a period for ever, with its current deliveries, its current run and a record of digests.

        The same record again changes nothing. Raises `SealedPeriodError` for another one.
        """
        with self.lock(f"seal {period}"), self._catalog.writing() as connection:
            seal = catalog.seal_of(connection, period)
            if seal is None:
                catalog.record_seal(connection, period, record)
            elif seal.record != dict(record):
                raise SealedPeriodError(
                    f"Billing period {period} is already sealed, with other digests.",
                    advice="A seal is for ever: correct in "
                    f"{guards.next_open(period, catalog.sealed_periods(connection))}, the next open period.",
                )

    # Reading. Needs no lock.

    def delivery(self, delivery_id: str) -> Delivery:
        """One delivery, current or not. Raises `NotFoundError`."""
        found = self._select("id = ?", delivery_id)
        if not found:
            raise NotFoundError(
                f"There is no delivery '{delivery_id}'.", advice="`apportion findings` names the current ones."
            )
        return found[0]

    def deliveries(self, period: BillingPeriod | None = None) -> tuple[Delivery, ...]:
        """Every delivery ever taken, or every one with rows of a period, superseded ones too; by arrival."""
        return self._select("TRUE") if period is None else self._select("period = ?", str(period))

    def current(self, period: BillingPeriod | None) -> tuple[Delivery, ...]:
        """The current deliveries of a period, or (None) those of no single period; by source, dataset, id."""
        found = self._select(_IS_CURRENT, guards.NO_PERIOD if period is None else str(period))
        return tuple(sorted(found, key=lambda delivery: (delivery.source, delivery.dataset, delivery.id)))

    def periods(self) -> tuple[BillingPeriod, ...]:
        """Every billing period that has current charges or provider invoices, in order."""
        query = (
            "SELECT DISTINCT period FROM delivered_period JOIN delivery ON delivery_id = id"
            " WHERE is_current AND period != ? AND dataset NOT IN (?, ?) ORDER BY period"
        )
        with self._catalog.reading() as connection:
            neither = (Dataset.BILLING_PERIOD.value, Dataset.USAGE.value)
            rows = connection.execute(query, (guards.NO_PERIOD, *neither)).fetchall()
        return tuple(BillingPeriod.parse(row[0]) for row in rows)

    def snapshot(self, period: BillingPeriod) -> Snapshot:
        """The current charge files of a period. Its digest does not depend on the order of arrival."""
        return current.snapshot(period, self._current_in(Dataset.COST_AND_USAGE, period))

    def totals(self, period: BillingPeriod) -> tuple[Total, ...]:
        """What was loaded and is current, issuers by their one name (`issuer_aliases`)."""
        return current.totals(period, self._current_in(Dataset.COST_AND_USAGE, period), self.settings)

    def quarantined(self, period: BillingPeriod) -> tuple[tuple[Delivery, Quarantined], ...]:
        """Rows kept aside in current deliveries, one for each delivery and currency."""
        return tuple(
            (delivery, rows) for delivery in self.current(period) for rows in delivery.quarantined.get(period, ())
        )

    def provider_invoices(self, period: BillingPeriod) -> tuple[DeliveredInvoice, ...]:
        """The providers' own invoices, from Invoice Detail; issuers by their one name."""
        return current.provider_invoices(period, self._current_in(Dataset.INVOICE_DETAIL, period), self.settings)

    def billing_statuses(self, period: BillingPeriod) -> tuple[tuple[str, str], ...]:
        """(issuer by its one name, BillingPeriodStatus) from the Billing Period dataset."""
        return current.billing_statuses(period, self._current_in(Dataset.BILLING_PERIOD, period), self.settings)

    def usage(self, period: BillingPeriod) -> dict[str, UsageFile]:
        """The current files of usage of a period, by source; a source of which all was kept aside has none."""
        found = ((delivery.source, delivery.usage[period]) for delivery in self._current_in(Dataset.USAGE, period))
        return {source: file for source, file in found if file.path is not None}

    def findings(
        self, period: BillingPeriod | None = None, source: str | None = None
    ) -> tuple[tuple[Delivery, Finding], ...]:
        """Findings of current deliveries: of a period, of a source, or all; by arrival."""
        found = self._select("is_current") if period is None else self._select(_IS_CURRENT, str(period))
        return tuple(
            (delivery, finding)
            for delivery in found
            if source is None or delivery.source == source
            for finding in delivery.findings
        )

    def current_run(self, period: BillingPeriod) -> Path | None:
        """The directory with the current result of a period, or None before the first one."""
        with self._catalog.reading() as connection:
            digest = catalog.run_of(connection, period)
        directory = None if digest is None else self._run_directory(period, digest)
        return directory if directory is not None and directory.is_dir() else None

    def sealed(self, period: BillingPeriod) -> Mapping[str, str] | None:
        """The record that a period was sealed with, or None while it is open."""
        with self._catalog.reading() as connection:
            seal = catalog.seal_of(connection, period)
        return None if seal is None else seal.record

    def next_open_period(self, after: BillingPeriod) -> BillingPeriod:
        """The first period after `after` that is not sealed: where late charges go."""
        with self._catalog.reading() as connection:
            return guards.next_open(after, catalog.sealed_periods(connection))

    # The rooms of the store.

    def _directory(self, delivery: Delivery) -> Path:
        return self._deliveries / delivery.source / _plain_name(delivery.id)

    def _run_directory(self, period: BillingPeriod, digest: str) -> Path:
        return self._runs / str(period) / _plain_name(digest)

    def _select(self, condition: str, *parameters: str) -> tuple[Delivery, ...]:
        found = self._catalog.deliveries(condition, parameters)
        return tuple(current.located(delivery, self._directory(delivery)) for delivery in found)

    def _current_in(self, dataset: Dataset, period: BillingPeriod) -> tuple[Delivery, ...]:
        """Current deliveries of one dataset, in order of arrival."""
        return self._select(f"{_IS_CURRENT} AND dataset = ?", str(period), dataset.value)

    # Sweeping.

    def _sweep(self) -> None:
        disk.sweep_staging(self._staging)
        self._sweep_moved()

    def _sweep_moved(self) -> None:
        """Remove what was renamed into its place by a process killed before it was recorded, and former runs."""
        ids, runs = self._catalog.recorded()
        for path in self._deliveries.glob("*/*"):
            if path.name not in ids:
                disk.remove(path)
        for path in self._runs.glob("*/*"):
            if (path.parent.name, path.name) not in runs:
                disk.remove(path)

    @contextmanager
    def _withdrawing(self, target: Path, staged: Path) -> Iterator[None]:
        """When the block fails, take back what was moved to `target` unless the catalog came to know it."""
        with disk.explained(self._store):
            try:
                yield
            except BaseException:
                # The commit may have succeeded before an interrupt came, so only the catalog knows. Where even
                # that cannot be asked, the next sweep does it.
                with suppress(OSError, ApportionError):
                    ids, runs = self._catalog.recorded()
                    recorded = target.name in ids or (target.parent.name, target.name) in runs
                    if not recorded and not staged.exists():
                        target.rename(staged)
                raise


def _plain_name(text: str) -> str:
    """An id or digest that may name a directory. Raises `ValueError` for any other: the program made it."""
    if not _ID.fullmatch(text):
        raise ValueError(f"not an id or digest: {text!r}")
    return text
