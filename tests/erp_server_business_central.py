"""Business Central's API 2.0: OAuth tokens, journals and their lines, the bound action that posts, OData answers."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

from tests.erp_server import ACCOUNTS, CENTERS, Ledger, Line, Refused, Request, Stored, amount, need

_ERRORS = {
    "refused": (400, "Application_DialogException"),
    "closed": (400, "Application_DialogException"),
    "missing": (404, "BadRequest_ResourceNotFound"),
    "denied": (401, "Authentication_InvalidCredentials"),
}
TOKEN = "an-access-token-of-an-hour"  # noqa: S105 - of a server that lives for one test
CLIENT_SECRET = "a-client-secret-of-a-program"  # noqa: S105


def dialect(ledger: Ledger, request: Request) -> tuple[int, Any]:
    """One request to the sign-in server or the API."""
    if request.path == "/tenant/oauth2/v2.0/token":
        form = {name: values[0] for name, values in parse_qs(request.raw.decode()).items()}
        if form["grant_type"] != "client_credentials" or form["client_secret"] != CLIENT_SECRET:
            return 401, {"error": "invalid_client", "error_description": f"no {form['client_secret']}"}
        return 200, {"token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN}
    if request.headers["Authorization"] != f"Bearer {TOKEN}":
        raise Refused("denied", "The credentials provided are incorrect")
    what = request.path.removeprefix("/v2.0/tenant/production/api/v2.0/companies(company-1)/")
    assert what != request.path
    if request.method == "GET":
        found = _told(ledger, what, request.query.get("$filter", ""))
        start = int(request.query["$skip"])
        return 200, {"value": found[start : start + int(request.query["$top"])]}
    if what == "journals":
        need(request.body, "code", "displayName")
        if len(request.body["code"]) > 10 or len(request.body["displayName"]) > 50:
            raise Refused("refused", "The length of the string is too long.")
        if any(each.raw["code"] == request.body["code"] for each in ledger.entries if not each.posted):
            raise Refused("refused", "The record already exists.")
        made = ledger.add(request.body["displayName"], "", [], posted=False, raw=request.body)
        return 201, {"id": f"journal-{made.id}"}
    named = re.fullmatch(r"journals\(journal-(\d+)\)(?:/(\S+))?", what)
    assert named
    journal, rest = ledger.by_id(named[1]), named[2]
    if request.method == "DELETE":
        assert request.headers["If-Match"] == "*"
        ledger.entries.remove(journal)
        return 204, None
    if rest == "journalLines":
        return 201, _line(journal, request.body)
    assert rest == "Microsoft.NAV.post"
    _post(ledger, journal)
    return 204, None


def wrong(refused: Refused) -> tuple[int, Any]:
    """As Business Central says it."""
    status, code = _ERRORS[refused.kind]
    said = (
        "Posting Date is not within your range of allowed posting dates" if refused.kind == "closed" else refused.said
    )
    return status, {"error": {"code": code, "message": f"{said}.  CorrelationId:  x."}}


def _line(journal: Stored, body: dict[str, Any]) -> dict[str, Any]:
    need(body, "accountNumber", "postingDate", "amount")
    lengths = {"accountNumber": 20, "documentNumber": 20, "externalDocumentNumber": 35, "description": 100}
    if any(len(body[name]) > most for name, most in lengths.items()):
        raise Refused("refused", "The length of the string is too long.")
    if body["accountNumber"] not in ACCOUNTS:
        raise Refused("refused", f"The G/L Account {body['accountNumber']} does not exist.")
    dimensions = body.get("dimensionSetLines") or []
    if any(each["code"] != "COSTCENTER" or each["valueCode"] not in CENTERS for each in dimensions):
        raise Refused("refused", "The dimension value does not exist.")
    center = dimensions[0]["valueCode"] if dimensions else ""
    journal.day = body["postingDate"]
    journal.raw["number"] = body["documentNumber"]
    journal.lines.append(Line(body["accountNumber"], amount(body["amount"]), center, body["description"]))
    return {"id": f"line-{len(journal.lines)}"}


def _post(ledger: Ledger, journal: Stored) -> None:
    """The lines become ledger entries; the journal stays, empty."""
    ledger.check(journal.lines, journal.day)
    ledger.add(
        journal.raw["number"], journal.day, journal.lines, posted=True, raw={"code": "", "first": ledger.counter}
    )
    journal.lines = []


def _told(ledger: Ledger, what: str, condition: str) -> list[dict[str, Any]]:
    texts = re.findall(r"'([^']*)'", condition)
    if what == "companyInformation":
        return [{"currencyCode": "EUR"}]
    if what == "accounts":
        return [{"id": f"a-{number}", "number": code} for code, number in ACCOUNTS.items()]
    if what == "dimensions":
        return [{"id": "d-1", "code": "COSTCENTER"}]
    if what == "dimensions(d-1)/dimensionValues":
        return [{"id": f"v-{number}", "code": code} for code, number in CENTERS.items()]
    if what == "journals":
        drafts = [each for each in ledger.entries if not each.posted]
        return [{"id": f"journal-{each.id}"} for each in drafts if each.key.startswith(texts[0])]
    if what == "generalLedgerEntries":
        lines = enumerate(ledger.posted_lines(), 1)
        found = [_entry(number, entry, line) for number, (entry, line) in lines]
        if "documentNumber eq" in condition:
            return [each for each in found if each["documentNumber"] == texts[0]]
        since, until = re.findall(r"\d{4}-\d\d-\d\d", condition)
        return [each for each in found if since <= each["postingDate"] <= until and each["accountNumber"] in texts]
    (number,) = re.fullmatch(r"journals\(journal-(\d+)\)/journalLines", what).groups()  # type: ignore[union-attr]
    journal = ledger.by_id(number)
    return [
        {
            "accountNumber": line.account, "amount": line.amount, "postingDate": journal.day,
            "dimensionSetLines": _dimensions(line),
        }
        for line in journal.lines
    ]  # fmt: skip


def _entry(number: int, entry: Stored, line: Line) -> dict[str, Any]:
    return {
        "entryNumber": number, "documentNumber": entry.key, "accountNumber": line.account, "postingDate": entry.day,
        "debitAmount": max(line.amount, Decimal(0)), "creditAmount": max(-line.amount, Decimal(0)),
        "dimensionSetLines": _dimensions(line),
    }  # fmt: skip


def _dimensions(line: Line) -> list[dict[str, str]]:
    return [{"code": "COSTCENTER", "valueCode": line.center}] if line.center else []
