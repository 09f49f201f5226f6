"""The forms of pages, as a browser would fill them: read from the HTML, for tests that then tamper with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """Where it goes, its fields with what would be sent, and the names of those that take files."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self, address: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._address, self._select = address, ""
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attributes}
        name = said.get("name", "")
        if tag == "form":
            action = (said.get("action") or self._address).partition("#")[0]
            self._form = Form(action, said.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif tag == "option":
            if self._select and ("selected" in said or not self._form.fields.get(self._select)):
                self._form.fields[self._select] = said.get("value", "")
        elif not name or name == "csrfmiddlewaretoken":
            return
        elif said.get("type") == "file":
            self._form.files.append(name)
        elif tag in {"input", "button"}:
            self._form.fields.setdefault(name, said.get("value", ""))
        elif tag == "textarea":
            self._form.fields.setdefault(name, "Some words.")
        elif tag == "select":
            self._select = name
            self._form.fields.setdefault(name, "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""


def forms_of(html: str, address: str) -> list[Form]:
    """Every form of the page at `address`."""
    reader = _Reader(address)
    reader.feed(html)
    return reader.forms
