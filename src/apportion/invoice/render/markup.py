"""HTML that cannot be unescaped by mistake: plain text is always escaped, only `Markup` passes as it is."""

from __future__ import annotations

from html import escape

from apportion.ledger.account import tidy


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


_VOID = frozenset({"meta", "link", "br", "hr", "col"})
# A line end after these keeps the source readable and changes nothing on the page.
_BLOCKS = frozenset(
    "head meta title style body main header footer nav ol dl div h1 h2 p table caption thead tbody tfoot tr".split()
)


def tag(name: str, /, *children: str, **attributes: str) -> Markup:
    """One element. Children that are not `Markup` are escaped; ``class_`` and ``aria_label`` become valid names."""
    opening = name + "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(tidy(value))}"' for key, value in attributes.items()
    )
    end = "\n" if name in _BLOCKS else ""
    if name in _VOID:
        return Markup(f"<{opening}>{end}")
    return Markup(f"<{opening}>{joined(*children)}</{name}>{end}")


def joined(*children: str) -> Markup:
    """Children one after the other, what is not `Markup` tidied and escaped."""
    return Markup("".join(child if isinstance(child, Markup) else escape(tidy(child)) for child in children))
