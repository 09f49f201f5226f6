"""Odoo's JSON-2: bearer key, named arguments in the body, its exceptions by name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.erp_server import ACCOUNTS, CENTERS, KEY, Ledger, Line, Refused, Request, Stored, amount, need

_ERRORS = {
    "refused": (422, "odoo.exceptions.ValidationError"),
    "closed": (422, "odoo.exceptions.UserError"),
    "missing": (404, "odoo.exceptions.MissingError"),
    "denied": (401, "werkzeug.exceptions.Unauthorized"),
}
COMPANIES = [{"id": 1, "currency_id": [1, "EUR"]}]


def dialect(ledger: Ledger, request: Request) -> tuple[int, Any]:
    """One call of a method of a model."""
    if request.headers["Authorization"] != f"bearer {KEY}" or request.headers["X-Odoo-Database"] != "books":
        raise Refused("denied", "Invalid apikey")
    _, _, version, model, method = request.path.split("/")
    assert (request.method, version) == ("POST", "2")
    body = request.body
    assert body["context"]["allowed_company_ids"] == [1]
    if method == "search_read":
        return 200, _searched(ledger, model, body)
    assert model == "account.move"
    if method == "create":
        return 200, [_created(ledger, values) for values in body["vals_list"]]
    for each in body["ids"]:
        entry = ledger.by_id(each)
        if method == "action_post":
            ledger.post(entry)
        elif method == "unlink":
            ledger.remove(entry)
    return 200, True


def wrong(refused: Refused) -> tuple[int, Any]:
    """As Odoo says it."""
    status, name = _ERRORS[refused.kind]
    said = f"{refused.said}: the lock date forbids it." if refused.kind == "closed" else refused.said
    return status, {"name": name, "message": said, "arguments": [said], "context": {}, "debug": "Traceback …"}


def _created(ledger: Ledger, values: dict[str, Any]) -> int:
    need(values, "move_type", "journal_id", "date", "line_ids", "company_id")
    lines = []
    for command, _, line in values["line_ids"]:
        assert command == 0
        debit, credit = amount(line["debit"]), amount(line["credit"])
        if debit < 0 or credit < 0 or (debit and credit):
            raise Refused("refused", "Wrong credit or debit value in accounting entry!")
        centers = [key for key, share in (line.get("analytic_distribution") or {}).items() if share == 100]
        center = next((code for code, number in CENTERS.items() if [str(number)] == centers), "")
        account = next(code for code, number in ACCOUNTS.items() if number == line["account_id"])
        lines.append(Line(account, debit - credit, center, line["name"]))
    if sum(line.amount for line in lines):
        raise Refused("refused", "The entry is not balanced.")
    key = str(values.get("ref") or "")
    return ledger.add(key, values["date"], lines, posted=False, raw=values).id


def _searched(ledger: Ledger, model: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    rows: dict[str, list[dict[str, Any]]] = {
        "res.company": [
            {**each, "fiscalyear_lock_date": str(ledger.locked_on) if ledger.locked_on and ledger.told_lock else False,
             "hard_lock_date": False}
            for each in COMPANIES
        ],
        "account.journal": [{"id": 5, "code": "MISC", "company_id": 1}],
        "account.account": [
            {"id": number, "code": code, "active": True, "company_ids": 1} for code, number in ACCOUNTS.items()
        ],
        "account.analytic.account": [
            {"id": number, "code": code, "plan_id": [1, "Cost centre"], "company_id": 1}
            for code, number in CENTERS.items()
        ],
        "account.move": [_move(each) for each in ledger.entries],
        "account.move.line": [_line(entry, line) for entry in ledger.entries for line in entry.lines],
    }  # fmt: skip
    found = [
        {**row, "id": row.get("id", place)}
        for place, row in enumerate(rows[model])
        if all(_holds(row, *condition) for condition in body["domain"])
    ]
    page = found[body["offset"] : body["offset"] + body["limit"]]
    return [{"id": row["id"], **{name: row[name] for name in body["fields"]}} for row in page]


def _move(entry: Stored) -> dict[str, Any]:
    back = entry.raw.get("reversed_entry_id")
    return {
        "id": entry.id, "ref": entry.key, "state": "posted" if entry.posted else "draft", "company_id": 1,
        "name": entry.number or "/", "date": entry.day, "reversed_entry_id": [back, "x"] if back else False,
    }  # fmt: skip


def _line(entry: Stored, line: Line) -> dict[str, Any]:
    return {
        "move_id": entry.id, "account_id": [ACCOUNTS[line.account], line.account], "balance": line.amount,
        "account_id.code": line.account, "date": entry.day, "company_id": 1,
        "parent_state": "posted" if entry.posted else "draft",
        "analytic_distribution": {str(CENTERS[line.center]): Decimal("100.0")} if line.center else False,
    }  # fmt: skip


def _holds(row: dict[str, Any], name: str, operator: str, wanted: Any) -> bool:
    value = row[name]
    if operator == "=like":
        return str(value).startswith(wanted.rstrip("%"))
    if operator == "in":
        return value in wanted
    return bool(
        {"=": value == wanted, "!=": value != wanted, ">=": str(value) >= str(wanted), "<=": str(value) <= str(wanted)}[
            operator
        ]
    )
