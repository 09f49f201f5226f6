"""Odoo 19 or newer over its JSON-2 interface: `account.move` of the type ``entry``, its key in the field ``ref``.

Odoo has no idempotency of its own: the key is looked up before anything is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NoReturn

from apportion.post.erp import connected
from apportion.post.erp.calling import Caller, Limits, Number, minor
from apportion.post.erp.connected import Setup
from apportion.post.erp.document import Document, DocumentLine, Spot, add, without_zeros
from apportion.post.erp.errors import (
    ClosedPeriodError,
    NotAuthorisedError,
    RejectedError,
    Rejection,
    TargetBusyError,
    UnknownReferenceError,
)
from apportion.post.erp.reading import amounts, iso_day, row_of, rows_of
from apportion.post.erp.secret import Secret
from apportion.post.erp.target import Balance, Found, Holding, Link, Standing, Traits

_TITLE = "Odoo"
_PAGE = 500


@dataclass(frozen=True)
class OdooTarget:
    """One Odoo database. `companies` of the set-up are ids of companies there; `axes` name analytic plans.

    Options: ``journal``, the code of the journal (``MISC`` without one).
    """

    url: str
    database: str
    key: Secret
    setup: Setup
    limits: Limits = field(default_factory=Limits)
    certificates: str = ""
    _known: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """See `Target`."""
        return self.setup.name

    @property
    def traits(self) -> Traits:
        """Drafts, and answers to everything."""
        return Traits()

    def check(self, documents: Sequence[Document]) -> tuple[Rejection, ...]:
        """See `Target`. Lock dates are the ledger's to refuse."""
        self._known.clear()
        found: list[Rejection] = []
        for document in documents:
            if document.company not in self.setup.companies:
                found.append(connected.strange_company(document, self.setup))
                continue
            known = self._company(document.company)
            if known["currency"] != document.currency:
                found.append(connected.wrong_currency(document, self.setup, known["currency"]))
            if not known["journal"]:
                said = f"{self.name} has no journal {self._journal}."
                found.append(document.rejection(0, "UNKNOWN_JOURNAL", said, "Name one that it has in the settings."))
            if known["locked"] and document.posting_on <= known["locked"]:
                found.append(connected.closed(document, self.setup))
            accounts, codes = self._accounts(document), self._analytic(document)
            by_axis = {
                axis: frozenset(code for plan, code in codes if plan == axis) for axis in self.setup.axes.values()
            }
            found += connected.unknown(document, accounts, self.setup, by_axis)
            found += connected.too_many_digits(document, 15, self.setup)
        return tuple(found)

    def expected(self, document: Document) -> Mapping[Spot, int]:
        """See `Target`."""
        return self.setup.kept(document)

    def find(self, company: str, key: str) -> tuple[Found, ...]:
        """See `Target`."""
        domain = [["ref", "=like", f"{key}%"], ["company_id", "=", self._id(company)], ["state", "!=", "cancel"]]
        return tuple(_found(row) for row in self._rows("account.move", domain, ["state", "name"], company))

    def create(self, document: Document, key: str, reverses: Link | None) -> Found:
        """See `Target`."""
        accounts, codes, known = self._accounts(document), self._analytic(document), self._company(document.company)
        move: dict[str, object] = {
            "move_type": "entry",
            "company_id": self._id(document.company),
            "journal_id": known["journal"],
            "date": document.posting_on.isoformat(),
            "ref": connected.keyed(key, f"{document.text} ({document.entry})"),
            "line_ids": [[0, 0, self._line(document, line, accounts, codes)] for line in document.lines],
        }
        if reverses is not None:
            move["reversed_entry_id"] = int(reverses.reference)
        made = self._call("account.move", "create", {"vals_list": [move]}, document.company, document)
        ids = [each for each in made if type(each) is int] if isinstance(made, list) else []
        if len(ids) != 1:
            rows_of(None, _TITLE)
        return Found(str(ids[0]), Standing.DRAFT)

    def post(self, company: str, reference: str) -> None:
        """See `Target`."""
        self._call("account.move", "action_post", {"ids": [int(reference)]}, company)

    def read(self, company: str, reference: str) -> Holding:
        """See `Target`."""
        names = ["state", "name", "date", "reversed_entry_id"]
        heads = self._rows("account.move", [["id", "=", int(reference)]], names, company)
        if not heads:
            raise UnknownReferenceError(f"{self.name} has no entry {reference}.", advice="Push the journal again.")
        currency = self._company(company)["currency"]
        names = ["account_id", "balance", "analytic_distribution", "parent_state"]
        lines = self._rows("account.move.line", [["move_id", "=", int(reference)]], names, company)
        codes = {row["id"]: row for row in self._named("account.account", lines, company)}
        analytic = self._distributed(lines, company)
        sums: dict[Spot, int] = {}
        problems = []
        for line in lines:
            code = str(codes[line["account_id"][0]]["code"])
            shares = line.get("analytic_distribution") or {}
            kept = []
            for ids, share in shares.items():
                if amounts(share) != 100:
                    problems.append(f"A line on account {code} is not wholly on one analytic account.")
                kept += [(self.setup.ours(plan), found) for plan, found in (analytic[each] for each in ids.split(","))]
            add(sums, (code, tuple(sorted(kept))), minor(line.get("balance"), currency))
        found = _found(heads[0])
        back = heads[0].get("reversed_entry_id") or [""]
        return Holding(
            found.reference,
            found.standing,
            found.number,
            iso_day(heads[0].get("date"), _TITLE),
            without_zeros(sums),
            tuple(problems),
            str(back[0]),
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
        currency = self._company(company)["currency"]
        lines = self._rows("account.move.line", domain, ["account_id", "balance", "analytic_distribution"], company)
        codes = {row["id"]: row for row in self._named("account.account", lines, company)}
        analytic = self._distributed(lines, company)
        sums: dict[tuple[str, str], int] = {}
        for line in lines:
            ids = [each for key in (line.get("analytic_distribution") or {}) for each in key.split(",")]
            centers = [
                code for plan, code in (analytic[each] for each in ids) if self.setup.ours(plan) == "cost_center"
            ]
            place = (str(codes[line["account_id"][0]]["code"]), centers[0] if len(centers) == 1 else "")
            sums[place] = sums.get(place, 0) + minor(line.get("balance"), currency)
        return tuple(Balance(*place, amount) for place, amount in sorted(sums.items()))

    @property
    def _journal(self) -> str:
        return self.setup.options.get("journal", "") or "MISC"

    def _line(
        self,
        document: Document,
        line: DocumentLine,
        accounts: Mapping[str, int],
        codes: Mapping[tuple[str, str], str],
    ) -> dict[str, object]:
        debit, credit = connected.side(line.amount_minor, document.currency)
        made: dict[str, object] = {
            "account_id": accounts[line.account],
            "name": line.text,
            "debit": debit,
            "credit": credit,
        }
        if line.second:
            made["currency_id"] = self._foreign(line.second[0], document.company)
            made["amount_currency"] = connected.signed(line.second[1], line.second[0])
        found = [codes[pair] for pair in sorted(self.setup.codes(line).items())]
        if found:
            made["analytic_distribution"] = {",".join(found): Number("100")}
        return made

    def _id(self, company: str) -> int:
        return int(self.setup.companies[company])

    def _company(self, company: str) -> dict[str, Any]:
        if company not in self._known:
            own = [["id", "=", self._id(company)]]
            names = ["currency_id", "fiscalyear_lock_date", "hard_lock_date"]
            found = self._rows("res.company", own, names, company)
            if not found:
                raise NotAuthorisedError(
                    f"{self.name} shows no company {self.setup.companies[company]}.",
                    advice="Correct its id in the settings, or let the key's user see it.",
                )
            domain = [["code", "=", self._journal], ["company_id", "=", self._id(company)]]
            journals = self._rows("account.journal", domain, ["code"], company)
            days = [str(found[0][name]) for name in names[1:] if found[0].get(name)]
            self._known[company] = {
                "currency": str(found[0]["currency_id"][1]),
                "journal": journals[0]["id"] if journals else 0,
                "locked": max((iso_day(day, _TITLE) for day in days), default=None),
            }
        known: dict[str, Any] = self._known[company]
        return known

    def _accounts(self, document: Document) -> dict[str, int]:
        wanted = sorted({line.account for line in document.lines})
        domain = [["code", "in", wanted], ["active", "=", True], ["company_ids", "in", [self._id(document.company)]]]
        return {
            str(row["code"]): row["id"] for row in self._rows("account.account", domain, ["code"], document.company)
        }

    def _analytic(self, document: Document) -> dict[tuple[str, str], str]:
        wanted = sorted({code for line in document.lines for code in self.setup.codes(line).values()})
        if not wanted:
            return {}
        names = ["code", "plan_id"]
        rows = self._rows("account.analytic.account", [["code", "in", wanted]], names, document.company)
        return {(str(row["plan_id"][1]), str(row["code"])): str(row["id"]) for row in rows}

    def _named(self, model: str, lines: Iterable[Mapping[str, Any]], company: str) -> list[Mapping[str, Any]]:
        ids = sorted({line["account_id"][0] for line in lines})
        return self._rows(model, [["id", "in", ids]], ["code"], company) if ids else []

    def _distributed(self, lines: Iterable[Mapping[str, Any]], company: str) -> dict[str, tuple[str, str]]:
        keys = {key for line in lines for key in (line.get("analytic_distribution") or {})}
        ids = sorted({int(each) for key in keys for each in key.split(",")})
        domain = [["id", "in", ids]]
        rows = self._rows("account.analytic.account", domain, ["code", "plan_id"], company) if ids else []
        return {str(row["id"]): (str(row["plan_id"][1]), str(row["code"])) for row in rows}

    def _foreign(self, currency: str, company: str) -> int:
        found = self._rows("res.currency", [["name", "=", currency]], ["name"], company)
        if not found:
            said = f"{self.name} has no currency {currency}."
            raise RejectedError([Rejection("", company, 0, "WRONG_CURRENCY", said, "Add the currency there.")])
        made: int = found[0]["id"]
        return made

    def _rows(self, model: str, domain: list[Any], names: list[str], company: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        while True:
            asked = {"domain": domain, "fields": names, "offset": len(found), "limit": _PAGE, "order": "id"}
            page = rows_of(self._call(model, "search_read", asked, company), _TITLE)
            found += page
            if len(page) < _PAGE:
                return found

    def _call(
        self, model: str, method: str, body: dict[str, Any], company: str, document: Document | None = None
    ) -> Any:
        caller = Caller(self.url, _TITLE, self._headers, (self.key,), self.limits, self.certificates)
        context = {"lang": "en_US", "allowed_company_ids": [self._id(company)]}
        answer = caller.call("POST", f"/json/2/{model}/{method}", body={**body, "context": context})
        if answer.status == 200:
            return answer.json()
        found = row_of(answer.json(), _TITLE) if answer.body[:1] == b"{" else {}
        said = caller.told(" ".join(str(found.get("message") or "").split())[:500])
        kind = str(found.get("name") or "").rpartition(".")[2]
        if kind in {"SerializationFailure", "LockNotAvailable", "ConcurrencyError"}:
            raise TargetBusyError(f"{self.name} is busy with the same records.", advice="Push again.")
        if not kind or not said or answer.status in {404, 500, 502, 504} and kind not in _REFUSALS:
            caller.uncertain(answer)
            rows_of(None, _TITLE)
        self._refused(kind, said, document)

    def _refused(self, kind: str, said: str, document: Document | None) -> NoReturn:
        if kind in {"AccessError", "AccessDenied"}:
            raise NotAuthorisedError(f"{self.name}: {said}", advice="Let the key's user make and post entries.")
        if kind == "MissingError":
            raise UnknownReferenceError(f"{self.name}: {said}", advice="Push the journal again.")
        entry, company = (document.entry, document.company) if document else ("", "")
        if "lock date" in said.lower():
            advice = "Open the period there, or export the journal with a posting day in an open one."
            raise ClosedPeriodError([Rejection(entry, company, 0, "PERIOD_CLOSED", said, advice)])
        advice = "Repair it in the ledger's set-up or in the mapping, then push again."
        raise RejectedError([Rejection(entry, company, 0, "REFUSED", said, advice)])

    def _headers(self, _method: str, _url: str) -> dict[str, str]:
        return {"Authorization": f"bearer {self.key.text}", "X-Odoo-Database": self.database}


_REFUSALS = frozenset("UserError ValidationError AccessError AccessDenied MissingError RedirectWarning".split())


def _found(row: Mapping[str, Any]) -> Found:
    is_posted = row.get("state") == "posted"
    return Found(
        str(row["id"]), Standing.POSTED if is_posted else Standing.DRAFT, str(row["name"]) if is_posted else ""
    )
