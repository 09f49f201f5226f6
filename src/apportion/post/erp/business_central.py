"""Business Central over its API 2.0: a journal of its own for each entry, made line by line, then posted as a whole.

The journal (a batch there) is called by the key, and so is every line's document number: a journal that is there is a
draft, and ledger entries with that number are what was posted. A journal that a run was cut off in lacks lines; it is
seen as different from what was to be sent, deleted, and made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import quote

from apportion.post.erp import connected
from apportion.post.erp.calling import minor
from apportion.post.erp.document import Document, Spot, add, without_zeros
from apportion.post.erp.errors import UnknownReferenceError
from apportion.post.erp.oauth import ClientCredentials
from apportion.post.erp.reading import careful, iso_day, row_of, rows_of
from apportion.post.erp.rest import Books, Kind, Rest, by_code, codes_of
from apportion.post.erp.secret import Secret
from apportion.post.erp.target import Balance, Found, Holding, Link, Standing


@careful
@dataclass(frozen=True)
class BusinessCentralTarget(Rest):
    """One environment. `companies` of the set-up are ids of companies there; `axes` name dimensions by code.

    `url` ends with the environment (``https://api.businesscentral.dynamics.com/v2.0/TENANT/production``). With
    `tokens` the access tokens are fetched; without them `key` is one. A reversal is linked by its text alone: the
    interface has no other way. Posting dates that are not allowed are the ledger's to refuse.
    """

    tokens: ClientCredentials | None = None
    _ids: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    title = "Business Central"
    text_most = 100

    def find(self, company: str, key: str) -> tuple[Found, ...]:
        """See `Target`: what was posted, and the journal that is still there."""
        posted = self._posted(company, key)
        found = [Found(key, Standing.POSTED, _number(posted))] if posted else []
        return (*found, *(Found(key, Standing.DRAFT) for _ in self._journals(company, key)))

    def create(self, document: Document, key: str, reverses: Link | None) -> Found:
        """See `Target`."""
        company = document.company
        name = connected.keyed(key, document.entry, 50)
        # The code of a batch has ten characters: the end of the key, which differs as much as any other part.
        made = self.ask(
            "POST", self._path(company, "journals"), document=document, body={"code": key[-10:], "displayName": name}
        )
        journal = str(row_of(made, self.title)["id"])
        for line in document.lines:
            self._line(document, line.number, journal, key, reverses)
        return Found(key, Standing.DRAFT)

    def post(self, company: str, reference: str) -> None:
        """See `Target`: the whole journal in one transaction of the ledger's; the empty journal is deleted after."""
        journals = self._journals(company, reference)
        if not journals:
            raise UnknownReferenceError(f"{self.name} has no journal {reference}.", advice="Push the journal again.")
        self.ask("POST", self._path(company, f"journals({journals[0]['id']})/Microsoft.NAV.post"), body={})
        self.discard(company, reference)

    def read(self, company: str, reference: str) -> Holding:
        """See `Target`."""
        posted = self._posted(company, reference)
        if posted:
            return self._holding(company, reference, Standing.POSTED, posted)
        journals = self._journals(company, reference)
        if not journals:
            raise UnknownReferenceError(f"{self.name} has no entry {reference}.", advice="Push the journal again.")
        lines = self._rows(company, f"journals({journals[0]['id']})/journalLines", {"$expand": "dimensionSetLines"})
        return self._holding(company, reference, Standing.DRAFT, lines)

    def discard(self, company: str, reference: str) -> None:
        """See `Target`: its lines go with it. What was posted is no journal any more."""
        for journal in self._journals(company, reference):
            self.ask("DELETE", self._path(company, f"journals({journal['id']})"), headers={"If-Match": "*"})

    def trial_balance(self, company: str, since: date, until: date, accounts: Iterable[str]) -> tuple[Balance, ...]:
        """See `Target`."""
        wanted = " or ".join(f"accountNumber eq {_text(account)}" for account in sorted(set(accounts)))
        within = f"postingDate ge {since.isoformat()} and postingDate le {until.isoformat()} and ({wanted})"
        query = {"$filter": within, "$expand": "dimensionSetLines"}
        rows = self._rows(company, "generalLedgerEntries", query)
        held = self._holding(company, "", Standing.POSTED, rows).sums if rows else {}
        sums: dict[tuple[str, str], int] = {}
        for (account, codes), amount in held.items():
            place = (account, dict(codes).get("cost_center", ""))
            sums[place] = sums.get(place, 0) + amount
        return tuple(Balance(*place, amount) for place, amount in sorted(sums.items()))

    def books(self, document: Document) -> Books:
        """See `Rest`."""
        company = document.company
        accounts = {
            str(row["number"]): str(row["id"])
            for row in self._rows(company, "accounts", {"$filter": "blocked eq false and accountType eq 'Posting'"})
        }
        codes: dict[str, dict[str, str]] = {}
        dimensions = by_code(self._rows(company, "dimensions", {"$select": "id,code"}), "code", "id")
        for axis in codes_of(document, self.setup):
            if axis in dimensions:
                rows = self._rows(company, f"dimensions({dimensions[axis]})/dimensionValues", {"$select": "id,code"})
                codes[axis] = by_code(rows, "code", "id")
        return Books(self._currency(company), accounts, codes)

    def kind(self, status: int, told: Mapping[str, Any]) -> tuple[Kind, str]:
        """See `Rest`."""
        error = row_of(told.get("error") or {}, self.title)
        code, said = str(error.get("code") or ""), str(error.get("message") or "")
        if status in {409, 412, 423} or "locked by another user" in said or code == "Internal_Deadlock":
            return Kind.BUSY, said
        if code.startswith(("Authentication", "Authorization")):
            return Kind.DENIED, said
        if status == 404:
            return Kind.MISSING, said
        if "not within your range of allowed posting dates" in said or "accounting period" in said.lower():
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

    def _line(self, document: Document, number: int, journal: str, key: str, reverses: Link | None) -> None:
        (line,) = (each for each in document.lines if each.number == number)
        body: dict[str, object] = {
            "accountType": "G_x002F_L_x0020_Account",
            "accountNumber": line.account,
            "postingDate": document.posting_on.isoformat(),
            "documentNumber": key,
            "externalDocumentNumber": (reverses.reference if reverses else document.entry)[-35:],
            "amount": connected.signed(line.amount_minor, document.currency),
            "description": line.text,
            "dimensionSetLines": [
                {"code": axis, "valueCode": code} for axis, code in sorted(self.setup.codes(line).items())
            ],
        }
        path = self._path(document.company, f"journals({journal})/journalLines")
        self.ask("POST", path, document=document, body=body)

    def _journals(self, company: str, key: str) -> list[Mapping[str, Any]]:
        return self._rows(company, "journals", {"$filter": f"startswith(displayName,{_text(key)})"})

    def _posted(self, company: str, key: str) -> list[Mapping[str, Any]]:
        query = {"$filter": f"documentNumber eq {_text(key)}", "$expand": "dimensionSetLines"}
        return self._rows(company, "generalLedgerEntries", query)

    def _holding(self, company: str, reference: str, standing: Standing, rows: list[Mapping[str, Any]]) -> Holding:
        currency = self._currency(company)
        sums: dict[Spot, int] = {}
        for row in rows:
            if "amount" in row:
                amount = minor(row["amount"], currency)
            else:
                amount = minor(row["debitAmount"], currency) - minor(row["creditAmount"], currency)
            kept = tuple(
                sorted(
                    (ours, str(each["valueCode"]))
                    for each in row.get("dimensionSetLines") or []
                    if (ours := self.setup.ours(str(each["code"])))
                )
            )
            add(sums, (str(row["accountNumber"]), kept), amount)
        days = {iso_day(row["postingDate"], self.title) for row in rows}
        # Without lines, or on several days, it cannot be what was sent, whose day is another than this.
        day = days.pop() if len(days) == 1 else date.min
        number = _number(rows) if standing is Standing.POSTED else ""
        return Holding(reference, standing, number, day, without_zeros(sums))

    def _currency(self, company: str) -> str:
        if company not in self._ids:
            rows = self._rows(company, "companyInformation", {"$select": "currencyCode"})
            self._ids[company] = str(rows[0]["currencyCode"])
        return self._ids[company]

    def _path(self, company: str, rest: str) -> str:
        return f"/api/v2.0/companies({quote(self.setup.theirs(company))})/{rest}"

    def _rows(self, company: str, what: str, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        while True:
            asked = {**query, "$skip": str(len(found)), "$top": "500"}
            told = row_of(self.ask("GET", self._path(company, what), query=asked), self.title)
            page = rows_of(told.get("value"), self.title)
            found += page
            if len(page) < 500:
                return found


def _text(value: str) -> str:
    """Text in a filter: apostrophes are doubled."""
    return "'" + value.replace("'", "''") + "'"


def _number(rows: list[Mapping[str, Any]]) -> str:
    """The ledger's own numbers of an entry: its first to its last ledger entry."""
    numbers = sorted(int(row["entryNumber"]) for row in rows if "entryNumber" in row)
    return f"{numbers[0]}–{numbers[-1]}" if numbers else ""
