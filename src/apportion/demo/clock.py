"""The clock of the story: acts of earlier months happen when they would have, not all at once today."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from apportion.periods import BillingPeriod


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Let it be that instant inside the block, for everything that asks Django's clock. Never later than now."""
    real = timezone.now
    told = min(instant, real())
    timezone.now = lambda: told
    try:
        yield
    finally:
        timezone.now = real


def after(period: BillingPeriod, days: int, hour: int = 9) -> datetime:
    """So many days after the end of a period, at an hour; day 1 is the first one after it."""
    return period.end.replace(tzinfo=UTC) + timedelta(days=days - 1, hours=hour)


def ago(hours: int) -> datetime:
    """So many hours before now."""
    return timezone.now() - timedelta(hours=hours)
