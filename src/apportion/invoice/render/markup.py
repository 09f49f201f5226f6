"""HTML that cannot be unescaped by mistake: plain text is always escaped, only `Markup` passes as it is."""

from __future__ import annotations

from html import escape

from apportion.ledger.account import tidy


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


_VOID = frozenset({"meta", "link", "br", "hr", "col"})


def tag(name: str, /, *children: str, **attributes: str) -> Markup:
    """One element. Children that are not `Markup` are escaped; ``class_`` and ``aria_label`` become valid names."""
    opening = name + "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(tidy(value))}"' for key, value in attributes.items()
    )
    if name in _VOID:
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    """Children one after the other, what is not `Markup` tidied and escaped."""
    return Markup("".join(child if isinstance(child, Markup) else escape(tidy(child)) for child in children))
