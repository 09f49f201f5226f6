"""Where a period's money goes, drawn: who invoiced it, what it passes, who carries it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apportion.records.streams import DIVISION, ISSUER, POOL, End, Stream
from apportion.web.drawing.sankey import Band, Place, sankey
from apportion.web.words.figures import holder

_KINDS = {ISSUER: "issuer", POOL: "pool", DIVISION: "group"}


def name_of(end: End) -> str:
    """What an end is called: what has no name of its own in words."""
    if end.is_other:
        return _("Other")
    if end.column == POOL and not end.code:
        return _("Direct cost")
    if end.column == ISSUER and not end.code:
        return _("Adjustments")
    if end.column == DIVISION and not end.code:
        return {"unallocated": _("Unallocated"), "kept_central": _("Kept central")}.get(end.name) or holder(end.name)
    return end.name


def picture(streams: Sequence[Stream], currency: str) -> SafeString:
    """The picture; empty where there is too little to draw."""
    ends = {end for each in streams for end in (each.source, each.target)}
    places: dict[Hashable, Place] = {end: _place(end) for end in ends}
    bands = [Band(each.source, each.target, each.minor, _kind(each)) for each in streams]
    return sankey(places, bands, currency, _("Where the money goes; the table says the same"))


def _place(end: End) -> Place:
    is_direct = end.column == POOL and not end.code and not end.is_other
    kind = "service" if is_direct else _KINDS[end.column]
    return Place(end.column, name_of(end), kind, is_last=not end.code and not is_direct)


def _kind(stream: Stream) -> str:
    pool = stream.source if stream.source.column == POOL else stream.target
    return "shared" if pool.code or pool.is_other else "direct"
