"""The reference pages of the review and of the settings say what the program does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from apportion.invoice.paper import PaperKind
from apportion.review import diagram
from apportion.review.states import Act, Issue, Posting, Review, Situation, acts, step
from apportion.settings import Settings

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
PER_CENT = {
    *("allocated_share", "tagged_share", "quiet_change", "acceptance_rate", "share_posted", "recharge_rate"),
    *("unused_commitment", "idle_cost", "anomaly_change", "anomaly_cost"),
}


def test_the_page_is_the_table(tmp_path: Path) -> None:
    diagram.write(tmp_path)
    made, kept = (path / diagram.PAGE for path in (tmp_path, REFERENCE))
    assert made.read_text(encoding="utf-8") == kept.read_text(encoding="utf-8"), (
        "write it anew: python -m apportion.review.diagram docs/reference"
    )


def test_every_move_of_the_review_is_in_the_diagram_and_nothing_else() -> None:
    moves = set()
    for issue, review, posting, disputes, late in product(Issue, Review, Posting, (0, 1), (False, True)):
        if (issue is Issue.ISSUED) is (review is Review.NONE):
            continue  # not to be reached: only issued documents are in review
        now = Situation(PaperKind.INVOICE, issue, review, posting, disputes, late, silence_accepts=True)
        for act in acts(now):
            after = step(now, act)
            if after.review is not now.review:
                moves.add(f"{now.review} --> {after.review} : {str(act).replace('_', ' ')}")
    drawn = diagram.page().partition("## What does its recipient say?")[2].partition("##")[0]
    found = set(re.findall(r"^    (\w+ --> \w+ : [a-z ]+)$", drawn, re.MULTILINE))
    itself = {f"disputed --> disputed : {act}" for act in (Act.DISPUTE, Act.DECIDE, Act.WITHDRAW)}
    assert found - itself == moves


def keys(model: type[BaseModel], above: str = "") -> dict[str, str]:
    """Every key of a settings file with its default, as the page writes them."""
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        if inner := section(field.annotation):
            entry = "NAME." if get_origin(field.annotation) is Mapping else ""
            found |= keys(inner, f"{above}{name}.{entry}")
        elif field.is_required():
            found[above + name] = "required"
        else:
            found[above + name] = shown(name, field.get_default(call_default_factory=True))
    return found


def section(kind: Any) -> type[BaseModel] | None:
    """The section that a key holds: one, one or none, or one for each name."""
    kinds = [kind, *get_args(kind)]
    return next((each for each in kinds if isinstance(each, type) and issubclass(each, BaseModel)), None)


def shown(name: str, value: object) -> str:
    if name in PER_CENT and isinstance(value, int):
        return f"`{value // 10_000}%`"
    if isinstance(value, tuple):
        return f"`[{', '.join(str(each) for each in value)}]`" if value else "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value not in ("", None, {}) else "none"


def test_the_settings_page_names_every_key_with_its_default() -> None:
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^\| `([A-Za-z_.]+)` \| ([^|]+?) \|", text, re.MULTILINE))
    assert said == keys(Settings)


@pytest.mark.parametrize("section", ["review", "close_calendar", "readiness", "exchange", "sources", "ledger", "payer"])
def test_every_section_of_the_settings_has_its_heading(section: str) -> None:
    assert f"\n## {section}\n" in (REFERENCE / "settings.md").read_text(encoding="utf-8")
