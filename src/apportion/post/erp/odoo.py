"""Odoo 19 or newer over its JSON-2 interface: `account.move` of the type ``entry``, its key in the field ``ref``.

Odoo has no idempotency of its own: the key is looked up before anything is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from apportion.post.erp import connected
from apportion.post.erp.calling import Number, minor
from apportion.post.erp.document import Document, DocumentLine, Spot, add, without_zeros
from apportion.post.erp.errors import NotAuthorisedError, UnknownReferenceError
from apportion.post.erp.reading import amounts, careful, iso_day, rows_of, rubbish
from apportion.post.erp.rest import Books, Kind, Rest, accounts_of, codes_of
from apportion.post.erp.target import Balance, Found, Holding, Link, Standing

_PAGE = 500
_LOCKS = ("fiscalyear_lock_date", "hard_lock_date")


@careful
@dataclass(frozen=True)
class OdooTarget(Rest):
    """One Odoo database. `companies` of the set-up are ids of companies there; `axes` name analytic plans.

    Options: ``database``, and ``journal``, the code of the journal (``MISC`` without one).
    """

    title = "Odoo"

    def find(self, company: str, key: str) -> tuple[Found, ...]:
        """See `Target`."""
        domain = [["ref", "=like", f"{key}%"], ["company_id", "=", self._id(company)], ["state", "!=", "cancel"]]
        return tuple(_found(row) for row in self._rows("account.move", domain, ["state", "name"], company))

    def create(self, document: Document, key: str, reverses: Link | None) -> Found:
        """See `Target`."""
        books = self.books(document)
        move: dict[str, object] = {
            "move_type": "entry",
            "company_id": self._id(document.company),
            "journal_id": int(books.journal),
            "date": document.posting_on.isoformat(),
            "ref": connected.keyed(key, f"{document.text} ({document.entry})"),
            "line_ids": [[0, 0, self._line(document, line, books)] for line in document.lines],
        }
        if reverses is not None:
            move["reversed_entry_id"] = int(reverses.reference)
        made = self._call("account.move", "create", {"vals_list": [move]}, document.company, document)
        if not isinstance(made, list) or len(made) != 1 or type(made[0]) is not int:
            raise rubbish(self.title, "no id of a new entry")
        return Found(str(made[0]), Standing.DRAFT)

    def post(self, company: str, reference: str) -> None:
        """See `Target`."""
        self._call("account.move", "action_post", {"ids": [int(reference)]}, company)

    def read(self, company: str, reference: str) -> Holding:
        """See `Target`."""
        names = ["state", "name", "date", "reversed_entry_id"]
        heads = self._rows("account.move", [["id", "=", int(reference)]], names, company)
        if not heads:
            raise UnknownReferenceError(f"{self.name} has no entry {reference}.", advice="Push the journal again.")
        names = ["account_id", "balance", "analytic_distribution"]
        lines = self._rows("account.move.line", [["move_id", "=", int(reference)]], names, company)
        sums: dict[Spot, int] = {}
        problems = []
        for line, code, shares in self._told(lines, company):
            if any(share != 100 for _, share in shares):
                problems.append(f"A line on account {code} is not wholly on one analytic account.")
            kept = tuple(sorted((self.setup.ours(plan), found) for (plan, found), _ in shares))
            add(sums, (code, kept), minor(line.get("balance"), self._currency(company)))
        found, back = _found(heads[0]), heads[0].get("reversed_entry_id") or [""]
        day = iso_day(heads[0].get("date"), self.title)
        return Holding(
            found.reference, found.standing, found.number, day, without_zeros(sums), tuple(problems), str(back[0])
        )

    def discard(self, company: str, reference: str) -> None:
        """See `Target`."""
        if self._rows("account.move", [["id", "=", int(reference)]], ["state"], company):
            self._call("account.move", "unlink", {"ids": [int(reference)]}, company)

    def trial_balance(self, company: str, since: date, until: date, accounts: Iterable[str]) -> tuple[Balance, ...]:
        """See `Target`."""
        domain = [
            ["company_id", "=", self._id(company)],
            ["parent_state", "=", "posted"],
            ["date", ">=", since.isoformat()],
            ["date", "<=", until.isoformat()],
            ["account_id.code", "in", sorted(set(accounts))],
        ]
        names = ["account_id", "balance", "analytic_distribution"]
        lines = self._rows("account.move.line", domain, names, company)
        sums: dict[tuple[str, str], int] = {}
        for line, code, shares in self._told(lines, company):
            centers = [found for (plan, found), _ in shares if self.setup.ours(plan) == "cost_center"]
            place = (code, centers[0] if len(centers) == 1 else "")
            sums[place] = sums.get(place, 0) + minor(line.get("balance"), self._currency(company))
        return tuple(Balance(*place, amount) for place, amount in sorted(sums.items()))

    def books(self, document: Document) -> Books:
        """See `Rest`."""
        company, own = document.company, self._id(document.company)
        known = self._company(company)
        code = self.setup.options.get("journal", "") or "MISC"
        journals = self._rows("account.journal", [["code", "=", code], ["company_id", "=", own]], ["code"], company)
        domain = [["code", "in", accounts_of(document)], ["active", "=", True], ["company_ids", "in", [own]]]
        accounts = {
            str(row["code"]): str(row["id"]) for row in self._rows("account.account", domain, ["code"], company)
        }
        wanted = sorted({code for codes in codes_of(document, self.setup).values() for code in codes})
        codes: dict[str, dict[str, str]] = {}
        analytic = [["code", "in", wanted], ["company_id", "in", [own, False]]]
        for row in self._rows("account.analytic.account", analytic, ["code", "plan_id"], company) if wanted else []:
            codes.setdefault(str(row["plan_id"][1]), {})[str(row["code"])] = str(row["id"])
        days = [iso_day(known[name], self.title) for name in _LOCKS if known.get(name)]
        journal = str(journals[0]["id"]) if journals else ""
        return Books(self._currency(company), accounts, codes, max(days, default=None), journal)

    def kind(self, status: int, told: Mapping[str, Any]) -> tuple[Kind, str]:
        """See `Rest`: the class of Odoo's own exception is told in ``name``."""
        name, said = str(told.get("name") or "").rpartition(".")[2], str(told.get("message") or "")
        if name in {"SerializationFailure", "LockNotAvailable", "ConcurrencyError"}:
            return Kind.BUSY, said
        if name in {"AccessError", "AccessDenied"}:
            return Kind.DENIED, said
        if name == "MissingError":
            return Kind.MISSING, said
        if name in {"UserError", "ValidationError", "RedirectWarning"}:
            return (Kind.CLOSED if "lock date" in said.lower() else Kind.REFUSED), said
        return (Kind.REFUSED if status < 500 else Kind.FAILED), said

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        """See `Rest`."""
        return {"Authorization": f"bearer {self.key.text}", "X-Odoo-Database": self.setup.options.get("database", "")}

    def _line(self, document: Document, line: DocumentLine, books: Books) -> dict[str, object]:
        debit, credit = connected.side(line.amount_minor, document.currency)
        made: dict[str, object] = {
            "account_id": int(books.accounts[line.account]),
            "name": line.text,
            "debit": debit,
            "credit": credit,
        }
        found = [books.codes[axis][code] for axis, code in sorted(self.setup.codes(line).items())]
        if found:
            made["analytic_distribution"] = {",".join(found): Number("100")}
        return made

    def _told(
        self, lines: list[Mapping[str, Any]], company: str
    ) -> list[tuple[Mapping[str, Any], str, list[tuple[tuple[str, str], Any]]]]:
        """Each line with its account's code, and its analytic accounts as (plan, code) with their per cent."""
        ids = sorted({line["account_id"][0] for line in lines})
        rows = self._rows("account.account", [["id", "in", ids]], ["code"], company) if ids else []
        codes = {row["id"]: str(row["code"]) for row in rows}
        shares = [line.get("analytic_distribution") or {} for line in lines]
        ids = sorted({int(each) for share in shares for key in share for each in key.split(",")})
        domain = [["id", "in", ids]]
        rows = self._rows("account.analytic.account", domain, ["code", "plan_id"], company) if ids else []
        named = {str(row["id"]): (str(row["plan_id"][1]), str(row["code"])) for row in rows}
        return [
            (
                line,
                codes[line["account_id"][0]],
                [(named[each], amounts(part)) for key, part in share.items() for each in key.split(",")],
            )
            for line, share in zip(lines, shares, strict=True)
        ]

    def _id(self, company: str) -> int:
        return int(self.setup.theirs(company))

    def _company(self, company: str) -> Mapping[str, Any]:
        if company not in self._known:
            own = [["id", "=", self._id(company)]]
            found = self._rows("res.company", own, ["currency_id", *_LOCKS], company)
            if not found:
                raise NotAuthorisedError(
                    f"{self.name} shows no company {self.setup.theirs(company)}.",
                    advice="Correct its id in the settings, or let the key's user see it.",
                )
            self._known[company] = found[0]
        known: Mapping[str, Any] = self._known[company]
        return known

    def _currency(self, company: str) -> str:
        return str(self._company(company)["currency_id"][1])

    def _rows(self, model: str, domain: list[Any], names: list[str], company: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        while True:
            asked = {"domain": domain, "fields": names, "offset": len(found), "limit": _PAGE, "order": "id"}
            page = rows_of(self._call(model, "search_read", asked, company), self.title)
            found += page
            if len(page) < _PAGE:
                return found

    def _call(
        self, model: str, method: str, body: dict[str, Any], company: str, document: Document | None = None
    ) -> Any:
        context = {"lang": "en_US", "allowed_company_ids": [self._id(company)]}
        reads = method == "search_read"
        path = f"/json/2/{model}/{method}"
        return self.ask("POST", path, document=document, reads=reads, body={**body, "context": context})


def _found(row: Mapping[str, Any]) -> Found:
    is_posted = row["state"] == "posted"
    return Found(
        str(row["id"]), Standing.POSTED if is_posted else Standing.DRAFT, str(row["name"]) if is_posted else ""
    )
