"""What every section of the settings is made of."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from apportion.money.currency import CODES
from apportion.yamlfile import Text, refuse


class Section(BaseModel):
    """A part of the file; a key that is not in it is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def check_currency(code: str) -> str:
    """A currency by its ISO 4217 code; an empty text is none."""
    if code and code not in CODES:
        raise refuse("BAD_CURRENCY", f"'{code}' is not an ISO 4217 currency.", "Use a code such as USD, EUR or JPY.")
    return code


def check_filled(text: str) -> str:
    """A text that says something."""
    if not text.strip():
        raise refuse("NO_VALUE", "The text is empty.")
    return text


def check_inside(name: str) -> str:
    """A file of the workspace: what a run depends on is copied with it, so that outside there is no place for it."""
    if not name.isprintable():
        raise refuse("BAD_FILE", "The name of the file holds a sign that cannot be shown.", "Write it without.")
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise refuse("BAD_FILE", f"'{name}' is not in the workspace.", "Bring the file there, and name it from there.")
    return name


Filled = Annotated[Text, AfterValidator(check_filled)]
Currency = Annotated[Filled, AfterValidator(check_currency)]
Inside = Annotated[Filled, AfterValidator(check_inside)]
