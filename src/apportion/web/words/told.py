"""Sentences of the rooms below, in the language of the page.

Those rooms know nothing of languages: what they refuse or find is an English sentence, its figures filled in. The
catalogues hold these sentences under a context of their own, with names for what is filled in (``python -m languages
collect`` writes them there). Here a sentence is found again by its words, and said in the language that is active; one
that no catalogue knows, and everything in English, stays as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache

from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol
from django.utils.translation import get_language, pgettext_lazy, trans_real

from apportion.actions.workspace import without_path
from apportion.errors import ApportionError

_SAID = "said"
_FILLED = re.compile(r"%\((\w)\)s")
_NUMBER = re.compile(r"(?<![\w.,-])(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+)(?![\w.,]|-)")
_MONTHS = "January February March April May June July August September October November December".split()
_MONTH = re.compile(rf"\b({'|'.join(_MONTHS)}) (\d{{4}})\b")
_NEXT = re.compile(r"(?<=[.?!])\s+(?=[A-Z'“])")
_FIGURE = r"[-−]?\d[\d.,]*(?: [A-Z]{3})?(?: of [\d,]+ parts \([\d.]+ %\)| %)?"
_Pattern = tuple[str, re.Pattern[str], str]  # its longest words, which are quick to look for; itself; what is said


# What lists call things, beside sentences.
NAMES = (
    pgettext_lazy("said", "%(a)s, invoice %(b)s"),
    pgettext_lazy("said", "%(a)s, billing account %(b)s"),
    pgettext_lazy("said", "billed"),
    pgettext_lazy("said", "effective"),
)


def told(sentence: object) -> str:
    """A sentence of the rooms below in the active language; as it is where there is no translation."""
    text = without_path(str(sentence))
    language = get_language() or "en"
    return text if not text or language.startswith("en") else _told(text, language)


def told_error(error: ApportionError) -> str:
    """What a refusal says, and what it advises."""
    return f"{told(error.sentence)} {told(error.advice)}".strip()


def known(text: str, language: str, context: str = _SAID) -> str | None:
    """What a catalogue has for a text of a context, with the same filled in; None where it has nothing."""
    plain, patterns = _sentences(language, context)
    if text in plain or text.lower() in plain:
        return plain.get(text) or plain[text.lower()]
    lowered = text.lower()
    for words, pattern, said in patterns:
        if words in lowered and (match := pattern.fullmatch(text)):
            return said % {name: _filled_in(value, language, context) for name, value in match.groupdict().items()}
    return None


@lru_cache(maxsize=4096)
def _told(text: str, language: str) -> str:
    found = known(text, language)
    if found is not None:
        return found
    parts = _NEXT.split(text)  # several sentences, one after the other
    return " ".join(known(part, language) or part for part in parts) if len(parts) > 1 else text


def _filled_in(value: str, language: str, context: str) -> str:
    """What stands in a sentence: perhaps one itself, or a word of a state; numbers and months as in the language."""
    plain, _ = _sentences(language, context)
    found = plain.get(value) or _sentences(language, _SAID)[0].get(value)
    if found is None and value.endswith("."):
        found = known(value, language, context)
    if found is not None:
        return found
    if " and " in value and "and" in plain:  # a list
        value = value.replace(" and ", f" {plain['and']} ")
    months = Locale.parse(language).months["stand-alone"]["wide"]
    value = _MONTH.sub(lambda match: f"{months[_MONTHS.index(match[1]) + 1]} {match[2]}", value)
    return _NUMBER.sub(lambda match: _number(match[0], language), value)


def _number(text: str, language: str) -> str:
    group, point = get_group_symbol(language), get_decimal_symbol(language)
    return "".join({",": group, ".": point}.get(letter, letter) for letter in text)


@lru_cache(maxsize=16)
def _sentences(language: str, context: str) -> tuple[dict[str, str], tuple[_Pattern, ...]]:
    """Those of a catalogue without anything filled in, by their text, and a pattern of each other one.

    The longest come first, so that a sentence is not taken for a shorter one that is in it.
    """
    plain: dict[str, str] = {}
    filled: list[tuple[str, str]] = []
    before = f"{context}\x04"
    catalogue = trans_real.translation(language)._catalog  # type: ignore[attr-defined]  # as Django's own view for scripts does
    for key, said in catalogue.items():
        if not isinstance(key, str) or not key.startswith(before):
            continue
        text = key.removeprefix(before)
        if _FILLED.search(text):
            filled.append((text, said))
        else:
            plain[text.replace("%%", "%")] = said.replace("%%", "%")
    filled.sort(key=lambda each: len(_FILLED.sub("", each[0])), reverse=True)
    return plain, tuple(
        (_longest(text), re.compile(_pattern(text), re.DOTALL | re.IGNORECASE), said) for text, said in filled
    )


def _longest(text: str) -> str:
    return max(_FILLED.split(text)[::2], key=len).replace("%%", "%").lower()


def _pattern(text: str) -> str:
    """What a sentence looks like: a name from n on stands for a figure, one before it for any text."""
    parts = _FILLED.split(text)
    return "".join(
        f"(?P<{part}>{_FIGURE if part >= 'n' else '.*?'})" if place % 2 else re.escape(part.replace("%%", "%"))
        for place, part in enumerate(parts)
    )
