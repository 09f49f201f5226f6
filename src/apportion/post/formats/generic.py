"""The targets that keep everything by themselves: plain CSV and JSON, and the texts of two other ledgers."""

from __future__ import annotations

from collections.abc import Mapping

from apportion.errors import BadValueError
from apportion.post.control import control_text
from apportion.post.formats import beancount, csv_text, hledger, json_text
from apportion.post.formats.csv_text import MachineFile
from apportion.post.formats.reading import refusing
from apportion.post.formats.tables import damage_as_value_errors
from apportion.post.formats.target import Rendered
from apportion.post.journal import Journal

_TEXTS = {"json": json_text, "hledger": hledger, "beancount": beancount}
NAMES = ("csv", *_TEXTS)


def render(name: str, journal: Journal) -> Rendered:
    """The files and their control file. Raises as the renderer of the format does."""
    control = f"journal-{journal.period}.control.json"
    if name == "csv":
        machine = csv_text.render(journal)
        lines, statistical = csv_text.file_names(journal.period)
        texts = {lines: machine.lines, statistical: machine.statistical, control: machine.control}
        return Rendered({file: text.encode("utf-8") for file, text in texts.items() if text}, control)
    files = {f"journal-{journal.period}.{name}": _TEXTS[name].render(journal).encode("utf-8")}
    return Rendered({**files, control: control_text(journal, files).encode("utf-8")}, control)


def parse(name: str, files: Mapping[str, bytes]) -> Journal:
    """The journal that `render` was given. Raises `BadValueError` for other files."""
    with refusing(f"a journal as {name}"), damage_as_value_errors():
        texts = {file: content.decode("utf-8") for file, content in files.items()}
        control = next(text for file, text in texts.items() if file.endswith(".control.json"))
        if name == "csv":
            statistical = next((text for file, text in texts.items() if file.endswith(".statistical.csv")), "")
            (lines,) = (text for file, text in texts.items() if file.count(".") == 1)
            return csv_text.parse(MachineFile(lines, control, statistical))
        source = next(text for file, text in texts.items() if file.endswith(f".{name}") and text != control)
        journal: Journal = _TEXTS[name].parse(source)
    if render(name, journal).files != dict(files):
        raise BadValueError("The journal and its control file do not belong together.", advice="Write it again.")
    return journal
