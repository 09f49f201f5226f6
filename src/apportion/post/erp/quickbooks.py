"""QuickBooks Online: `JournalEntry` with our key as ``requestid`` and as its number, posted when it is made.

The same request id gives the same answer again. Its answers are kept for some time only, so an entry is looked up by
its number before it is made all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from apportion.post.erp import connected
from apportion.post.erp.calling import minor
from apportion.post.erp.document import Document, DocumentLine, Spot, add, without_zeros
from apportion.post.erp.errors import RejectedError, Rejection, UnknownReferenceError
from apportion.post.erp.reading import careful, iso_day, row_of, rows_of
from apportion.post.erp.rest import Books, Kind, Rest, accounts_of, codes_of
from apportion.post.erp.target import Balance, Found, Holding, Link, Standing, Traits

_PAGE = 1000
_VERSION = {"minorversion": "75"}
# The lists that the codes of an axis are in, and how a line refers to them.
_LISTS = {"Class": "ClassRef", "Department": "DepartmentRef"}


@careful
@dataclass(frozen=True)
class QuickBooksTarget(Rest):
    """`companies` of the set-up are realm ids; `axes` name ``Class`` or ``Department``, looked up by name.

    `key` is an access token, which ends after an hour: name a file that whoever renews it writes to.
    """

    title = "QuickBooks Online"
    digits = 13
    capabilities = Traits(drafts=False)
    text_most = 4000

    def find(self, company: str, key: str) -> tuple[Found, ...]:
        """See `Target`."""
        rows = self._query(company, "JournalEntry", f"DocNumber = {_text(key)}")
        return tuple(Found(str(row["Id"]), Standing.POSTED, str(row["DocNumber"])) for row in rows)

    def create(self, document: Document, key: str, reverses: Link | None) -> Found:
        """See `Target`."""
        books = self.books(document)
        said = f"{document.text} ({document.entry})" + (f", reverses {reverses.number}" if reverses else "")
        body = {
            "DocNumber": key,
            "TxnDate": document.posting_on.isoformat(),
            "PrivateNote": connected.keyed(key, said, 4000),
            "CurrencyRef": {"value": document.currency},
            "Line": [self._line(document, line, books) for line in document.lines],
        }
        path = f"{self._company(document.company)}/journalentry"
        told = self.ask("POST", path, document=document, query={**_VERSION, "requestid": key}, body=body)
        made = row_of(row_of(told, self.title).get("JournalEntry"), self.title)
        return Found(str(made["Id"]), Standing.POSTED, str(made["DocNumber"]))

    def post(self, company: str, reference: str) -> None:
        """See `Target`: it has no drafts."""

    def read(self, company: str, reference: str) -> Holding:
        """See `Target`."""
        rows = self._query(company, "JournalEntry", f"Id = {_text(reference)}")
        if not rows:
            raise UnknownReferenceError(f"{self.name} has no entry {reference}.", advice="Push the journal again.")
        currency, row = self._currency(company), rows[0]
        details = [
            (row_of(line.get("JournalEntryLineDetail"), self.title), line) for line in rows_of(row["Line"], self.title)
        ]
        ids = sorted({str(detail["AccountRef"]["value"]) for detail, _ in details})
        where = f"Id IN ({', '.join(_text(each) for each in ids)})"
        accounts = {str(each["Id"]): str(each["AcctNum"]) for each in self._query(company, "Account", where)}
        sums: dict[Spot, int] = {}
        for detail, line in details:
            sign = 1 if detail["PostingType"] == "Debit" else -1
            kept = [
                (self.setup.ours(axis), str(detail[_LISTS[axis]]["name"]))
                for axis in self.setup.axes.values()
                if axis in _LISTS and detail.get(_LISTS[axis])
            ]
            spot = (accounts[str(detail["AccountRef"]["value"])], tuple(sorted(kept)))
            add(sums, spot, sign * minor(line["Amount"], currency))
        day = iso_day(row.get("TxnDate"), self.title)
        return Holding(str(row["Id"]), Standing.POSTED, str(row["DocNumber"]), day, without_zeros(sums))

    def discard(self, company: str, reference: str) -> None:
        """See `Target`: what is there is posted."""
        said = f"{self.name} has no drafts: entry {reference} is posted."
        raise RejectedError([Rejection("", company, 0, "REFUSED", said, "Reverse it.")])

    def trial_balance(self, company: str, since: date, until: date, accounts: Iterable[str]) -> tuple[Balance, ...]:
        """See `Target`: by account alone."""
        query = {**_VERSION, "start_date": since.isoformat(), "end_date": until.isoformat()}
        told = row_of(self.ask("GET", f"{self._company(company)}/reports/TrialBalance", query=query), self.title)
        where = f"AcctNum IN ({', '.join(_text(each) for each in sorted(set(accounts)))})"
        codes = {str(each["Id"]): str(each["AcctNum"]) for each in self._query(company, "Account", where)}
        currency, found = self._currency(company), dict[str, int]()
        for row in rows_of(row_of(told.get("Rows"), self.title).get("Row") or [], self.title):
            cells = rows_of(row.get("ColData") or [], self.title)
            code = codes.get(str(cells[0].get("id") or "")) if len(cells) == 3 else None
            if code:
                debit, credit = (minor(cell.get("value") or "0", currency) for cell in cells[1:])
                found[code] = found.get(code, 0) + debit - credit
        return tuple(Balance(account, "", amount) for account, amount in sorted(found.items()))

    def books(self, document: Document) -> Books:
        """See `Rest`."""
        company = document.company
        wanted = ", ".join(_text(account) for account in accounts_of(document))
        rows = self._query(company, "Account", f"AcctNum IN ({wanted}) AND Active = true")
        accounts = {str(row["AcctNum"]): str(row["Id"]) for row in rows}
        codes: dict[str, dict[str, str]] = {}
        for axis, names in codes_of(document, self.setup).items():
            if axis in _LISTS:
                these = ", ".join(_text(name) for name in names)
                rows = self._query(company, axis, f"Name IN ({these}) AND Active = true")
                codes[axis] = {str(row["Name"]): str(row["Id"]) for row in rows}
        closed = row_of(self._preferences(company).get("AccountingInfoPrefs") or {}, self.title).get("BookCloseDate")
        return Books(self._currency(company), accounts, codes, iso_day(closed, self.title) if closed else None)

    def kind(self, status: int, told: Mapping[str, Any]) -> tuple[Kind, str]:
        """See `Rest`: faults, each error with a code."""
        fault = row_of(told.get("Fault") or told.get("fault") or {}, self.title)
        errors = rows_of(fault.get("Error") or fault.get("error") or [], self.title)
        said = " ".join(f"{each.get('Message') or ''} {each.get('Detail') or ''}" for each in errors).strip()
        codes = {str(each.get("code")) for each in errors}
        if codes & {"5010", "3001", "10001"}:  # stale object, throttled, locked
            return Kind.BUSY, said
        if codes & {"6200", "6210"} or "closing date" in said.lower() or "period closed" in said.lower():
            return Kind.CLOSED, said
        if "610" in codes:
            return Kind.MISSING, said
        if str(fault.get("type")).upper().startswith(("AUTH", "PERMISSION")):
            return Kind.DENIED, said
        return (Kind.REFUSED if status < 500 and said else Kind.FAILED), said

    def _line(self, document: Document, line: DocumentLine, books: Books) -> dict[str, object]:
        references = {_LISTS[axis]: {"value": books.codes[axis][code]} for axis, code in self.setup.codes(line).items()}
        return {
            "Amount": connected.signed(abs(line.amount_minor), document.currency),
            "Description": line.text,
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": {
                "PostingType": "Debit" if line.amount_minor >= 0 else "Credit",
                "AccountRef": {"value": books.accounts[line.account]},
                **references,
            },
        }

    def _company(self, company: str) -> str:
        return f"/v3/company/{self.setup.theirs(company)}"

    def _preferences(self, company: str) -> Mapping[str, Any]:
        key = f"preferences {company}"
        if key not in self._known:
            self._known[key] = self._query(company, "Preferences", "")[0]
        found: Mapping[str, Any] = self._known[key]
        return found

    def _currency(self, company: str) -> str:
        prefs = row_of(self._preferences(company).get("CurrencyPrefs") or {}, self.title)
        return str(row_of(prefs.get("HomeCurrency") or {}, self.title)["value"])

    def _query(self, company: str, kind: str, where: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        while True:
            asked = f"SELECT * FROM {kind}" + (f" WHERE {where}" if where else "")
            asked += f" STARTPOSITION {len(found) + 1} MAXRESULTS {_PAGE}"
            told = row_of(self.ask("GET", f"{self._company(company)}/query", query={**_VERSION, "query": asked}), "QBO")
            page = rows_of(row_of(told.get("QueryResponse"), self.title).get(kind) or [], self.title)
            found += page
            if len(page) < _PAGE:
                return found


def _text(value: str) -> str:
    """Text in a query: apostrophes are escaped."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
