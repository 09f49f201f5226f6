"""The catalog: which deliveries there are, which are current for which period, the runs and the seals.

One SQLite file. Documents are never changed once written; what moves are pointers, and each move is one
transaction. Amounts stand in the documents as text: SQLite would make large ones REAL.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from apportion.errors import WorkspaceError
from apportion.periods import BillingPeriod
from apportion.warehouse import serialize
from apportion.warehouse.disk import explained
from apportion.warehouse.record import Dataset, Delivery

FILE_NAME = "catalog.sqlite"
VERSION = 1
_APPLICATION = 0x4150504F  # "APPO"
_PATIENCE_S = 20.0

# A period is text such as 2026-10, or empty for a dataset that is of no single billing period.
_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {VERSION};

CREATE TABLE delivery (
  id TEXT PRIMARY KEY,
  source TEXT NOT NULL,
  dataset TEXT NOT NULL,
  received_at TEXT NOT NULL,
  document TEXT NOT NULL
);

CREATE TABLE delivered_file (
  delivery_id TEXT NOT NULL REFERENCES delivery (id),
  sha256 TEXT NOT NULL,
  name TEXT NOT NULL
);
CREATE INDEX delivered_file_by_content ON delivered_file (sha256);

-- What a delivery holds of a period, and whether it is current there. No rows: all of them are kept aside.
CREATE TABLE delivered_period (
  delivery_id TEXT NOT NULL REFERENCES delivery (id),
  period TEXT NOT NULL,
  rows INTEGER NOT NULL CHECK (rows >= 0),
  is_current INTEGER NOT NULL DEFAULT 0 CHECK (is_current IN (0, 1)),
  PRIMARY KEY (delivery_id, period)
);
CREATE INDEX delivered_period_current ON delivered_period (period, is_current);

CREATE TABLE run (
  period TEXT PRIMARY KEY,
  digest TEXT NOT NULL
);

CREATE TABLE seal (
  period TEXT PRIMARY KEY,
  run_digest TEXT,
  record TEXT NOT NULL
);

CREATE TRIGGER delivery_is_immutable BEFORE UPDATE ON delivery
  BEGIN SELECT RAISE(ABORT, 'a delivery is never changed'); END;
CREATE TRIGGER delivery_is_kept BEFORE DELETE ON delivery
  BEGIN SELECT RAISE(ABORT, 'a delivery is never deleted'); END;
CREATE TRIGGER seal_is_immutable BEFORE UPDATE ON seal
  BEGIN SELECT RAISE(ABORT, 'a seal is never changed'); END;
CREATE TRIGGER seal_is_kept BEFORE DELETE ON seal
  BEGIN SELECT RAISE(ABORT, 'a seal is never deleted'); END;
CREATE TRIGGER sealed_charges_stay BEFORE UPDATE ON delivered_period
  WHEN EXISTS (SELECT 1 FROM seal WHERE period = OLD.period)
  BEGIN SELECT RAISE(ABORT, 'the period is sealed'); END;
CREATE TRIGGER sealed_charges_are_kept BEFORE DELETE ON delivered_period
  WHEN EXISTS (SELECT 1 FROM seal WHERE period = OLD.period)
  BEGIN SELECT RAISE(ABORT, 'the period is sealed'); END;
CREATE TRIGGER sealed_run_is_the_last BEFORE INSERT ON run
  WHEN EXISTS (SELECT 1 FROM seal WHERE period = NEW.period)
  BEGIN SELECT RAISE(ABORT, 'the period is sealed'); END;
CREATE TRIGGER sealed_run_stays BEFORE UPDATE ON run
  WHEN EXISTS (SELECT 1 FROM seal WHERE period = OLD.period)
  BEGIN SELECT RAISE(ABORT, 'the period is sealed'); END;
CREATE TRIGGER sealed_run_is_kept BEFORE DELETE ON run
  WHEN EXISTS (SELECT 1 FROM seal WHERE period = OLD.period)
  BEGIN SELECT RAISE(ABORT, 'the period is sealed'); END;
"""


