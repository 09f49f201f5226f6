"""One month of the example company, closed: its journal is what ledgers are fed with in tests."""

from __future__ import annotations

from pathlib import Path

from apportion.close import month as closing
from apportion.close.month import Month
from apportion.demo import write
from apportion.ingest import usage
from apportion.ingest.load import ingest
from apportion.warehouse.record import Dataset
from apportion.warehouse.store import Workspace


def closed(root: Path, rows: int = 3000) -> Month:
    """Write a month's deliveries, load and close it."""
    company = write(root, rows=rows, months=1)
    workspace = Workspace.create(root)
    for delivery in company.deliveries:
        if delivery.dataset is Dataset.USAGE:
            usage.load(workspace, delivery.paths, source=delivery.source)
        else:
            ingest(workspace, delivery.paths, source=delivery.source, mode=delivery.mode)
    return closing.close(workspace, company.periods[0])
