"""When cost groups are in the tree: half-open spans of days, None where a side is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from apportion.organization.cost_group import CostGroup

Life = tuple[date | None, date | None]


def lives(versions: Iterable[CostGroup]) -> dict[str, list[Life]]:
    """For each code the spans in which it is in the tree, in order, versions that touch joined into one."""
    spans: dict[str, list[Life]] = {}
    for version in versions:
        spans.setdefault(version.code, []).append((version.valid_from, version.valid_until))
    return {code: joined(found) for code, found in spans.items()}


def joined(spans: Iterable[Life]) -> list[Life]:
    """The spans in order, those that touch or overlap joined into one."""
    found: list[Life] = []
    for start, end in sorted(spans, key=lambda span: span[0] or date.min):
        if found and (found[-1][1] is None or (start or date.min) <= found[-1][1]):
            last_start, last_end = found[-1]
            found[-1] = (last_start, None if last_end is None or end is None else max(last_end, end))
        else:
            found.append((start, end))
    return found


def covers(spans: Sequence[Life], span: Life) -> bool:
    """Whether one of the joined `spans` holds the whole of `span`."""
    start, end = span
    return any(
        (first is None or (start is not None and first <= start))
        and (last is None or (end is not None and end <= last))
        for first, last in spans
    )


def life_text(spans: Sequence[Life]) -> str:
    """The spans in words, such as ``from 2026-01-01 until 2026-07-01``; always, where neither side is bounded."""
    return " and ".join(_span_text(span) for span in spans)


def _span_text(span: Life) -> str:
    start, end = span
    words = [f"from {start}"] if start else []
    words += [f"until {end}"] if end else []
    return " ".join(words) or "always"
