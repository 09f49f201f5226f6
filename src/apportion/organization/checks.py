"""Whether dated versions make a tree on every day of their lives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from apportion.errors import Mistake, Place
from apportion.organization.document import Written
from apportion.organization.life import Life, covers, joined, life_text, lives
from apportion.yamlfile import suggestion

MOST_LEVELS = 100

Versions = Mapping[str, Sequence[Written]]


def check_versions(written: Sequence[Written]) -> list[Mistake]:
    """Every mistake in how the versions fit together: dates, doubles, parents, loops."""
    mistakes: list[Mistake] = []
    by_code: dict[str, list[Written]] = {}
    by_fold: dict[str, Written] = {}
    for version in written:
        if _empty(version, mistakes) or _double(version, by_code.get(version.group.code, ()), mistakes):
            continue
        code = version.group.code
        other = by_fold.setdefault(code.casefold(), version)
        if other.group.code != code and code not in by_code:
            mistakes.append(
                Mistake(
                    "CODES_ALIKE",
                    f"'{code}' differs from '{other.group.code}' on line {other.at_code.line} only in case.",
                    version.at_code,
                    "Give one of them another code: values of tags are compared without regard to case.",
                )
            )
        by_code.setdefault(code, []).append(version)
    return mistakes + _attributes_alike(written) + _parents(by_code) + _loops(by_code)


def _attributes_alike(written: Sequence[Written]) -> list[Mistake]:
    """Names of attributes that differ only in case: whoever chooses recipients by one would miss the other."""
    mistakes = []
    seen: dict[str, tuple[str, Place]] = {}
    said: set[str] = set()
    for version in written:
        for name, _ in version.group.attributes:
            first, place = seen.setdefault(name.casefold(), (name, version.at_code))
            if first != name and name not in said:
                said.add(name)
                sentence = f"The attribute '{name}' differs from '{first}' on line {place.line} only in case."
                mistakes.append(Mistake("ATTRIBUTES_ALIKE", sentence, version.at_code, "Write both in one way."))
    return mistakes


def _empty(version: Written, mistakes: list[Mistake]) -> bool:
    start, end = version.group.valid_from, version.group.valid_until
    if start is None or end is None or start < end:
        return False
    sentence = f"'{version.group.code}' would end on {end}, before or on the day it begins, {start}."
    advice = "'until' is the first day on which it is no longer there."
    mistakes.append(Mistake("EMPTY_DATES", sentence, version.at_dates, advice))
    return True


def _double(version: Written, others: Sequence[Written], mistakes: list[Mistake]) -> bool:
    """Whether another version of the same code is in force at the same time; that is a mistake."""
    life = _life(version)
    for other in others:
        if not _meet(life, _life(other)):
            continue
        code, line = version.group.code, other.at_code.line
        if life == _life(other):
            sentence = f"'{code}' stands a second time; the first is on line {line}."
            advice = "Give one of them another code, or the two dates that do not meet."
            mistakes.append(Mistake("DUPLICATE_CODE", sentence, version.at_code, advice))
        else:
            sentence = (
                f"'{code}' {life_text([life])} meets the version of line {line}, which is there "
                f"{life_text([_life(other)])}."
            )
            mistakes.append(
                Mistake("OVERLAPPING_VERSIONS", sentence, version.at_dates, "End one where the other begins.")
            )
        return True
    return False


def _life(version: Written) -> Life:
    return (version.group.valid_from, version.group.valid_until)


def _meet(one: Life, other: Life) -> bool:
    def before(a: Life, b: Life) -> bool:
        return a[1] is not None and b[0] is not None and a[1] <= b[0]

    return not before(one, other) and not before(other, one)


def _parents(by_code: Versions) -> list[Mistake]:
    """Parents that do not exist, or not for as long as what is below them."""
    mistakes = []
    spans = lives(version.group for versions in by_code.values() for version in versions)
    for code, versions in by_code.items():
        by_parent: dict[str, list[Written]] = {}
        for version in versions:
            if version.group.parent is not None:
                by_parent.setdefault(version.group.parent, []).append(version)
        for parent, below in by_parent.items():
            place = below[0].at_parent
            if parent not in by_code:
                sentence = f"The parent of '{code}', '{parent}', is no cost group of this file."
                mistakes.append(Mistake("UNKNOWN_PARENT", sentence, place, suggestion(parent, by_code)))
                continue
            needed = joined(_life(version) for version in below)
            if not all(covers(spans[parent], span) for span in needed):
                mistakes.append(
                    Mistake(
                        "PARENT_NOT_IN_FORCE",
                        f"'{code}' is below '{parent}' {life_text(needed)}, but '{parent}' is in the tree only "
                        f"{life_text(spans[parent])}.",
                        place,
                        "Change the dates of one of them, or move the group with 'changes'.",
                    )
                )
    return mistakes


def _loops(by_code: Versions) -> list[Mistake]:
    """Groups that stand below themselves. A loop closes on the first day of one of its versions."""
    mistakes = []
    seen: set[frozenset[str]] = set()
    for code, versions in by_code.items():
        for version in versions:
            day = version.group.valid_from or date.min
            path = [code]
            above = version.group.parent
            while above is not None and above not in path and len(path) <= MOST_LEVELS:
                path.append(above)
                above = next((v.group.parent for v in by_code.get(above, ()) if v.group.in_force_on(day)), None)
            if len(path) > MOST_LEVELS:
                sentence = f"'{code}' stands more than {MOST_LEVELS} levels below the top."
                mistakes.append(Mistake("TOO_DEEP", sentence, version.at_parent))
                return mistakes
            if above == code and frozenset(path) not in seen:
                seen.add(frozenset(path))
                since = f" from {version.group.valid_from}" if version.group.valid_from else ""
                sentence = f"The parents run in a loop{since}: {' → '.join([*path, code])}."
                mistakes.append(Mistake("PARENT_LOOP", sentence, version.at_parent, "Give one of them another parent."))
    return mistakes
