"""How many examples of a law are tried."""

from __future__ import annotations

from hypothesis import settings

_USUAL = settings.get_profile("default").max_examples
_FEWEST = 5


def often(examples: int) -> int:
    """So many examples; fewer in the quick loop (`tests.quick`), in proportion, but five at least."""
    return max(min(examples, _FEWEST), examples * settings().max_examples // _USUAL)
