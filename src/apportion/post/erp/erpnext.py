"""ERPNext 14 or newer over Frappe's REST interface: `Journal Entry`, its key as the reference number (``cheque_no``).

It has no idempotency of its own. A submitted entry has its lines in `GL Entry`, and they are what is read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from apportion.post.erp import connected
from apportion.post.erp.calling import minor
from apportion.post.erp.document import Document, DocumentLine, Spot, add, without_zeros
from apportion.post.erp.reading import careful, iso_day, row_of, rows_of, rubbish
from apportion.post.erp.rest import Books, Kind, Rest, accounts_of, codes_of
from apportion.post.erp.target import Balance, Found, Holding, Link, Standing

_PAGE = 500
_ENTRY = "/api/resource/Journal%20Entry"


@careful
@dataclass(frozen=True)
class ErpNextTarget(Rest):
    """One site. `companies` of the set-up are names of companies there; the key is ``key:secret`` of a user.

    An axis is the field of a line that a code goes to: ``cost_center`` is looked up by its number there, any other is
    an accounting dimension whose documents are named by the code.
    """

    title = "ERPNext"

    def find(self, company: str, key: str) -> tuple[Found, ...]:
        """See `Target`. Cancelled entries are none."""
        filters = [["cheque_no", "=", key], ["company", "=", self.setup.theirs(company)], ["docstatus", "<", 2]]
        rows = self._list("Journal Entry", filters, ["name", "docstatus"])
        return tuple(_found(row) for row in rows)

    def create(self, document: Document, key: str, reverses: Link | None) -> Found:
        """See `Target`."""
        books = self.books(document)
        entry: dict[str, object] = {
            "voucher_type": "Journal Entry",
            "company": self.setup.theirs(document.company),
            "posting_date": document.posting_on.isoformat(),
            "cheque_no": key,
            "cheque_date": document.document_on.isoformat(),
            "user_remark": f"{document.text} ({document.entry})",
            "accounts": [self._line(document, line, books) for line in document.lines],
        }
        if reverses is not None:
            entry["reversal_of"] = reverses.reference
        return _found(self._data(self.ask("POST", _ENTRY, document=document, body=entry)))

    def post(self, company: str, reference: str) -> None:
        """See `Target`."""
        self.ask("PUT", f"{_ENTRY}/{quote(reference, safe='')}", body={"docstatus": 1})

    def read(self, company: str, reference: str) -> Holding:
        """See `Target`: the lines of a draft, the ledger's own of an entry that is submitted."""
        entry = self._data(self.ask("GET", f"{_ENTRY}/{quote(reference, safe='')}"))
        found = _found(entry)
        if found.standing is Standing.POSTED:
            filters = [["voucher_no", "=", reference], ["is_cancelled", "=", 0]]
            lines = self._list("GL Entry", filters, ["account", "debit", "credit", *self.setup.axes.values()])
        else:
            lines = rows_of(entry.get("accounts"), self.title)
        day = iso_day(entry.get("posting_date"), self.title)
        sums = self._sums(lines, company)
        back = str(entry.get("reversal_of") or "")
        return Holding(found.reference, found.standing, found.number, day, without_zeros(sums), reverses=back)

    def discard(self, company: str, reference: str) -> None:
        """See `Target`."""
        if self._list("Journal Entry", [["name", "=", reference]], ["name", "docstatus"]):
            self.ask("DELETE", f"{_ENTRY}/{quote(reference, safe='')}")

    def trial_balance(self, company: str, since: date, until: date, accounts: Iterable[str]) -> tuple[Balance, ...]:
        """See `Target`."""
        names = self._accounts(company, sorted(set(accounts)))
        filters = [
            ["company", "=", self.setup.theirs(company)],
            ["posting_date", ">=", since.isoformat()],
            ["posting_date", "<=", until.isoformat()],
            ["is_cancelled", "=", 0],
            ["account", "in", sorted(names.values())],
        ]
        lines = self._list("GL Entry", filters, ["account", "debit", "credit", *self.setup.axes.values()])
        sums: dict[tuple[str, str], int] = {}
        for (account, codes), amount in self._sums(lines, company).items():
            place = (account, dict(codes).get("cost_center", ""))
            sums[place] = sums.get(place, 0) + amount
        return tuple(Balance(*place, amount) for place, amount in sorted(sums.items()))

    def books(self, document: Document) -> Books:
        """See `Rest`. The day up to which accounts are frozen is the ledger's to refuse."""
        company = document.company
        codes: dict[str, dict[str, str]] = {}
        for axis, wanted in codes_of(document, self.setup).items():
            codes[axis] = self._centers(company) if axis == "cost_center" else {code: code for code in wanted}
        return Books(self._currency(company), self._accounts(company, accounts_of(document)), codes)

    def kind(self, status: int, told: Mapping[str, Any]) -> tuple[Kind, str]:
        """See `Rest`: the class of the exception, and messages that are JSON in JSON."""
        name = str(told.get("exc_type") or str(told.get("exception") or "").partition(":")[0].rpartition(".")[2])
        said = _messages(told) or str(told.get("exception") or "")
        if name in {"QueryDeadlockError", "TimestampMismatchError", "QueryTimeoutError", "DocumentLockedError"}:
            return Kind.BUSY, said or name
        if name in {"PermissionError", "AuthenticationError"}:
            return Kind.DENIED, said or name
        if status == 404 or name in {"DoesNotExistError", "LinkExistsError"}:
            return Kind.MISSING, said
        if name in {"ClosedAccountingPeriod", "FiscalYearError", "PeriodClosedError"} or "closed" in said.lower():
            return Kind.CLOSED, said
        return (Kind.REFUSED if name else Kind.FAILED), said

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        """See `Rest`."""
        return {"Authorization": f"token {self.key.text}"}

    def _line(self, document: Document, line: DocumentLine, books: Books) -> dict[str, object]:
        debit, credit = connected.side(line.amount_minor, document.currency)
        return {
            "account": books.accounts[line.account],
            "debit_in_account_currency": debit,
            "credit_in_account_currency": credit,
            "user_remark": line.text,
            **{axis: books.codes[axis][code] for axis, code in self.setup.codes(line).items()},
        }

    def _sums(self, lines: list[Mapping[str, Any]], company: str) -> dict[Spot, int]:
        names = {str(line["account"]) for line in lines}
        filters = [["name", "in", sorted(names)]]
        rows = self._list("Account", filters, ["name", "account_number"]) if names else []
        accounts = {str(row["name"]): str(row["account_number"]) for row in rows}
        centers = {name: code for code, name in self._centers(company).items()}
        currency = self._currency(company)
        sums: dict[Spot, int] = {}
        for line in lines:
            kept = [
                (self.setup.ours(axis), centers.get(value, value) if axis == "cost_center" else value)
                for axis in self.setup.axes.values()
                if (value := str(line.get(axis) or ""))
            ]
            debit, credit = (
                line.get(f"{side}_in_account_currency", line.get(side, 0)) or 0 for side in ("debit", "credit")
            )
            amount = minor(debit, currency) - minor(credit, currency)
            add(sums, (accounts[str(line["account"])], tuple(sorted(kept))), amount)
        return sums

    def _accounts(self, company: str, wanted: list[str]) -> dict[str, str]:
        filters = [
            ["account_number", "in", wanted],
            ["company", "=", self.setup.theirs(company)],
            ["is_group", "=", 0],
            ["disabled", "=", 0],
        ]
        rows = self._list("Account", filters, ["name", "account_number"])
        return {str(row["account_number"]): str(row["name"]) for row in rows}

    def _centers(self, company: str) -> dict[str, str]:
        key = f"centers {company}"
        if key not in self._known:
            own = [["company", "=", self.setup.theirs(company)], ["is_group", "=", 0], ["disabled", "=", 0]]
            rows = self._list("Cost Center", own, ["name", "cost_center_number"])
            self._known[key] = {str(row["cost_center_number"]): str(row["name"]) for row in rows}
        found: dict[str, str] = self._known[key]
        return found

    def _currency(self, company: str) -> str:
        key = f"currency {company}"
        if key not in self._known:
            name = quote(self.setup.theirs(company), safe="")
            self._known[key] = str(self._data(self.ask("GET", f"/api/resource/Company/{name}"))["default_currency"])
        return str(self._known[key])

    def _list(self, kind: str, filters: list[Any], names: list[str]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        while True:
            query = {
                "filters": json.dumps(filters),
                "fields": json.dumps(names),
                "limit_start": str(len(found)),
                "limit_page_length": str(_PAGE),
                "order_by": "creation asc",
            }
            told = row_of(self.ask("GET", f"/api/resource/{quote(kind)}", query=query), self.title)
            page = rows_of(told.get("data"), self.title)
            found += page
            if len(page) < _PAGE:
                return found

    def _data(self, told: object) -> Mapping[str, Any]:
        return row_of(row_of(told, self.title).get("data"), self.title)


def _messages(told: Mapping[str, Any]) -> str:
    try:
        found = [json.loads(each) for each in json.loads(str(told.get("_server_messages") or "[]"))]
        return " ".join(str(each["message"]) for each in found)
    except (ValueError, TypeError, KeyError):
        return ""


def _found(row: Mapping[str, Any]) -> Found:
    if row.get("docstatus") not in {0, 1}:
        raise rubbish("ERPNext", "an entry that is neither draft nor submitted")
    is_posted, name = row["docstatus"] == 1, str(row["name"])
    return Found(name, Standing.POSTED if is_posted else Standing.DRAFT, name if is_posted else "")
