"""NetSuite's REST: requests signed with a token, upsert by external id, problems with details, a little SuiteQL."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from apportion.post.erp.oauth import signature
from apportion.post.erp.secret import Secret
from tests.erp_server import ACCOUNTS, CENTERS, Ledger, Line, Refused, Request, Stored, amount, code_of, need

CONSUMER, TOKEN = Secret("consumer-secret"), Secret("token-secret")
_ERRORS = {
    "refused": (400, "USER_ERROR"),
    "closed": (400, "USER_ERROR"),
    "missing": (404, "NONEXISTENT_ID"),
    "denied": (401, "INVALID_LOGIN"),
}


def dialect(ledger: Ledger, request: Request) -> tuple[int, Any]:
    """One request, after its signature."""
    _signed(ledger, request)
    if request.path == "/services/rest/query/v1/suiteql":
        assert request.headers["Prefer"] == "transient"
        found = _queried(ledger, request.body["q"])
        start, most = int(request.query["offset"]), int(request.query["limit"])
        return 200, {"items": found[start : start + most], "hasMore": len(found) > start + most}
    name = request.path.removeprefix("/services/rest/record/v1/journalEntry/")
    if request.method == "DELETE":
        ledger.entries.remove(ledger.by_id(name))
        return 204, None
    assert request.method == "PUT"
    _upserted(ledger, name.removeprefix("eid:"), request.body)
    return 204, None


def wrong(refused: Refused) -> tuple[int, Any]:
    """As NetSuite says it."""
    status, code = _ERRORS[refused.kind]
    details = [{"detail": refused.said, "o:errorCode": code}]
    return status, {"type": "about:blank", "title": "x", "status": status, "o:errorDetails": details}


def _signed(ledger: Ledger, request: Request) -> None:
    said = dict(
        re.findall(
            r'(\w+)="([^"]*)"',
            request.headers["Authorization"].replace("%3D", "=").replace("%2B", "+").replace("%2F", "/"),
        )
    )
    given = said.pop("oauth_signature")
    said.pop("realm")
    if given != signature(request.method, request.url, said, CONSUMER, TOKEN):
        raise Refused("denied", "Invalid login attempt.")
    nonce = f"nonce {said['oauth_nonce']}"
    if nonce in ledger.answers:
        raise Refused("denied", "The nonce was used before.")
    ledger.answers[nonce] = nonce, 0, None


def _upserted(ledger: Ledger, key: str, body: dict[str, Any]) -> Stored:
    need(body, "subsidiary", "tranDate", "line")
    lines = []
    for row in body["line"]["items"]:
        if ("debit" in row) == ("credit" in row):
            raise Refused("refused", "You must enter a debit or a credit.")
        value = amount(row["debit"]) if "debit" in row else -amount(row["credit"])
        if abs(value) >= 10**10:
            raise Refused("refused", "An amount has at most ten digits.")
        center = code_of(CENTERS, row["department"]["id"]) if "department" in row else ""
        lines.append(Line(code_of(ACCOUNTS, row["account"]["id"]), value, center, row["memo"]))
    ledger.check(lines, body["tranDate"])
    for entry in ledger.entries:
        if entry.key == key:  # the same again changes what is there
            entry.lines, entry.day = lines, body["tranDate"]
            return entry
    return ledger.add(key, body["tranDate"], lines, posted=True, raw=body)


def _queried(ledger: Ledger, asked: str) -> list[dict[str, Any]]:
    texts, ids = re.findall(r"'([^']*)'", asked), re.findall(r"(?:id|transaction|subsidiary) = (\d+)", asked)
    if "FROM account a" in asked:
        return [{"id": str(number), "acctnumber": code} for code, number in ACCOUNTS.items() if code in texts]
    if "FROM department" in asked:
        return [{"id": str(number), "name": code} for code, number in CENTERS.items() if code in texts]
    if "FROM subsidiary" in asked:
        return [{"symbol": "EUR"}] if ids == ["1"] else []
    if "FROM transactionaccountingline" in asked:
        if "BETWEEN" in asked:
            days = [text for text in texts if re.fullmatch(r"\d{4}-\d\d-\d\d", text)]
            found = [each for each in ledger.posted_lines(*days) if each[1].account in texts]
        else:
            found = [each for each in ledger.posted_lines() if str(each[0].id) == ids[-1]]
        return [
            {
                "acctnumber": line.account, "department_name": line.center or None,
                "debit": line.amount if line.amount > 0 else None,
                "credit": Decimal(-line.amount) if line.amount < 0 else None,
            }
            for _, line in found
        ]  # fmt: skip
    entries = [each for each in ledger.entries if str(each.id) in ids or each.key in texts]
    return [
        {"id": str(each.id), "tranid": each.number, "trandate": each.day, "memo": each.raw["memo"],
         "posting": "T" if each.posted else "F", "approval": "Approved"}
        for each in entries
    ]  # fmt: skip
