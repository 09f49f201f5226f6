"""The reference pages of the command line, made from the program itself and from the published JSON Schemas.

``python -m apportion.cli.reference docs/reference`` writes them anew; a test fails where they are not current.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apportion.cli.app import command

WIDTH = 90
SCHEMAS = "json-schema"
PAGES = ("command-line.md", "json.md")

_COMMAND_LINE = """\
# The command line

Every command works in the workspace that the current directory is in: the nearest directory, going up, that holds an
`apportion.yaml`. `--workspace DIR` or the variable `APPORTION_WORKSPACE` names another. `--workspace` and `--json` are
understood before and after the name of a command.

## Output

Text goes to standard output, errors to standard error. On a terminal there is colour, unless `NO_COLOR` is set, and
long work shows how far it is: rows, bytes and the time left. In a pipe and with `--json` there is neither.
Text is as wide as the terminal, at most 120 columns; elsewhere 100, or what `COLUMNS` says. Amounts in different
currencies are never added up.

With `--json` standard output holds one JSON document and nothing else: see [JSON documents](json.md).

## Exit status

| Status | Meaning |
|---|---|
| 0 | fine |
| 1 | an input or a document was refused, or `policy check` found mistakes; nothing was changed |
| 2 | wrong usage: an unknown command or option, or an argument that cannot be read |
| 3 | the books do not agree: the tie-out fails, a sealed period came out differently, or a ledger differs |
| 4 | the surroundings do not allow it: no workspace, another process works in it, the disk is full |
| 70 | a fault of Apportion itself; please report it |
| 130 | interrupted; what was under way changed nothing |
| 141 | the reader of the output went away |

## Errors

An error is one sentence, with the place and advice where there are any:

```text
error CODE: What happened.
  place:  file:line:column
  advice: What to do about it.
```

A document with several mistakes lists them all, a line each: `file:line:column: CODE: sentence advice`.
"""

_JSON = """\
# JSON documents

With `--json` every command prints one document. Its shape is stable: within a `version`, keys are neither renamed nor
removed, and every key is always there. New keys come with a new version.

- **Amounts are decimal strings**, so that no reader takes them for binary fractions. What is called settled has the
  decimals of the currency; what is called exact has as many as it needs, up to 18. There is no sum across currencies.
- Billing periods are `YYYY-MM`, instants are UTC.
- A command that fails prints the error document instead, with the same exit status as without `--json`.
- `apportion policy schema` prints a JSON Schema, with and without `--json`.

Each shape has a JSON Schema (draft 2020-12) in [json-schema](json-schema); the tables below are made from them.
"""


def command_line_page() -> str:
    """The page of all commands, with the help that they print."""
    sections = [f"## {path}\n\n```text\n{text}\n```\n" for path, text in helps()]
    return "\n".join([_COMMAND_LINE, *sections])


def helps() -> Iterator[tuple[str, str]]:
    """Every command with the text of its help, in order."""
    top = command()
    context = top.make_context("apportion", [], resilient_parsing=True, terminal_width=WIDTH)
    yield from _helps(top, context)


def _helps(made: Any, context: Any) -> Iterator[tuple[str, str]]:
    yield context.command_path, made.get_help(context).rstrip()
    for name, below in getattr(made, "commands", {}).items():
        inner = below.make_context(name, [], parent=context, resilient_parsing=True, terminal_width=WIDTH)
        yield from _helps(below, inner)


def json_page(schemas: Path) -> str:
    """The page of all documents, from the schemas in a folder."""
    sections = []
    for path in sorted(schemas.glob("*.schema.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        title, _, about = schema["title"].partition(": ")
        heading = (
            f"## {path.name.removesuffix('.schema.json')}\n\n`{title}`: {about}. [Schema]({SCHEMAS}/{path.name})\n"
        )
        sections.append(heading + "\n" + _table(schema))
        for name, part in schema.get("$defs", {}).items():
            sections.append(f"### {name}\n\n" + _table(part))
    return "\n".join([_JSON, *sections])


def _table(schema: dict[str, Any]) -> str:
    rows = [f"| `{key}` | {form} | {about} |\n" for key, form, about in _keys(schema, "")]
    return "".join(["| Key | Form | What it holds |\n|---|---|---|\n", *rows])


def _keys(schema: dict[str, Any], above: str) -> Iterator[tuple[str, str, str]]:
    """Each key below, with the keys above it: ``files[].name``."""
    for key, part in schema.get("properties", {}).items():
        name = f"{above}{key}"
        yield name, _form(part), part.get("description", "")
        if "items" in part:
            yield from _keys(part["items"], f"{name}[].")
        else:
            yield from _keys(part, f"{name}.")


def _form(part: dict[str, Any]) -> str:
    """The form of a value in a few words."""
    if "$ref" in part:
        return str(part["$ref"]).rpartition("/")[2]
    if "anyOf" in part:
        return " or ".join(_form(each) for each in part["anyOf"])
    if "const" in part:
        return "text" if isinstance(part["const"], str) else "number"
    if "enum" in part:
        return ", ".join("null" if value is None else f"`{value}`" if value else "empty" for value in part["enum"])
    kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
    words = {"string": _text_form(part), "integer": "number", "boolean": "true or false", "array": "list"}
    if part.get("items"):
        items = part["items"]
        words["array"] = "list of objects" if items.get("type") == "object" else f"list of {_form(items)}"
    return " or ".join(str(words.get(kind, kind)) for kind in kinds)


def _text_form(part: dict[str, Any]) -> str:
    pattern = part.get("pattern", "")
    return "amount" if pattern.startswith("^-?") else "text"


def write(directory: Path) -> None:
    """Write both pages."""
    texts = (command_line_page(), json_page(directory / SCHEMAS))
    for name, text in zip(PAGES, texts, strict=True):
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
