"""Xero's accounting API: bearer token and tenant, Idempotency-Key that replays, validation errors by element."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from typing import Any

from tests.erp_server import ACCOUNTS, CENTERS, KEY, Ledger, Line, Refused, Request, Stored, amount, need

_ERRORS = {"refused": 400, "closed": 400, "missing": 404, "denied": 401}


def dialect(ledger: Ledger, request: Request) -> tuple[int, Any]:
    """One resource."""
    if request.headers["Authorization"] != f"Bearer {KEY}" or request.headers["xero-tenant-id"] != "tenant-1":
        raise Refused("denied", "AuthenticationUnsuccessful")
    what = request.path.removeprefix("/api.xro/2.0/")
    if request.method == "GET":
        return 200, _told(ledger, what, request)
    assert what == "ManualJournals"
    key = request.headers["Idempotency-Key"]
    assert 0 < len(key) <= 128
    digest = hashlib.sha256(request.raw).hexdigest()
    if key in ledger.answers:
        before, status, answer = ledger.answers[key]
        if before != digest:
            raise Refused("refused", "Idempotency-Key was used with another request.")
        return status, answer
    (body,) = request.body["ManualJournals"]
    if request.method == "PUT":
        entry = _created(ledger, body)
    else:
        entry = ledger.by_id(body["ManualJournalID"].rpartition("-")[2])
        if body["Status"] == "POSTED":
            ledger.post(entry)
        elif body["Status"] == "DELETED":
            ledger.remove(entry)
    answer = {"Status": "OK", "ManualJournals": [_journal(entry)]}
    ledger.answers[key] = digest, 200, answer
    return 200, answer


def wrong(refused: Refused) -> tuple[int, Any]:
    """As Xero says it."""
    said = f"{refused.said}: before the period lock date" if refused.kind == "closed" else refused.said
    if refused.kind in {"denied", "missing"}:
        return _ERRORS[refused.kind], {"Title": "Unauthorized", "Detail": said}
    return 400, {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [{"ValidationErrors": [{"Message": said}]}],
    }


def _created(ledger: Ledger, body: dict[str, Any]) -> Stored:
    need(body, "Narration", "JournalLines")
    lines = []
    for row in body["JournalLines"]:
        tracking = row.get("Tracking") or []
        if len(tracking) > 2 or any(each["Name"] != "Cost centre" for each in tracking):
            raise Refused("refused", "Tracking category could not be found")
        center = tracking[0]["Option"] if tracking else ""
        lines.append(Line(row["AccountCode"], amount(row["LineAmount"]), center, row["Description"]))
    ledger.check(lines, body["Date"])
    return ledger.add(body["Narration"], body["Date"], lines, posted=body.get("Status") == "POSTED", raw=body)


def _journal(entry: Stored) -> dict[str, Any]:
    return {
        "ManualJournalID": f"c4f29c22-28c2-4a13-9eab-{entry.id}",
        "Narration": entry.key,
        "Date": entry.day + "T00:00:00",
        "Status": "POSTED" if entry.posted else "DRAFT",
        "JournalLines": [
            {
                "AccountCode": line.account,
                "LineAmount": line.amount,
                "Tracking": [{"Name": "Cost centre", "Option": line.center}] if line.center else [],
            }
            for line in entry.lines
        ],
    }


def _told(ledger: Ledger, what: str, request: Request) -> dict[str, Any]:
    kind, _, name = what.partition("/")
    if kind == "ManualJournals":
        if name:
            return {kind: [_journal(ledger.by_id(name.rpartition("-")[2]))]}
        found = re.fullmatch(r'Narration\.StartsWith\("(\w+) "\)', request.query["where"])
        assert found
        return {kind: [_journal(each) for each in ledger.entries if each.key.startswith(f"{found[1]} ")]}
    if kind == "Accounts":
        return {kind: [{"Code": code, "AccountID": f"a-{number}"} for code, number in ACCOUNTS.items()]}
    if kind == "TrackingCategories":
        options = [
            {"Name": code, "TrackingOptionID": f"o-{number}", "Status": "ACTIVE"} for code, number in CENTERS.items()
        ]
        return {kind: [{"Name": "Cost centre", "Options": options}]}
    if kind == "Organisation":
        lock = (
            f"/Date({(ledger.locked_on.toordinal() - 719163) * 86400000}+0000)/"
            if ledger.locked_on and ledger.told_lock
            else None
        )
        return {"Organisations": [{"BaseCurrency": "EUR", "PeriodLockDate": lock}]}
    assert what == "Reports/TrialBalance"
    sums: dict[str, Decimal] = {}
    for _, line in ledger.posted_lines("2026-01-01", request.query["date"]):
        sums[line.account] = sums.get(line.account, Decimal(0)) + line.amount
    rows = [
        {
            "RowType": "Row",
            "Cells": [{"Value": f"Name ({code})"}, *({"Value": each} for each in ("", "", *_sides(total)))],
        }
        for code, total in sums.items()
    ]
    return {"Reports": [{"Rows": [{"RowType": "Header", "Cells": []}, {"RowType": "Section", "Rows": rows}]}]}


def _sides(total: Decimal) -> tuple[str, str]:
    return (str(total), "") if total >= 0 else ("", str(-total))
