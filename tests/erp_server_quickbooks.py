"""QuickBooks Online: bearer token, requestid that replays, faults with codes, a small part of its query language."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from tests.erp_server import ACCOUNTS, CENTERS, KEY, Ledger, Line, Refused, Request, Stored, amount, code_of, need

_ERRORS = {
    "refused": (400, "ValidationFault", "6000"),
    "closed": (400, "ValidationFault", "6200"),
    "missing": (400, "ValidationFault", "610"),
    "denied": (401, "AUTHENTICATION", "3200"),
}


def dialect(ledger: Ledger, request: Request) -> tuple[int, Any]:
    """One call for a company."""
    if request.headers["Authorization"] != f"Bearer {KEY}" or not request.path.startswith("/v3/company/realm-1/"):
        raise Refused("denied", "message=AuthenticationFailed")
    what = request.path.removeprefix("/v3/company/realm-1/")
    if what == "query":
        return 200, {"QueryResponse": _queried(ledger, request.query["query"])}
    if what == "reports/TrialBalance":
        return 200, _trial(ledger, request.query["start_date"], request.query["end_date"])
    assert (request.method, what) == ("POST", "journalentry")
    key = request.query["requestid"]
    assert 0 < len(key) <= 50
    if key not in ledger.answers:
        answer = {"JournalEntry": _entry(_created(ledger, request.body)), "time": "2026-11-01"}
        ledger.answers[key] = key, 200, answer
    return 200, ledger.answers[key][2]


def wrong(refused: Refused) -> tuple[int, Any]:
    """As Intuit says it."""
    status, kind, code = _ERRORS[refused.kind]
    error = {"Message": "A business validation error has occurred", "Detail": refused.said, "code": code}
    return status, {"Fault": {"Error": [error], "type": kind}, "time": "2026-11-01"}


def _created(ledger: Ledger, body: dict[str, Any]) -> Stored:
    need(body, "Line", "TxnDate", "CurrencyRef")
    if len(body.get("DocNumber", "")) > 21:
        raise Refused("refused", "DocNumber has at most 21 characters.")
    lines = []
    for row in body["Line"]:
        need(row, "Amount", "DetailType", "JournalEntryLineDetail")
        detail = row["JournalEntryLineDetail"]
        value = amount(row["Amount"])
        if value < 0 or detail["PostingType"] not in {"Debit", "Credit"}:
            raise Refused("refused", "Amounts are positive, with a posting type.")
        center = code_of(CENTERS, detail["ClassRef"]["value"]) if "ClassRef" in detail else ""
        sign = 1 if detail["PostingType"] == "Debit" else -1
        lines.append(Line(code_of(ACCOUNTS, detail["AccountRef"]["value"]), sign * value, center, row["Description"]))
    ledger.check(lines, body["TxnDate"])
    return ledger.add(body["DocNumber"], body["TxnDate"], lines, posted=True, raw=body)


def _entry(entry: Stored) -> dict[str, Any]:
    return {
        "Id": str(entry.id), "DocNumber": entry.key, "TxnDate": entry.day, "SyncToken": "0",
        "Line": [
            {
                "Amount": abs(line.amount), "DetailType": "JournalEntryLineDetail",
                "JournalEntryLineDetail": {
                    "PostingType": "Debit" if line.amount >= 0 else "Credit",
                    "AccountRef": {"value": str(ACCOUNTS[line.account])},
                    **({"ClassRef": {"value": str(CENTERS[line.center]), "name": line.center}} if line.center else {}),
                },
            }
            for line in entry.lines
        ],
    }  # fmt: skip


def _queried(ledger: Ledger, asked: str) -> dict[str, Any]:
    found = re.fullmatch(r"SELECT \* FROM (\w+)(?: WHERE (.*))? STARTPOSITION (\d+) MAXRESULTS (\d+)", asked)
    assert found, asked
    kind, where, start, most = found.groups()
    closed = {"BookCloseDate": str(ledger.locked_on)} if ledger.locked_on and ledger.told_lock else {}
    rows: dict[str, list[dict[str, Any]]] = {
        "JournalEntry": [_entry(each) for each in ledger.entries],
        "Account": [{"Id": str(number), "AcctNum": code} for code, number in ACCOUNTS.items()],
        "Class": [{"Id": str(number), "Name": code} for code, number in CENTERS.items()],
        "Preferences": [{"CurrencyPrefs": {"HomeCurrency": {"value": "EUR"}}, "AccountingInfoPrefs": closed}],
    }
    kept = rows[kind]
    for condition in (where or "").removesuffix(" AND Active = true").split(" AND ") if where else []:
        name, values = re.fullmatch(r"(\w+) (?:=|IN) \(?(.*?)\)?", condition).groups()  # type: ignore[union-attr]
        kept = [row for row in kept if row[name] in re.findall(r"'([^']*)'", values)]
    page = kept[int(start) - 1 : int(start) - 1 + int(most)]
    return {kind: page} if page else {}


def _trial(ledger: Ledger, since: str, until: str) -> dict[str, Any]:
    sums: dict[str, Decimal] = {}
    for _, line in ledger.posted_lines(since, until):
        sums[line.account] = sums.get(line.account, Decimal(0)) + line.amount
    rows = [
        {
            "ColData": [
                {"value": f"{code} Name", "id": str(ACCOUNTS[code])},
                {"value": str(total) if total > 0 else ""},
                {"value": str(-total) if total < 0 else ""},
            ]
        }
        for code, total in sums.items()
    ]
    return {"Rows": {"Row": [*rows, {"Summary": {"ColData": []}, "type": "Section"}]}}
