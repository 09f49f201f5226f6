"""Frappe's REST for ERPNext: token of key and secret, lists with filters, exceptions by class and nested messages."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from tests.erp_server import ACCOUNTS, CENTERS, KEY, Ledger, Line, Refused, Request, Stored, amount, need

COMPANY = "Nimbus GmbH"
_ERRORS = {
    "refused": (417, "ValidationError"),
    "closed": (417, "ClosedAccountingPeriod"),
    "missing": (404, "DoesNotExistError"),
    "denied": (401, "AuthenticationError"),
}


def dialect(ledger: Ledger, request: Request) -> tuple[int, Any]:
    """One document or list."""
    if request.headers["Authorization"] != f"token {KEY}":
        raise Refused("denied", "Not permitted")
    kind, _, name = request.path.removeprefix("/api/resource/").partition("/")
    if request.method == "GET":
        if not name:
            return 200, {"data": _listed(ledger, kind, request)}
        if kind == "Company":
            return 200, {"data": {"name": name, "default_currency": "EUR"}}
        return 200, {"data": _entry(_named(ledger, name))}
    assert kind == "Journal Entry"
    if request.method == "POST":
        return 200, {"data": _entry(_created(ledger, request.body))}
    entry = _named(ledger, name)
    if request.method == "DELETE":
        ledger.remove(entry)
        return 202, {"data": "ok"}
    assert request.body == {"docstatus": 1}
    ledger.post(entry)
    return 200, {"data": _entry(entry)}


def wrong(refused: Refused) -> tuple[int, Any]:
    """As Frappe says it."""
    status, name = _ERRORS[refused.kind]
    messages = json.dumps([json.dumps({"message": refused.said, "indicator": "red"})])
    return status, {"exception": f"erpnext.exceptions.{name}: x", "exc_type": name, "_server_messages": messages}


def _name(entry: Stored) -> str:
    return f"ACC-JV-2026-{entry.id:05d}"


def _named(ledger: Ledger, name: str) -> Stored:
    return ledger.by_id(int(name.rpartition("-")[2]))


def _created(ledger: Ledger, body: dict[str, Any]) -> Stored:
    need(body, "company", "posting_date", "accounts", "voucher_type")
    if body.get("cheque_no") and not body.get("cheque_date"):
        raise Refused("refused", "Reference Date is required if you entered Reference No")
    lines = []
    for row in body["accounts"]:
        debit, credit = amount(row["debit_in_account_currency"]), amount(row["credit_in_account_currency"])
        if not debit and not credit:
            raise Refused("refused", "Both Debit and Credit values cannot be zero")
        lines.append(
            Line(row["account"][:6], debit - credit, str(row.get("cost_center") or "")[:4], row["user_remark"])
        )
    ledger.check(lines, "9999-12-31")
    return ledger.add(body.get("cheque_no", ""), body["posting_date"], lines, posted=False, raw=body)


def _entry(entry: Stored) -> dict[str, Any]:
    return {
        "name": _name(entry), "docstatus": int(entry.posted), "posting_date": entry.day, "cheque_no": entry.key,
        "company": COMPANY, "reversal_of": entry.raw.get("reversal_of"),
        "accounts": [
            {
                "account": f"{line.account} - N", "cost_center": f"{line.center} - N" if line.center else None,
                "debit_in_account_currency": max(line.amount, Decimal(0)),
                "credit_in_account_currency": max(-line.amount, Decimal(0)),
            }
            for line in entry.lines
        ],
    }  # fmt: skip


def _listed(ledger: Ledger, kind: str, request: Request) -> list[dict[str, Any]]:
    rows: dict[str, list[dict[str, Any]]] = {
        "Journal Entry": [_entry(each) for each in ledger.entries],
        "Account": [
            {"name": f"{code} - N", "account_number": code, "company": COMPANY, "is_group": 0, "disabled": 0}
            for code in ACCOUNTS
        ],
        "Cost Center": [
            {"name": f"{code} - N", "cost_center_number": code, "company": COMPANY, "is_group": 0, "disabled": 0}
            for code in CENTERS
        ],
        "GL Entry": [
            {
                "voucher_no": _name(entry), "account": f"{line.account} - N", "posting_date": entry.day,
                "is_cancelled": 0, "company": COMPANY, "cost_center": f"{line.center} - N" if line.center else None,
                "debit": max(line.amount, Decimal(0)), "credit": max(-line.amount, Decimal(0)),
            }
            for entry, line in ledger.posted_lines()
        ],
    }  # fmt: skip
    filters = json.loads(request.query["filters"])
    found = [row for row in rows[kind] if all(_holds(row[name], operator, value) for name, operator, value in filters)]
    start = int(request.query["limit_start"])
    names = json.loads(request.query["fields"])
    page = found[start : start + int(request.query["limit_page_length"])]
    return [{name: row[name] for name in names} for row in page]


def _holds(value: Any, operator: str, wanted: Any) -> bool:
    if operator == "in":
        return value in wanted
    return bool({"=": value == wanted, "<": value < wanted, ">=": value >= wanted, "<=": value <= wanted}[operator]
                if not isinstance(wanted, str) or operator != "<" else False)  # fmt: skip
