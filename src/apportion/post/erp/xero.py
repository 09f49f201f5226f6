"""Xero over its accounting API: `ManualJournals`, made as drafts with our key as ``Idempotency-Key``, then posted.

Its key holds for some time only, so an entry is looked up by its narration before it is made all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from apportion.post.erp import connected
from apportion.post.erp.calling import minor
from apportion.post.erp.document import Document, DocumentLine, Spot, add, without_zeros
from apportion.post.erp.errors import UnknownReferenceError
from apportion.post.erp.oauth import ClientCredentials
from apportion.post.erp.reading import careful, iso_day, row_of, rows_of, rubbish
from apportion.post.erp.rest import Books, Kind, Rest
from apportion.post.erp.secret import Secret
from apportion.post.erp.target import Balance, Found, Holding, Link, Standing

_BASE = "/api.xro/2.0"
_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_CODE = re.compile(r"\(([^()]+)\)\s*$")


@careful
@dataclass(frozen=True)
class XeroTarget(Rest):
    """One organisation. `companies` of the set-up are tenant ids; `axes` name tracking categories, at most two.

    Manual journals are in the organisation's own currency and have no number of their own: the id stands for it. With
    `tokens` access tokens are fetched; without them `key` is one.
    """

    tokens: ClientCredentials | None = None

    title = "Xero"
    text_most = 4000

    def find(self, company: str, key: str) -> tuple[Found, ...]:
        """See `Target`. Deleted and voided journals are none."""
        query = {"where": f'Narration.StartsWith("{key} ")', "order": "UpdatedDateUTC ASC"}
        rows = self._rows(company, "ManualJournals", query)
        return tuple(_found(row) for row in rows if row.get("Status") in {"DRAFT", "POSTED"})

    def create(self, document: Document, key: str, reverses: Link | None) -> Found:
        """See `Target`."""
        said = f"{document.text} ({document.entry})" + (f", reverses {reverses.number}" if reverses else "")
        body = {
            "Narration": connected.keyed(key, said, 4000),
            "Date": document.posting_on.isoformat(),
            "Status": "DRAFT",
            "LineAmountTypes": "NoTax",
            "JournalLines": [self._line(document, line) for line in document.lines],
        }
        return _found(self._journal("PUT", document.company, body, key, document))

    def post(self, company: str, reference: str) -> None:
        """See `Target`: a change of its status, under a key of its own."""
        body = {"ManualJournalID": reference, "Status": "POSTED"}
        self._journal("POST", company, body, f"post-{reference}", None)

    def read(self, company: str, reference: str) -> Holding:
        """See `Target`."""
        rows = self._rows(company, f"ManualJournals/{reference}", {})
        if not rows or rows[0].get("Status") not in {"DRAFT", "POSTED"}:
            raise UnknownReferenceError(f"{self.name} has no entry {reference}.", advice="Push the journal again.")
        found, currency = _found(rows[0]), self._currency(company)
        sums: dict[Spot, int] = {}
        for line in rows_of(rows[0].get("JournalLines"), self.title):
            kept = [(self.setup.ours(str(each["Name"])), str(each["Option"])) for each in line.get("Tracking") or []]
            add(sums, (str(line["AccountCode"]), tuple(sorted(kept))), minor(line["LineAmount"], currency))
        return Holding(found.reference, found.standing, found.number, _day(rows[0].get("Date")), without_zeros(sums))

    def discard(self, company: str, reference: str) -> None:
        """See `Target`: a draft is deleted by its status."""
        rows = self._rows(company, f"ManualJournals/{reference}", {})
        if rows and rows[0].get("Status") in {"DRAFT", "POSTED"}:
            body = {"ManualJournalID": reference, "Status": "DELETED"}
            self._journal("POST", company, body, f"delete-{reference}", None)

    def trial_balance(self, company: str, since: date, until: date, accounts: Iterable[str]) -> tuple[Balance, ...]:
        """See `Target`: by account alone, as the difference of two reports within one fiscal year."""
        wanted = frozenset(accounts)
        found = {account: amount for account, amount in self._to_date(company, until).items() if account in wanted}
        for account, amount in self._to_date(company, since - timedelta(days=1)).items():
            if account in wanted:
                found[account] = found.get(account, 0) - amount
        return tuple(Balance(account, "", amount) for account, amount in sorted(found.items()))

    def books(self, document: Document) -> Books:
        """See `Rest`."""
        company = document.company
        rows = self._rows(company, "Accounts", {"where": 'Status=="ACTIVE"'})
        accounts = {str(row["Code"]): str(row["AccountID"]) for row in rows if row.get("Code")}
        codes = {
            str(row["Name"]): {
                str(option["Name"]): str(option["TrackingOptionID"])
                for option in rows_of(row.get("Options"), self.title)
                if option.get("Status", "ACTIVE") == "ACTIVE"
            }
            for row in self._rows(company, "TrackingCategories", {})
        }
        organisation = self._organisation(company)
        locks = [organisation.get(name) for name in ("PeriodLockDate", "EndOfYearLockDate")]
        days = [_day(lock) for lock in locks if lock]
        return Books(self._currency(company), accounts, codes, max(days, default=None))

    def kind(self, status: int, told: Mapping[str, Any]) -> tuple[Kind, str]:
        """See `Rest`: validation errors are told for each element."""
        elements = rows_of(told.get("Elements") or [], self.title)
        errors = [error for each in elements for error in rows_of(each.get("ValidationErrors") or [], self.title)]
        said = " ".join(str(error.get("Message") or "") for error in errors)
        said = said or str(told.get("Detail") or told.get("Message") or "")
        if status == 404:
            return Kind.MISSING, said
        if "lock date" in said.lower():
            return Kind.CLOSED, said
        return (Kind.REFUSED if status < 500 and said else Kind.FAILED), said

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        """See `Rest`."""
        token = self.tokens.token() if self.tokens else self.key
        return {"Authorization": f"Bearer {token.text}"}

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """See `Rest`."""
        return (self.key, *self.tokens.secrets()) if self.tokens else (self.key,)

    def _line(self, document: Document, line: DocumentLine) -> dict[str, object]:
        tracking = [{"Name": axis, "Option": code} for axis, code in sorted(self.setup.codes(line).items())]
        return {
            "LineAmount": connected.signed(line.amount_minor, document.currency),
            "AccountCode": line.account,
            "Description": line.text,
            **({"Tracking": tracking} if tracking else {}),
        }

    def _journal(
        self, method: str, company: str, body: Mapping[str, object], key: str, document: Document | None
    ) -> Mapping[str, Any]:
        headers = {"xero-tenant-id": self.setup.theirs(company), "Idempotency-Key": key}
        path = f"{_BASE}/ManualJournals"
        told = row_of(
            self.ask(method, path, document=document, body={"ManualJournals": [body]}, headers=headers), "Xero"
        )
        rows = rows_of(told.get("ManualJournals"), self.title)
        if len(rows) != 1:
            raise rubbish(self.title, f"{len(rows)} journals for one")
        return rows[0]

    def _to_date(self, company: str, day: date) -> dict[str, int]:
        told = self._rows(company, "Reports/TrialBalance", {"date": day.isoformat()}, "Reports")
        currency, found = self._currency(company), dict[str, int]()
        for section in rows_of(told[0].get("Rows"), self.title):
            for row in rows_of(section.get("Rows") or [], self.title):
                cells = [str(cell.get("Value") or "") for cell in rows_of(row.get("Cells"), self.title)]
                code = _CODE.search(cells[0]) if len(cells) == 5 else None
                if row.get("RowType") == "Row" and code:
                    amount = minor(cells[3] or "0", currency) - minor(cells[4] or "0", currency)
                    found[code[1]] = found.get(code[1], 0) + amount
        return found

    def _organisation(self, company: str) -> Mapping[str, Any]:
        key = f"organisation {company}"
        if key not in self._known:
            self._known[key] = self._rows(company, "Organisation", {}, "Organisations")[0]
        found: Mapping[str, Any] = self._known[key]
        return found

    def _currency(self, company: str) -> str:
        return str(self._organisation(company)["BaseCurrency"])

    def _rows(self, company: str, what: str, query: Mapping[str, str], name: str = "") -> list[Mapping[str, Any]]:
        headers = {"xero-tenant-id": self.setup.theirs(company)}
        try:
            told = row_of(self.ask("GET", f"{_BASE}/{what}", query=query, headers=headers), self.title)
        except UnknownReferenceError:
            return []
        return rows_of(told.get(name or what.partition("/")[0]), self.title)


def _found(row: Mapping[str, Any]) -> Found:
    is_posted, name = row["Status"] == "POSTED", str(row["ManualJournalID"])
    return Found(name, Standing.POSTED if is_posted else Standing.DRAFT, name if is_posted else "")


def _day(value: object) -> date:
    """Milliseconds since 1970, or an ISO day."""
    found = _DATE.fullmatch(str(value))
    if found:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found[1]))).date()
    return iso_day(value, "Xero")
