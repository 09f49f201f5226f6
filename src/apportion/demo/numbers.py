"""Numbers that look drawn and are not: the same for the same keys, on every machine and in every version.

Method: SplitMix64 (Steele, Lea, Flood 2014) over keys folded with FNV-1a. Nothing here knows money or time.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1


def drawn(low: int, high: int, *keys: int | str) -> int:
    """A whole number from `low` to `high`, both included, that depends on the keys alone."""
    return low + _mixed(keys) % (high - low + 1)


def seed31(*keys: int | str) -> int:
    """A number below 2³¹ that depends on the keys alone: what the engine's integers start from."""
    return _mixed(keys) >> 33


def letters(count: int, *keys: int | str) -> str:
    """`count` characters of lower-case hexadecimal that depend on the keys alone."""
    text = "".join(f"{_mixed((*keys, place)):016x}" for place in range((count + 15) // 16))
    return text[:count]


def _mixed(keys: tuple[int | str, ...]) -> int:
    folded = 0xCBF29CE484222325
    for key in keys:
        for byte in f"{key}\0".encode():
            folded = ((folded ^ byte) * 0x100000001B3) & _MASK
    value = (folded + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
