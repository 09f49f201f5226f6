"""Small pictures drawn on the server: a line for a table's cell, and columns of months. SVG without inline style.

Takes integers and texts, gives SVG. All coordinates are integers: amounts are scaled by whole-number division, which
loses less than a pixel and touches no amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_LINE_WIDTH, _LINE_HEIGHT, _EDGE = 96, 24, 3
_COLUMN, _GAP, _COLUMNS_HEIGHT, _LABEL_HEIGHT = 40, 12, 120, 22


def _scaled(values: Sequence[int], height: int) -> tuple[int, list[int]]:
    """The height of zero above the ground, and each value's height above the ground."""
    low, high = min(0, *values), max(0, *values)
    span = (high - low) or 1
    return -low * height // span, [(value - low) * height // span for value in values]


def line(values: Sequence[int | None], label: str) -> str:
    """A line through the values, oldest first, its last point marked; gaps where a value is None."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    _, heights = _scaled([*known], _LINE_HEIGHT - 2 * _EDGE)
    above = iter(heights)
    step_of = max(len(values) - 1, 1)
    runs: list[list[str]] = [[]]
    last = (0, 0)
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        last = (_EDGE + place * (_LINE_WIDTH - 2 * _EDGE) // step_of, _LINE_HEIGHT - _EDGE - next(above))
        runs[-1].append(f"{last[0]},{last[1]}")
    drawn = "".join(f'<polyline points="{" ".join(run)}"/>' for run in runs if len(run) > 1)
    named = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return (
        f'<svg class="sparkline" viewBox="0 0 {_LINE_WIDTH} {_LINE_HEIGHT}" width="{_LINE_WIDTH}" '
        f'height="{_LINE_HEIGHT}" {named}>{drawn}<circle cx="{last[0]}" cy="{last[1]}" r="2"/></svg>'
    )


def columns(values: Sequence[int | None], labels: Sequence[str], said: Sequence[str], label: str) -> str:
    """One column for each value, the last one marked; those below zero hang from the line of zero."""
    if not any(value is not None for value in values):
        return ""
    zero, heights = _scaled([value or 0 for value in values], _COLUMNS_HEIGHT)
    ground = _COLUMNS_HEIGHT - zero
    width = len(values) * (_COLUMN + _GAP)
    drawn = []
    for place, (value, height, name, text) in enumerate(zip(values, heights, labels, said, strict=True)):
        left = place * (_COLUMN + _GAP) + _GAP // 2
        top, tall = _COLUMNS_HEIGHT - max(height, zero), abs(height - zero)
        kind = "last" if place == len(values) - 1 else "below" if (value or 0) < 0 else "before"
        drawn.append(
            f'<g class="column-{kind}"><title>{escape(name)}: {escape(text)}</title>'
            f'<rect x="{left}" y="{top}" width="{_COLUMN}" height="{max(tall, 1)}" rx="2"/>'
            f'<text x="{left + _COLUMN // 2}" y="{_COLUMNS_HEIGHT + _LABEL_HEIGHT - 7}">{escape(name)}</text></g>'
        )
    return (
        f'<svg class="columns" viewBox="0 0 {width} {_COLUMNS_HEIGHT + _LABEL_HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">{"".join(drawn)}<line x1="0" x2="{width}" y1="{ground}" y2="{ground}"/></svg>'
    )
