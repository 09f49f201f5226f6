"""NetSuite over SuiteTalk REST: `journalEntry` under our key as its external id, posted when it is made.

A ``PUT`` to the external id makes the entry or finds it there, so the same request twice is one entry. What is there is
read first all the same: a ``PUT`` on an entry that somebody changed would change it back in silence.
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
from apportion.post.erp.oauth import Signed
from apportion.post.erp.reading import careful, iso_day, row_of, rows_of, rubbish
from apportion.post.erp.rest import Books, Kind, Rest, accounts_of, codes_of
from apportion.post.erp.secret import Secret
from apportion.post.erp.target import Balance, Found, Holding, Link, Standing, Traits

_PAGE = 500
_ENTRY = "/services/rest/record/v1/journalEntry"
# The fields of a line that are lists of the company's own, and the table that their ids are in.
_TABLES = {"department": "department", "class": "classification", "location": "location"}


@careful
@dataclass(frozen=True)
class NetSuiteTarget(Rest):
    """One account. `companies` of the set-up are internal ids of subsidiaries.

    `axes` name fields of a line: ``department``, ``class`` or ``location``, whose records are looked up by name.
    `signed` signs every request. An entry that waits for an approval there is not posted, and is told as such.
    """

    signed: Signed | None = None

    title = "NetSuite"
    digits = 12
    capabilities = Traits(drafts=False)
    text_most = 4000

    def find(self, company: str, key: str) -> tuple[Found, ...]:
        """See `Target`."""
        asked = (
            "SELECT t.id, t.tranid, BUILTIN.DF(t.approvalstatus) AS approval, t.posting FROM transaction t "
            f"WHERE t.externalid = {_text(key)} AND t.type = 'Journal'"
        )
        return tuple(self._found(row) for row in self._query(asked))

    def create(self, document: Document, key: str, reverses: Link | None) -> Found:
        """See `Target`."""
        books = self.books(document)
        said = f"{document.text} ({document.entry})" + (f", reverses {reverses.number}" if reverses else "")
        body = {
            "externalId": key,
            "subsidiary": {"id": self.setup.theirs(document.company)},
            "tranDate": document.posting_on.isoformat(),
            "memo": connected.keyed(key, said, 999),
            "line": {"items": [self._line(document, line, books) for line in document.lines]},
        }
        self.answer("PUT", f"{_ENTRY}/eid:{key}", document=document, body=body)
        found = self.find(document.company, key)
        if not found:
            raise rubbish(self.title, "no entry where one was made")
        return found[0]

    def post(self, company: str, reference: str) -> None:
        """See `Target`: an entry here that is not posted waits for somebody there."""
        said = f"{self.name} has the entry, and it waits for an approval there."
        advice = "Approve it there, or let the token's user make entries that need none; then push again."
        raise RejectedError([Rejection("", company, 0, "NEEDS_APPROVAL", said, advice)])

    def read(self, company: str, reference: str) -> Holding:
        """See `Target`: from the lines that the ledger accounts with."""
        columns = "t.id, t.tranid, t.trandate, t.memo, t.posting, BUILTIN.DF(t.approvalstatus) AS approval"
        heads = self._query(f"SELECT {columns} FROM transaction t WHERE t.id = {_number(reference)}")
        if not heads:
            raise UnknownReferenceError(f"{self.name} has no entry {reference}.", advice="Push the journal again.")
        found = self._found(heads[0])
        sums = self._sums(f"tal.transaction = {_number(reference)}", company)
        return Holding(found.reference, found.standing, found.number, _day(heads[0]["trandate"]), without_zeros(sums))

    def discard(self, company: str, reference: str) -> None:
        """See `Target`: an entry that waits for its approval."""
        if self._query(f"SELECT t.id FROM transaction t WHERE t.id = {_number(reference)}"):
            self.answer("DELETE", f"{_ENTRY}/{_number(reference)}")

    def trial_balance(self, company: str, since: date, until: date, accounts: Iterable[str]) -> tuple[Balance, ...]:
        """See `Target`."""
        wanted = ", ".join(_text(account) for account in sorted(set(accounts)))
        sums = self._sums(
            f"tl.subsidiary = {_number(self.setup.theirs(company))} AND a.acctnumber IN ({wanted}) AND "
            f"t.trandate BETWEEN TO_DATE({_text(since.isoformat())}, 'YYYY-MM-DD') "
            f"AND TO_DATE({_text(until.isoformat())}, 'YYYY-MM-DD')",
            company,
        )
        found: dict[tuple[str, str], int] = {}
        for (account, codes), amount in sums.items():
            place = (account, dict(codes).get("cost_center", ""))
            found[place] = found.get(place, 0) + amount
        return tuple(Balance(*place, amount) for place, amount in sorted(found.items()))

    def books(self, document: Document) -> Books:
        """See `Rest`. Locked periods are the ledger's to refuse."""
        wanted = ", ".join(_text(account) for account in accounts_of(document))
        rows = self._query(
            f"SELECT a.id, a.acctnumber FROM account a WHERE a.acctnumber IN ({wanted}) AND a.isinactive = 'F' "
            "AND a.issummary = 'F'"
        )
        accounts = {str(row["acctnumber"]): str(row["id"]) for row in rows}
        codes: dict[str, dict[str, str]] = {}
        for axis, names in codes_of(document, self.setup).items():
            if table := _TABLES.get(axis):
                these = ", ".join(_text(name) for name in names)
                rows = self._query(
                    f"SELECT d.id, d.name FROM {table} d WHERE d.name IN ({these}) AND d.isinactive = 'F'"
                )
                codes[axis] = {str(row["name"]): str(row["id"]) for row in rows}
        return Books(self._currency(document.company), accounts, codes)

    def kind(self, status: int, told: Mapping[str, Any]) -> tuple[Kind, str]:
        """See `Rest`: problems as RFC 7807, each detail with a code."""
        details = rows_of(told.get("o:errorDetails") or [], self.title)
        code = " ".join(str(each.get("o:errorCode") or "") for each in details)
        said = " ".join(str(each.get("detail") or "") for each in details)
        if status == 404 or "NONEXISTENT_ID" in code or "RCRD_DSNT_EXIST" in code:
            return Kind.MISSING, said
        if status == 409 or "RCRD_HAS_BEEN_CHANGED" in code or "CONCURRENCY_LIMIT" in code:
            return Kind.BUSY, said
        if "PERMISSION" in code or "INVALID_LOGIN" in code:
            return Kind.DENIED, said
        if "period" in said.lower() and ("closed" in said.lower() or "locked" in said.lower()):
            return Kind.CLOSED, said
        return (Kind.REFUSED if status < 500 and said else Kind.FAILED), said

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        """See `Rest`."""
        proof = dict(self.signed.header(method, url)) if self.signed else dict(super().headers(method, url))
        return {**proof, "Prefer": "transient"} if url.partition("?")[0].endswith("/suiteql") else proof

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """See `Rest`."""
        own = (self.signed.consumer_secret, self.signed.token_secret) if self.signed else ()
        return (self.key, *own)

    def _line(self, document: Document, line: DocumentLine, books: Books) -> dict[str, object]:
        side = "debit" if line.amount_minor >= 0 else "credit"
        return {
            "account": {"id": books.accounts[line.account]},
            side: connected.signed(abs(line.amount_minor), document.currency),
            "memo": line.text,
            **{axis: {"id": books.codes[axis][code]} for axis, code in self.setup.codes(line).items()},
        }

    def _sums(self, where: str, company: str) -> dict[Spot, int]:
        axes = [axis for axis in self.setup.axes.values() if axis in _TABLES]
        columns = "".join(f", BUILTIN.DF(tl.{axis}) AS {axis}_name" for axis in axes)
        rows = self._query(
            f"SELECT a.acctnumber, tal.debit, tal.credit{columns} FROM transactionaccountingline tal "
            "JOIN transactionline tl ON tl.transaction = tal.transaction AND tl.id = tal.transactionline "
            "JOIN transaction t ON t.id = tal.transaction JOIN account a ON a.id = tal.account "
            f"WHERE tal.posting = 'T' AND {where}"
        )
        currency = self._currency(company)
        sums: dict[Spot, int] = {}
        for row in rows:
            kept = [(self.setup.ours(axis), str(row[f"{axis}_name"])) for axis in axes if row.get(f"{axis}_name")]
            amount = minor(row.get("debit") or 0, currency) - minor(row.get("credit") or 0, currency)
            add(sums, (str(row["acctnumber"]), tuple(sorted(kept))), amount)
        return sums

    def _currency(self, company: str) -> str:
        key = f"currency {company}"
        if key not in self._known:
            own = _number(self.setup.theirs(company))
            rows = self._query(
                f"SELECT c.symbol FROM subsidiary s JOIN currency c ON c.id = s.currency WHERE s.id = {own}"
            )
            self._known[key] = str(rows[0]["symbol"])
        return str(self._known[key])

    def _query(self, asked: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        while True:
            query = {"limit": str(_PAGE), "offset": str(len(found))}
            path = "/services/rest/query/v1/suiteql"
            told = row_of(self.ask("POST", path, reads=True, query=query, body={"q": asked}), self.title)
            page = rows_of(told.get("items"), self.title)
            found += page
            if not told.get("hasMore"):
                return found

    def _found(self, row: Mapping[str, Any]) -> Found:
        is_posted = row.get("posting") == "T" and str(row.get("approval") or "Approved") == "Approved"
        standing = Standing.POSTED if is_posted else Standing.DRAFT
        return Found(str(row["id"]), standing, str(row["tranid"]) if is_posted else "")


def _text(value: str) -> str:
    """Text in SuiteQL: apostrophes are doubled."""
    return "'" + value.replace("'", "''") + "'"


def _number(value: str) -> str:
    """An id in SuiteQL. Raises `ValueError` for anything else, so that nothing is asked that is not meant."""
    return str(int(value))


def _day(value: object) -> date:
    """A day as SuiteQL tells it: by the user's preference, so only a form that cannot be mistaken is taken."""
    return iso_day(value, "NetSuite")
