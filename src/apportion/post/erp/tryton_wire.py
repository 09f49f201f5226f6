"""How Tryton writes days, numbers, rows and refusals in its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from apportion.post.erp.calling import Answer, excerpt, minor
from apportion.post.erp.errors import TargetRubbishError
from apportion.post.erp.target import Found, Standing


def refusal_text(error: object) -> str:
    """The sentences of a refusal; the last part may be a traceback, which is nobody's business."""
    parts = error if isinstance(error, list) else [error]
    said = [str(each) for part in parts for each in (part if isinstance(part, list) else [part]) if each]
    kept = [each for each in said if not each.startswith("Traceback") and " " in each]
    return " ".join(" ".join(kept).split())[:500] or "It says not why."


def entry_found(move: Mapping[str, Any]) -> Found:
    """An entry of ours, from its head."""
    standing = Standing.POSTED if move.get("state") == "posted" else Standing.DRAFT
    return Found(str(move["id"]), standing, str(move.get("number") or ""))


def related(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The fields of a related record that were asked for with it. Raises `TargetRubbishError`."""
    found = row.get(name)
    if not isinstance(found, dict):
        raise nonsense(f"a row without {name.rstrip('.')}")
    return found


def balance_of(row: Mapping[str, Any], currency: str) -> int:
    """Debit less credit in minor units."""
    return minor(_plain(row.get("debit")), currency) - minor(_plain(row.get("credit")), currency)


def _plain(value: object) -> object:
    return value.get("decimal") if isinstance(value, dict) else value


def decimal(text: str) -> dict[str, str]:
    """A number as Tryton's JSON has it."""
    return {"__class__": "Decimal", "decimal": str(text)}


def day_sent(day: date) -> dict[str, object]:
    """A day as Tryton's JSON has it."""
    return {"__class__": "date", "year": day.year, "month": day.month, "day": day.day}


def day_told(value: object) -> date:
    """A day out of Tryton's JSON. Raises `TargetRubbishError`."""
    try:
        return date(value["year"], value["month"], value["day"])  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        raise nonsense("an entry without a date") from None


def nonsense(what: str) -> TargetRubbishError:
    """The error for an answer that makes no sense."""
    return TargetRubbishError(f"Tryton answers with {what}.", advice="Is it version 7 or 8, with the modules needed?")


def strange(answer: Answer) -> TargetRubbishError:
    """The error for an answer with another status than 200."""
    return TargetRubbishError(
        f"Tryton answers with status {answer.status}: {excerpt(answer.body)}",
        advice="Check the address and the name of the database.",
    )
