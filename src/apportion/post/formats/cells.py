"""Columns of a target filled from lines and checked against its limits, and read back into fields.

Nothing is cut: what is too long, cannot be written, or would run as a formula is refused, with entry, line, column,
limit and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from apportion.errors import BadValueError, InputRefusedError, Place
from apportion.money.currency import exponent
from apportion.post.formats.lines import CHOICES, DIMENSION, JOIN, Lines
from apportion.post.formats.spelling import day_text, negated, read_day
from apportion.post.formats.target import Column, Options, Target

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
_DAY_FIELDS = {"document_on", "posting_on", "rate_on"}
_AMOUNT_FIELDS = {"amount", "local_amount"}
_SHOWN = 40


def columns(target: Target, base: Sequence[Column], options: Options, dimensions: Iterable[str]) -> tuple[Column, ...]:
    """The target's columns as asked for, with one for each dimension of the company's own where it takes them.

    Raises `InputRefusedError` for a field that lines do not have, and for two columns of one name.
    """
    wanted = dict(options.columns)
    found = []
    for column in base:
        field = wanted.pop(column.name, None)
        if field is None:
            found.append(column)
        else:
            found.append(_with_field(column, _known(field, target)))
    held = {column.field for column in found} | set(wanted.values())
    found += [Column(name, _known(field, target), number=field in _AMOUNT_FIELDS) for name, field in wanted.items()]
    if target.free:
        found += [Column(name, DIMENSION + name) for name in dimensions if DIMENSION + name not in held]
    names = [column.name for column in found]
    for name in names[len(base) :]:
        if (target.xml and not _XML_NAME.fullmatch(name)) or (target.sheet and name.startswith(_STARTS_A_FORMULA)):
            raise InputRefusedError(
                f"'{name}' cannot be the name of a column of {target.title}.",
                advice="Give the dimension a column of another name in the options (`columns`).",
            )
    if len({name.casefold() for name in names}) != len(names):
        double = next(name for name in names if [each.casefold() for each in names].count(name.casefold()) > 1)
        raise InputRefusedError(
            f"{target.title} would have two columns '{double}'.",
            advice="Give the dimension a column of another name in the options (`columns`).",
        )
    return tuple(found)


def _known(field: str, target: Target) -> str:
    if field and field not in CHOICES and not field.startswith(DIMENSION):
        raise InputRefusedError(
            f"'{field}' is not a field that a column of {target.title} can hold.",
            advice=f"Use one of {', '.join(CHOICES)}, or dimension.NAME.",
        )
    return field


def _with_field(column: Column, field: str) -> Column:
    day = column.day if field in _DAY_FIELDS else ""
    return Column(column.name, field, most=column.most, first=column.first, day=day, number=field in _AMOUNT_FIELDS)


def filled(column: Column, lines: Lines, settings: Mapping[str, str]) -> list[str]:
    """The cells of a column. Raises `BadValueError` for a day that its spelling cannot say."""
    if not column.field:
        made = lines.constant(settings[column.setting] if column.setting else column.constant)
    else:
        made = lines[column.field]
    if column.day:
        made = _mapped(made, _spelled(column, lines, settings))
    if column.words != ("", ""):
        made = [column.words[text.startswith("-")] for text in made]
    if column.empty:
        made = _with_empty(made, column, lines, settings)
    if column.zero:
        made = [text or _zero(other) for text, other in zip(made, lines["positive"], strict=True)]
    if column.number and settings.get("decimal") == ",":
        made = [text.replace(".", ",") for text in made]
    if column.where:
        made = [text if there else "" for text, there in zip(made, lines[column.where], strict=True)]
    if column.first:
        starts = {0, *accumulate(len(document.lines) for document in lines.documents)}
        made = [text if place in starts else "" for place, text in enumerate(made)]
    return made


def _mapped(texts: list[str], change: Callable[[str], str]) -> list[str]:
    known = {text: change(text) for text in set(texts)}
    return [known[text] for text in texts]


def _spelling(column: Column, settings: Mapping[str, str]) -> str:
    return settings[column.day[1:]] if column.day.startswith("@") else column.day


def _spelled(column: Column, lines: Lines, settings: Mapping[str, str]) -> Callable[[str], str]:
    spelling = _spelling(column, settings)

    def change(day: str) -> str:
        try:
            return day_text(day, spelling) if day else ""
        except ValueError as error:
            index = lines[column.field].index(day)
            raise _refused(lines, index, column.name, f"{error}", "Export it for a target with full years.") from error

    return change


def _with_empty(made: list[str], column: Column, lines: Lines, settings: Mapping[str, str]) -> list[str]:
    stands = settings[column.empty]
    if stands in made:
        raise _refused(
            lines,
            made.index(stands),
            column.name,
            f"'{stands}' is what an empty {column.name} is written as",
            f"Give the setting '{column.empty}' another value.",
        )
    return [text or stands for text in made]


def _zero(amount: str) -> str:
    return "0" + "." * ("." in amount) + "0" * len(amount.partition(".")[2])


def check(target: Target, shown: Sequence[tuple[Column, list[str]]], lines: Lines) -> None:
    """Refuse what the target cannot take. Raises `BadValueError`."""
    for column, texts in shown:
        seen = set(texts)
        if column.required and "" in seen and not column.first:
            raise _refused(
                lines, texts.index(""), column.name, f"{column.name} is empty, and {target.title} needs it",
                "Give the code in the organization file or the settings.",
            )  # fmt: skip
        for said, advice, wrong in _rules(target, column):
            bad = {text for text in seen if text and wrong(text)}
            if bad:
                index = next(place for place, text in enumerate(texts) if text in bad)
                raise _refused(lines, index, column.name, said(texts[index]), advice)
        if column.field.startswith(JOIN):
            _check_joined(column, lines)
    _check_amounts(target, lines)


def _rules(target: Target, column: Column) -> Iterator[tuple[Callable[[str], str], str, Callable[[str], bool]]]:
    """What is wrong with a text, said in words, with what to do about it."""
    most, shorten = column.most, "Shorten it at its source, or keep the field in the companion file (`companion`)."
    if most:
        yield (
            lambda text: f"'{_short(text)}' has {len(text)} characters, and {target.title} takes {most}",
            shorten,
            lambda text: len(text) > most,
        )
    if target.encoding != "utf-8":
        yield (
            lambda text: f"'{_short(text)}' cannot be written in {target.encoding}, which {target.title} reads",
            "Use other characters, or keep the field in the companion file (`companion`).",
            lambda text: not _encodable(text, target.encoding),
        )
    if target.xml or target.cells:
        yield (
            lambda text: f"{text!r} holds a character that XML cannot have",
            "Remove the character at its source.",
            lambda text: bool(_NOT_XML.search(text)),
        )
    if target.sheet and not column.number:
        yield (
            lambda text: f"'{_short(text)}' begins like a spreadsheet formula and cannot stand in a machine file",
            "Change the name or code at its source, or keep the field in the companion file (`companion`).",
            lambda text: text.startswith(_STARTS_A_FORMULA),
        )
    forbidden = target.forbidden.get(column.field, target.forbidden.get("", ""))
    if forbidden and not column.number:
        yield (
            lambda text: f"'{_short(text)}' holds one of {' '.join(forbidden)}, which {target.title} reads otherwise",
            "Change the name or code at its source, or keep the field in the companion file (`companion`).",
            lambda text: any(character in text for character in forbidden),
        )


def _check_joined(column: Column, lines: Lines) -> None:
    delimiter, *fields = column.field.split(":")[1:]
    for field in fields:
        bad = next((place for place, text in enumerate(lines[field]) if delimiter in text), None)
        if bad is not None:
            raise _refused(
                lines,
                bad,
                field,
                f"'{lines[field][bad]}' holds '{delimiter}', which divides the parts of {column.name}",
                "Choose another delimiter in the target and in the settings of the export.",
            )


def _check_amounts(target: Target, lines: Lines) -> None:
    if not target.whole and not target.digits and target.decimals < 0:
        return
    for place, text in enumerate(lines["positive"]):
        whole, _, fraction = text.partition(".")
        if target.digits and len(whole) + len(fraction) > target.digits:
            said = f"{text} has more than {target.digits} digits, and {target.title} keeps no more"
            raise _refused(lines, place, "amount", said, "Divide the amount into several lines.")
        if target.whole and len(whole) > target.whole:
            said = f"{text} has {len(whole)} digits before the point, and {target.title} takes {target.whole}"
            raise _refused(lines, place, "amount", said, "Divide the amount into several lines.")
        if 0 <= target.decimals < len(fraction):
            currency = lines["books"][place] or lines["currency"][place]
            said = f"{currency} has {exponent(currency)} decimals, and {target.title} takes {target.decimals}"
            raise _refused(lines, place, "amount", said, "Export this currency for another target.")


def _encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _refused(lines: Lines, index: int, column: str, said: str, advice: str) -> BadValueError:
    entry, number = lines.number(index)
    return BadValueError(f"Entry {entry}, line {number}: {said}.", place=Place(row=number, field=column), advice=advice)


def carried(found: Sequence[Column], options: Options) -> set[str]:
    """The fields that a reader gets back from these columns; ``signed`` stands for the amount that is booked."""
    fields = {column.field for column in found if not column.where}
    for column in found:
        if column.field.startswith(JOIN):
            fields |= set(column.field.split(":")[2:])
    for prefix, whole in (("", "signed"), ("local_", "local_amount")):
        if {f"{prefix}debit", f"{prefix}credit"} <= fields:
            fields.add(whole)
    if {"positive", "side"} <= fields:
        fields.add("signed")
    if {"local_relative", "side"} <= fields:
        fields.add("local_amount")
    if "headline" in fields:
        fields.add("entry_text")
    return fields - options.companion


def recovered(
    found: Sequence[Column],
    texts: Sequence[Sequence[str]],
    settings: Mapping[str, str],
    documents: Sequence[tuple[str, int]],
) -> dict[str, list[str]]:
    """Fields of all lines from the cells that a carrier read; `documents` are keys and numbers of lines, in order.

    Raises `ValueError` or `KeyError` for cells that `filled` would not have made.
    """
    fields: dict[str, list[str]] = {}
    for column, cells in zip(found, texts, strict=True):
        if column.field and not column.where:
            fields[column.field] = _unfilled(column, list(cells), settings, documents)
    for prefix, whole in (("", "signed"), ("local_", "local_amount")):
        if {f"{prefix}debit", f"{prefix}credit"} <= set(fields):
            fields[whole] = list(map(_one_side, fields[f"{prefix}debit"], fields[f"{prefix}credit"]))
    if {"positive", "side"} <= set(fields):
        pairs = zip(fields["positive"], fields["side"], strict=True)
        fields["signed"] = [negated(text) if side == "-1" else text for text, side in pairs]
    if {"local_relative", "side"} <= set(fields):
        pairs = zip(fields["local_relative"], fields["side"], strict=True)
        fields["local_amount"] = [negated(text) if side == "-1" else text for text, side in pairs]
    if "headline" in fields:
        keys = (key for key, count in documents for _ in range(count))
        heads = zip(fields["headline"], keys, strict=True)
        fields["entry_text"] = [text.removeprefix(key).removeprefix(" ") for text, key in heads]
    for name in [name for name in fields if name.startswith(JOIN)]:
        delimiter, *parts = name.split(":")[1:]
        split = [text.split(delimiter) for text in fields[name]]
        for place, part in enumerate(parts):
            fields[part] = [each[place] for each in split]
    return fields


def _one_side(debit: str, credit: str) -> str:
    return f"-{credit}" if credit.strip("0.") else debit or credit


def _unfilled(
    column: Column, cells: list[str], settings: Mapping[str, str], documents: Sequence[tuple[str, int]]
) -> list[str]:
    if column.first:
        starts = [0, *accumulate(count for _, count in documents)]
        counts = (count for _, count in documents)
        cells = [cells[start] for start, count in zip(starts, counts, strict=False) for _ in range(count)]
    if column.number and settings.get("decimal") == ",":
        cells = [text.replace(",", ".") for text in cells]
    if column.day:
        spelling = _spelling(column, settings)
        cells = _mapped(cells, lambda text: read_day(text, spelling) if text else "")
    if column.words != ("", "") and column.field == "side":
        cells = [("1", "-1")[column.words.index(text)] for text in cells]
    if column.empty:
        cells = ["" if text == settings[column.empty] else text for text in cells]
    return cells
