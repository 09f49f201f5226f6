"""The reasons of lines in the language of the page: what `invoice.reasons` puts together, said again piece by piece.

A document's reasons are frozen in English with it. A page takes one apart where its pieces join (a semicolon, a comma)
and says each piece as the catalogue does. Where it does not know a piece, the whole reason stays as it was frozen:
never half of it in one language and half in another.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.utils.translation import get_language, pgettext_lazy

from apportion.web.told import known

_REASON = "reason"
_COMMA = re.compile(r", (?![^“]*”)(?![^(]*\))")  # not within a name or a remark
# Marked for translation, and found again by their words.
PIECES = (
    pgettext_lazy("reason", "%(a)s %% by %(b)s: %(c)s of %(d)s (%(e)s)"),
    pgettext_lazy("reason", "%(a)s %% even among %(b)s cost groups (%(c)s)"),
    pgettext_lazy("reason", "%(a)s %% kept central (%(b)s)"),
    pgettext_lazy("reason", "%(a)s at %(b)s"),
    pgettext_lazy("reason", "%(a)s for each of %(b)s"),
    pgettext_lazy("reason", "%(a)s of %(b)s"),
    pgettext_lazy("reason", "%(a)s of %(b)s even parts"),
    pgettext_lazy("reason", "%(a)s of the pool"),
    pgettext_lazy("reason", "and"),
    pgettext_lazy("reason", "as it was shared then"),
    pgettext_lazy("reason", "as the policy was then"),
    pgettext_lazy("reason", "as the provider applied it: %(a)s to carry"),
    pgettext_lazy("reason", "at least %(a)s"),
    pgettext_lazy("reason", "at least %(a)s each"),
    pgettext_lazy("reason", "at most %(a)s each"),
    pgettext_lazy("reason", "because no other charge goes with these"),
    pgettext_lazy("reason", "because no usage of '%(a)s' was delivered for %(b)s"),
    pgettext_lazy("reason", "beyond what is charged (capped at %(a)s)"),
    pgettext_lazy("reason", "by %(a)s"),
    pgettext_lazy("reason", "by %(a)s: %(b)s of %(c)s (%(d)s)"),
    pgettext_lazy("reason", "by %(a)s: %(b)s of %(c)s in total"),
    pgettext_lazy("reason", "by the greater of %(a)s: %(b)s of %(c)s (%(d)s)"),
    pgettext_lazy("reason", "by the greater of %(a)s: %(b)s of %(c)s in total"),
    pgettext_lazy("reason", "%(a)s %% by the greater of %(b)s: %(c)s of %(d)s (%(e)s)"),
    pgettext_lazy("reason", "by rule “%(a)s”"),
    pgettext_lazy("reason", "by rules “%(a)s”"),
    pgettext_lazy("reason", "by rules “%(a)s” and %(b)s more"),
    pgettext_lazy("reason", "capped at %(a)s"),
    pgettext_lazy("reason", "correction of %(a)s"),
    pgettext_lazy("reason", "correction of %(a)s: by rule “%(b)s”"),
    pgettext_lazy("reason", "correction of %(a)s: no rule met these charges"),
    pgettext_lazy("reason", "correction of line %(a)s of %(b)s: the dispute of it (“%(c)s”) was partly upheld"),
    pgettext_lazy("reason", "correction of line %(a)s of %(b)s: the dispute of it (“%(c)s”) was upheld"),
    pgettext_lazy("reason", "corrects statement %(a)s"),
    pgettext_lazy("reason", "direct cost %(a)s of %(b)s in total"),
    pgettext_lazy("reason", "even"),
    pgettext_lazy("reason", "even among %(a)s cost groups"),
    pgettext_lazy("reason", "even among %(a)s recipients"),
    pgettext_lazy("reason", "fixed share %(a)s"),
    pgettext_lazy("reason", "fixed shares"),
    pgettext_lazy("reason", "fixed surcharge of %(a)s"),
    pgettext_lazy("reason", "follows the charges it belongs to"),
    pgettext_lazy("reason", "held to the most of %(a)s"),
    pgettext_lazy("reason", "in proportion to cost so far"),
    pgettext_lazy("reason", "in proportion to direct cost"),
    pgettext_lazy("reason", "in the agreed order: %(a)s to carry"),
    pgettext_lazy("reason", "internal prices charged exactly the cost of %(a)s"),
    pgettext_lazy("reason", "kept central"),
    pgettext_lazy("reason", "no rule met these charges"),
    pgettext_lazy("reason", "nobody is charged"),
    pgettext_lazy("reason", "of %(a)s that pass through it"),
    pgettext_lazy("reason", "one rate for all eligible usage: %(a)s to carry"),
    pgettext_lazy("reason", "over all bills of the pool"),
    pgettext_lazy("reason", "over-recovery: internal prices charged %(a)s for a cost of %(b)s"),
    pgettext_lazy("reason", "raised to the least of %(a)s"),
    pgettext_lazy("reason", "rate of exchange %(a)s before %(b)s"),
    pgettext_lazy("reason", "share of %(a)s"),
    pgettext_lazy("reason", "solved together with %(a)s"),
    pgettext_lazy("reason", "surcharge of %(a)s on %(b)s"),
    pgettext_lazy("reason", "surcharges that cost groups pay"),
    pgettext_lazy("reason", "taken off what is kept central"),
    pgettext_lazy("reason", "the buyer's usage first: %(a)s to carry"),
    pgettext_lazy("reason", "the first %(a)s by %(b)s: %(c)s of %(d)s (%(e)s)"),
    pgettext_lazy("reason", "the only cost group"),
    pgettext_lazy("reason", "the only recipient"),
    pgettext_lazy("reason", "the pool is a credit of %(a)s"),
    pgettext_lazy("reason", "the rest by %(a)s: %(b)s of %(c)s (%(d)s)"),
    pgettext_lazy("reason", "under-recovery: internal prices charged %(a)s for a cost of %(b)s"),
    pgettext_lazy("reason", "where the provider applied %(a)s"),
    pgettext_lazy("reason", "your cost so far %(a)s of %(b)s in total"),
    pgettext_lazy("reason", "your direct cost %(a)s of %(b)s in total"),
    pgettext_lazy("reason", "your direct cost (%(a)s) %(b)s of %(c)s in total"),
)


def reason(text: object) -> str:
    """A line's reason, or what a change is about, in the active language; as it is where that is not known."""
    said, language = str(text), get_language() or "en"
    if not said or language.startswith("en"):
        return said
    name, colon, rest = said.partition(": ")  # perhaps that of a pool, in front
    return _said(said, language) or f"{name}{colon}{(colon and _said(rest, language)) or rest}"


@lru_cache(maxsize=8192)
def _said(text: str, language: str) -> str:
    """Empty where a piece is not known."""
    parts = []
    for part in text.split("; "):
        whole = known(part, language, _REASON)
        pieces = [whole] if whole else [known(each, language, _REASON) for each in _COMMA.split(part)]
        if None in pieces:
            return ""
        parts.append(", ".join(piece for piece in pieces if piece))
    said = "; ".join(parts)
    return f"{said[:1].upper()}{said[1:]}" if text[:1].isupper() else said