@dataclass(frozen=True, slots=True)
class Held:
    """What one delivery holds of one period: its id, source, the period as text, and rows loaded."""

    delivery_id: str
    source: str
    period: str
    rows: int


@dataclass(frozen=True, slots=True)
class Seal:
    """A sealed period: the record given when it was sealed, and the run that was current then."""

    run_digest: str | None
    record: Mapping[str, str]


class Catalog:
    """The catalog file of one workspace. Every call opens and closes it, so nothing stays open after a kill."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._deliveries: dict[str, Delivery] = {}

    @classmethod
    def create(cls, path: Path) -> Catalog:
        """A new, empty catalog; whole when its name appears."""
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with explained(path.parent):
            with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = EXTRA")
                connection.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
            fresh.rename(path)
        return cls(path)

    def check_version(self) -> None:
        """Raises `WorkspaceError` for a file that is no catalog, or that another version of Apportion wrote."""
        with self.reading() as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application != _APPLICATION:
            raise WorkspaceError(
                f"{self._path} is not a catalog of Apportion.", advice=f"Put back {self._path.parent} from a backup."
            )
        if version != VERSION:
            raise WorkspaceError(
                f"The workspace has format {version}; this version of Apportion works with format {VERSION}.",
                advice="Use the version of Apportion that made the workspace, or a later one that can convert it.",
            )

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees a whole state at each statement. Needs no lock, and works on a read-only disk."""
        with explained(self._path.parent):
            # `rw` never makes a file, and falls back to reading where the disk is read-only. It is needed to
            # read, too: whoever opens the file after a kill rolls the half-written transaction back.
            uri = f"{self._path.absolute().as_uri()}?mode=rw"
            with closing(sqlite3.connect(uri, uri=True, timeout=_PATIENCE_S, isolation_level=None)) as connection:
                # EXTRA, above FULL: old runs are removed after a commit, so the commit must not be undone by a
                # power cut that brings a deleted journal back.
                connection.execute("PRAGMA synchronous = EXTRA")
                connection.execute("PRAGMA foreign_keys = ON")
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end of the block, undone when the block fails."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    # Deliveries, read whole. Documents are immutable, so each is decoded once.

    def deliveries(self, condition: str, parameters: tuple[str, ...]) -> tuple[Delivery, ...]:
        """The records that meet an SQL condition over `delivery` and its `delivered_period`s, each once.

        In order of arrival. Paths in them are relative to the directory of the delivery.
        """
        query = (
            "SELECT DISTINCT delivery.id FROM delivery LEFT JOIN delivered_period ON delivery_id = id"
            f" WHERE {condition} ORDER BY received_at, delivery.id"
        )
        with self.reading() as connection:
            ids = [str(row[0]) for row in connection.execute(query, parameters)]
            return tuple(self._read(connection, delivery_id) for delivery_id in ids)

    def _read(self, connection: sqlite3.Connection, delivery_id: str) -> Delivery:
        if delivery_id not in self._deliveries:
            (text,) = connection.execute("SELECT document FROM delivery WHERE id = ?", (delivery_id,)).fetchone()
            try:
                self._deliveries[delivery_id] = serialize.from_text(text)
            except (ValueError, LookupError, TypeError) as error:
                raise WorkspaceError(
                    f"The record of delivery {delivery_id} is damaged.",
                    advice=f"Put back {self._path.parent} from a backup.",
                ) from error
        return self._deliveries[delivery_id]

    def recorded(self) -> tuple[set[str], set[tuple[str, str]]]:
        """Ids of all deliveries, and (period, digest) of all runs: what may exist on the disk."""
        with self.reading() as connection:
            ids = {str(row[0]) for row in connection.execute("SELECT id FROM delivery")}
            runs = {(str(period), str(digest)) for period, digest in connection.execute("SELECT * FROM run")}
        return ids, runs


