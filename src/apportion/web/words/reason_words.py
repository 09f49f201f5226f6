"""The reasons of lines in the language of the page: what `invoice.reasons` puts together, said again piece by piece.

A document's reasons are frozen in English with it. A page takes one apart where its pieces join (a semicolon, a comma)
and says each piece as the catalogue does. Where it does not know a piece, the whole reason stays as it was frozen:
never half of it in one language and half in another.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.utils.translation import get_language, pgettext_lazy

from apportion.web.words.told import known

_REASON = "reason"
_COMMA = re.compile(r", (?![^“(]*[”)])")  # not within a name or a remark
# Marked for translation, and found again by their words. Names from n on stand for figures (see `told`).
PIECES = (
    pgettext_lazy("reason", "%(n)s %% by %(a)s: %(o)s of %(p)s (%(q)s)"),
    pgettext_lazy("reason", "%(n)s %% even among %(o)s cost groups (%(p)s)"),
    pgettext_lazy("reason", "%(n)s %% kept central (%(o)s)"),
    pgettext_lazy("reason", "%(n)s %(a)s at %(o)s"),
    pgettext_lazy("reason", "%(n)s for each of %(a)s"),
    pgettext_lazy("reason", "%(n)s of %(o)s"),
    pgettext_lazy("reason", "%(n)s of %(o)s even parts"),
    pgettext_lazy("reason", "%(n)s of the pool"),
    pgettext_lazy("reason", "and"),
    pgettext_lazy("reason", "as it was shared then"),
    pgettext_lazy("reason", "as the policy was then"),
    pgettext_lazy("reason", "as the provider applied it: %(n)s to carry"),
    pgettext_lazy("reason", "at least %(n)s"),
    pgettext_lazy("reason", "at least %(n)s each"),
    pgettext_lazy("reason", "at most %(n)s each"),
    pgettext_lazy("reason", "because no other charge goes with these"),
    pgettext_lazy("reason", "because no usage of '%(a)s' was delivered for %(b)s"),
    pgettext_lazy("reason", "beyond what is charged (capped at %(n)s)"),
    pgettext_lazy("reason", "by %(a)s"),
    pgettext_lazy("reason", "by %(a)s: %(n)s of %(o)s (%(p)s)"),
    pgettext_lazy("reason", "by %(a)s: %(n)s of %(o)s in total"),
    pgettext_lazy("reason", "by the greater of %(a)s: %(n)s of %(o)s (%(p)s)"),
    pgettext_lazy("reason", "by the greater of %(a)s: %(n)s of %(o)s in total"),
    pgettext_lazy("reason", "%(n)s %% by the greater of %(a)s: %(o)s of %(p)s (%(q)s)"),
    pgettext_lazy("reason", "by rule “%(a)s”"),
    pgettext_lazy("reason", "by rules “%(a)s”"),
    pgettext_lazy("reason", "by rules “%(a)s” and %(n)s more"),
    pgettext_lazy("reason", "capped at %(n)s"),
    pgettext_lazy("reason", "correction of %(a)s"),
    pgettext_lazy("reason", "correction of %(a)s: by rule “%(b)s”"),
    pgettext_lazy("reason", "correction of %(a)s: no rule met these charges"),
    pgettext_lazy("reason", "correction of line %(n)s of %(a)s: the dispute of it (“%(b)s”) was partly upheld"),
    pgettext_lazy("reason", "correction of line %(n)s of %(a)s: the dispute of it (“%(b)s”) was upheld"),
    pgettext_lazy("reason", "corrects statement %(a)s"),
    pgettext_lazy("reason", "direct cost %(n)s of %(o)s in total"),
    pgettext_lazy("reason", "even"),
    pgettext_lazy("reason", "even among %(n)s cost groups"),
    pgettext_lazy("reason", "even among %(n)s recipients"),
    pgettext_lazy("reason", "fixed share %(n)s"),
    pgettext_lazy("reason", "fixed shares"),
    pgettext_lazy("reason", "fixed surcharge of %(n)s"),
    pgettext_lazy("reason", "follows the charges it belongs to"),
    pgettext_lazy("reason", "held to the most of %(n)s"),
    pgettext_lazy("reason", "in proportion to cost so far"),
    pgettext_lazy("reason", "in proportion to direct cost"),
    pgettext_lazy("reason", "in the agreed order: %(n)s to carry"),
    pgettext_lazy("reason", "internal prices charged exactly the cost of %(n)s"),
    pgettext_lazy("reason", "kept central"),
    pgettext_lazy("reason", "moved here from line %(n)s of %(a)s: the dispute of it (“%(b)s”) was partly upheld"),
    pgettext_lazy("reason", "moved here from line %(n)s of %(a)s: the dispute of it (“%(b)s”) was upheld"),
    pgettext_lazy("reason", "no rule met these charges"),
    pgettext_lazy("reason", "nobody is charged"),
    pgettext_lazy("reason", "of %(n)s that pass through it"),
    pgettext_lazy("reason", "one rate for all eligible usage: %(n)s to carry"),
    pgettext_lazy("reason", "over all bills of the pool"),
    pgettext_lazy("reason", "over-recovery: internal prices charged %(n)s for a cost of %(o)s"),
    pgettext_lazy("reason", "raised to the least of %(n)s"),
    pgettext_lazy("reason", "rate of exchange %(n)s before %(o)s"),
    pgettext_lazy("reason", "share of %(a)s"),
    pgettext_lazy("reason", "solved together with %(a)s"),
    pgettext_lazy("reason", "surcharge of %(n)s on %(o)s"),
    pgettext_lazy("reason", "surcharges that cost groups pay"),
    pgettext_lazy("reason", "taken off what is kept central"),
    pgettext_lazy("reason", "the buyer's usage first: %(n)s to carry"),
    pgettext_lazy("reason", "the first %(n)s by %(a)s: %(o)s of %(p)s (%(q)s)"),
    pgettext_lazy("reason", "the only cost group"),
    pgettext_lazy("reason", "the only recipient"),
    pgettext_lazy("reason", "the pool is a credit of %(n)s"),
    pgettext_lazy("reason", "the rest by %(a)s: %(n)s of %(o)s (%(p)s)"),
    pgettext_lazy("reason", "under-recovery: internal prices charged %(n)s for a cost of %(o)s"),
    pgettext_lazy("reason", "where the provider applied %(n)s"),
    pgettext_lazy("reason", "your cost so far %(n)s of %(o)s in total"),
    pgettext_lazy("reason", "your direct cost %(n)s of %(o)s in total"),
    pgettext_lazy("reason", "your direct cost (%(a)s) %(n)s of %(o)s in total"),
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
        is_one = part[:9].lower() == "by rules " or part[:11].lower() == "moved here "
        pieces = [known(each, language, _REASON) for each in ([part] if is_one else _COMMA.split(part))]
        if None in pieces:
            return ""
        parts.append(", ".join(piece for piece in pieces if piece))
    said = "; ".join(parts)
    return f"{said[:1].upper()}{said[1:]}" if text[:1].isupper() else said