def record_delivery(connection: sqlite3.Connection, delivery: Delivery, held: Mapping[str, int]) -> None:
    """Write down a new delivery, its files and the rows it holds of each period; current for none as yet."""
    connection.execute(
        "INSERT INTO delivery VALUES (?, ?, ?, ?, ?)",
        (delivery.id, delivery.source, delivery.dataset.value, delivery.received_at, serialize.to_text(delivery)),
    )
    connection.executemany(
        "INSERT INTO delivered_file VALUES (?, ?, ?)",
        [(delivery.id, content, name) for content, name in delivery.contents],
    )
    connection.executemany(
        "INSERT INTO delivered_period (delivery_id, period, rows) VALUES (?, ?, ?)",
        [(delivery.id, period, rows) for period, rows in held.items()],
    )


def current_in(connection: sqlite3.Connection, source: str, dataset: Dataset, period: str) -> tuple[Held, ...]:
    """What is current for a source, dataset and period."""
    rows = connection.execute(
        "SELECT id, source, period, rows FROM delivery JOIN delivered_period ON delivery_id = id"
        " WHERE source = ? AND dataset = ? AND period = ? AND is_current ORDER BY id",
        (source, dataset.value, period),
    )
    return tuple(Held(*row) for row in rows)


def current_with_file(connection: sqlite3.Connection, sha256: str) -> tuple[Held, ...]:
    """What is current, in any source, of deliveries that contain a file with this content."""
    rows = connection.execute(
        "SELECT DISTINCT id, source, period, delivered_period.rows FROM delivered_file"
        " JOIN delivery ON delivered_file.delivery_id = id"
        " JOIN delivered_period ON delivered_period.delivery_id = id"
        " WHERE sha256 = ? AND is_current ORDER BY id, period",
        (sha256,),
    )
    return tuple(Held(*row) for row in rows)


def move_pointers(connection: sqlite3.Connection, joins: Iterable[Held], leaves: Iterable[Held]) -> None:
    """Make `leaves` no longer current, and `joins` current.

    A delivery that is nowhere current with charges any more also loses the periods of which all its rows were
    kept aside: its successor has said what there is. A sealed period stays as it was sealed.
    """
    place = "delivery_id = ? AND period = ?"
    gone = [(held.delivery_id, held.period) for held in leaves]
    connection.executemany(f"UPDATE delivered_period SET is_current = 0 WHERE {place}", gone)
    connection.executemany(
        f"UPDATE delivered_period SET is_current = 1 WHERE {place}",
        [(held.delivery_id, held.period) for held in joins],
    )
    connection.executemany(
        "UPDATE delivered_period SET is_current = 0 WHERE delivery_id = ?1 AND is_current AND NOT EXISTS ("
        " SELECT 1 FROM delivered_period WHERE delivery_id = ?1 AND is_current AND rows)"
        " AND period NOT IN (SELECT period FROM seal)",
        [(delivery_id,) for delivery_id, _ in gone],
    )


def seal_of(connection: sqlite3.Connection, period: BillingPeriod) -> Seal | None:
    """The seal of a period, or None while it is open."""
    row = connection.execute("SELECT run_digest, record FROM seal WHERE period = ?", (str(period),)).fetchone()
    return Seal(row[0], json.loads(row[1])) if row else None


def record_seal(connection: sqlite3.Connection, period: BillingPeriod, record: Mapping[str, str]) -> None:
    """Seal a period with the run that is current now."""
    text = json.dumps(dict(record), sort_keys=True)
    connection.execute(
        "INSERT INTO seal VALUES (?1, (SELECT digest FROM run WHERE period = ?1), ?2)", (str(period), text)
    )


def sealed_periods(connection: sqlite3.Connection) -> frozenset[str]:
    """All sealed periods, as text."""
    return frozenset(str(row[0]) for row in connection.execute("SELECT period FROM seal"))


def run_of(connection: sqlite3.Connection, period: BillingPeriod) -> str | None:
    """The digest of the current run of a period."""
    row = connection.execute("SELECT digest FROM run WHERE period = ?", (str(period),)).fetchone()
    return str(row[0]) if row else None


def point_to_run(connection: sqlite3.Connection, period: BillingPeriod, digest: str) -> None:
    """Make a run the current one of its period."""
    connection.execute(
        "INSERT INTO run VALUES (?1, ?2) ON CONFLICT (period) DO UPDATE SET digest = ?2", (str(period), digest)
    )
