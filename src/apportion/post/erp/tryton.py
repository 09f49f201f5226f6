"""Tryton 7 or 8 over its JSON-RPC: `account.move` with an analytic line for each axis of each line of profit and loss.

It keeps no key of ours, takes the same entry twice, and posts lines whose analytic part is missing; so the key stands
first in the entry's description, and every line's state is read back. Works on PostgreSQL only: on SQLite Tryton posts
entries that do not balance.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NoReturn
from urllib.parse import quote

from apportion.post.erp import connected
from apportion.post.erp.calling import Caller, Limits
from apportion.post.erp.connected import Setup
from apportion.post.erp.document import Codes, Document, DocumentLine, Spot, add, without_zeros
from apportion.post.erp.errors import (
    ClosedPeriodError,
    NotAuthorisedError,
    RejectedError,
    Rejection,
    TargetBusyError,
    UnknownReferenceError,
)
from apportion.post.erp.reading import careful
from apportion.post.erp.secret import Secret
from apportion.post.erp.target import Balance, Found, Holding, Link, Standing, Traits
from apportion.post.erp.tryton_chart import Chart, read_chart
from apportion.post.erp.tryton_wire import (
    balance_of,
    day_sent,
    day_told,
    decimal,
    entry_found,
    nonsense,
    refusal_text,
    related,
    strange,
)

_PAGE = 1000
_TITLE = "Tryton"
_WRITES = frozenset({"create", "post", "delete"})


@careful
@dataclass(frozen=True)
class TrytonTarget:
    """One Tryton database. `companies` of the set-up are names of companies there; `axes` name analytic roots by code.

    Options: ``journal``, the code of the journal (``MISC`` without one).
    """

    url: str
    database: str
    user: str
    password: Secret
    setup: Setup
    limits: Limits = field(default_factory=Limits)
    certificates: str = ""
    _session: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _known: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """See `Target`."""
        return self.setup.name

    @property
    def traits(self) -> Traits:
        """Each line takes it some ten milliseconds, so lines of one place are sent as one."""
        return Traits(together=True)

    def check(self, documents: Sequence[Document]) -> tuple[Rejection, ...]:
        """See `Target`."""
        self._known.clear()
        found: list[Rejection] = []
        for document in documents:
            if document.company not in self.setup.companies:
                found.append(connected.strange_company(document, self.setup))
            else:
                found += self._chart(document).refused(document, self.setup)
        return tuple(found)

    def expected(self, document: Document) -> Mapping[Spot, int]:
        """Only accounts of profit and loss have analytic lines; see `Target`."""
        chart = self._chart(document)
        found: dict[Spot, int] = {}
        for line in document.lines:
            add(found, (line.account, self._kept(line, chart)), line.amount_minor)
        return without_zeros(found)

    def find(self, company: str, key: str) -> tuple[Found, ...]:
        """See `Target`."""
        domain = [["company", "=", self._company(company)], ["description", "like", f"{key} %"]]
        moves = self._rows("account.move", domain, ["state", "number"], company, order=[["id", "ASC"]])
        return tuple(entry_found(move) for move in moves)

    def create(self, document: Document, key: str, reverses: Link | None) -> Found:
        """See `Target`."""
        chart = self._chart(document)
        refused = chart.refused(document, self.setup)
        if refused:
            closed = any(each.code == "PERIOD_CLOSED" for each in refused)
            raise (ClosedPeriodError if closed else RejectedError)(refused)
        move = {
            "company": self._company(document.company),
            "journal": chart.journal,
            "period": chart.period(document.posting_on),
            "date": day_sent(document.posting_on),
            "description": connected.keyed(key, f"{document.text} ({document.entry})"),
            "lines": [["create", [self._line(document, line, chart) for line in document.lines]]],
        }
        if reverses is not None:
            move["origin"] = f"account.move,{reverses.reference}"
        made = self._model("account.move.create", [[move]], document.company, document)
        if not isinstance(made, list) or len(made) != 1 or type(made[0]) is not int:
            raise nonsense("no id of a new entry")
        return Found(str(made[0]), Standing.DRAFT)

    def post(self, company: str, reference: str) -> None:
        """See `Target`."""
        self._model("account.move.post", [[int(reference)]], company)

    def read_state(self, company: str, reference: str) -> Mapping[str, Any]:
        """The head of an entry. Raises `UnknownReferenceError`."""
        fields = ["state", "number", "date", "origin", "description"]
        rows = self._rows("account.move", [["id", "=", int(reference)]], fields, company)
        if not rows:
            raise UnknownReferenceError(
                f"{self.name} has no entry {reference} (any more).", advice="Push the journal again."
            )
        return rows[0]

    def read(self, company: str, reference: str) -> Holding:
        """See `Target`."""
        head = self.read_state(company, reference)
        currency = self._currency(company)
        of_move = [["move", "=", int(reference)]]
        names = ["account.code", "account.type.statement", "debit", "credit", "state", "analytic_state"]
        lines = self._rows("account.move.line", of_move, names, company, order=[["id", "ASC"]])
        of_lines = [["move_line.move", "=", int(reference)]]
        names = ["move_line", "account.code", "account.root.code", "debit", "credit"]
        analytic = self._rows("analytic_account.line", of_lines, names, company)
        found = entry_found(head)
        sums, problems = self._sums(lines, analytic, currency, found.standing)
        return Holding(
            reference=found.reference,
            standing=found.standing,
            number=found.number,
            posting_on=day_told(head.get("date")),
            sums=without_zeros(sums),
            problems=tuple(problems),
            reverses=str(head.get("origin") or "").rpartition(",")[2],
        )

    def discard(self, company: str, reference: str) -> None:
        """See `Target`."""
        domain = [["id", "=", int(reference)]]
        if self._rows("account.move", domain, ["state"], company):
            self._model("account.move.delete", [[int(reference)]], company)

    def trial_balance(self, company: str, since: date, until: date, accounts: Iterable[str]) -> tuple[Balance, ...]:
        """See `Target`."""
        domain = [
            ["move.company", "=", self._company(company)],
            ["move.state", "=", "posted"],
            ["date", ">=", day_sent(since)],
            ["date", "<=", day_sent(until)],
            ["account.code", "in", sorted(set(accounts))],
        ]
        currency = self._currency(company)
        lines = self._rows("account.move.line", domain, ["account.code", "debit", "credit"], company)
        ids = [line["id"] for line in lines]
        analytic: list[Mapping[str, Any]] = []
        root = self.setup.axes.get("cost_center")
        for some in connected.parts(ids, _PAGE):
            of_lines = [["move_line", "in", list(some)], ["account.root.code", "=", root]]
            analytic += self._rows("analytic_account.line", of_lines, ["move_line", "account.code"], company)
        centers = {row["move_line"]: related(row, "account.")["code"] for row in analytic}
        sums: dict[tuple[str, str], int] = {}
        for line in lines:
            place = (related(line, "account.")["code"], str(centers.get(line["id"], "")))
            sums[place] = sums.get(place, 0) + balance_of(line, currency)
        return tuple(Balance(*place, amount) for place, amount in sorted(sums.items()))

    def _kept(self, line: DocumentLine, chart: Chart) -> Codes:
        if not chart.accounts[line.account].is_analytic:
            return ()
        return tuple(code for code in line.codes if code[0] in self.setup.axes)

    def _line(self, document: Document, line: DocumentLine, chart: Chart) -> dict[str, object]:
        account = chart.accounts[line.account]
        debit, credit = (decimal(text) for text in connected.side(line.amount_minor, document.currency))
        made: dict[str, object] = {
            "account": account.id,
            "debit": debit,
            "credit": credit,
            "description": line.text,
        }
        if line.second:
            currency, amount = line.second
            made["second_currency"] = chart.currencies[currency]
            made["amount_second_currency"] = decimal(connected.signed(amount, currency))
        if account.needs_party:
            made["party"] = chart.parties[self.setup.parties.get(line.partner, line.partner)]
        if account.is_analytic:
            codes = self.setup.codes(line)
            ids = [chart.analytic[root, code] for root, code in sorted(codes.items())]
            made["analytic_lines"] = [
                ["create", [{"account": each, "debit": debit, "credit": credit, "date": day_sent(document.posting_on)}]]
                for each in ids
            ]
        return made

    def _sums(
        self,
        lines: Iterable[Mapping[str, Any]],
        analytic: Iterable[Mapping[str, Any]],
        currency: str,
        standing: Standing,
    ) -> tuple[dict[Spot, int], list[str]]:
        codes: dict[int, list[tuple[str, str]]] = {}
        for row in analytic:
            account = related(row, "account.")
            ours = self.setup.ours(str(related(account, "root.").get("code")))
            codes.setdefault(row["move_line"], []).append((ours, str(account.get("code"))))
        sums: dict[Spot, int] = {}
        problems = []
        for number, line in enumerate(lines, start=1):
            account = related(line, "account.")
            code = str(account.get("code"))
            add(sums, (code, tuple(sorted(codes.get(line["id"], ())))), balance_of(line, currency))
            if line.get("state") != "valid":
                problems.append(f"Line {number} on account {code} is not balanced.")
            # Tryton sets this state of a balance account's line only when it is posted.
            is_told = standing is Standing.POSTED or related(account, "type.").get("statement") == "income"
            if is_told and line.get("analytic_state") != "valid":
                problems.append(f"Line {number} on account {code} is not complete in its analytic lines.")
        return sums, problems

    def _chart(self, document: Document) -> Chart:
        """The master data that a document touches, read once for each check."""
        wanted = (
            document.company,
            document.posting_on,
            tuple(sorted({line.account for line in document.lines})),
            tuple(sorted({pair for line in document.lines for pair in self.setup.codes(line).items()})),
            tuple(sorted({line.partner for line in document.lines if line.partner})),
            tuple(sorted({line.second[0] for line in document.lines if line.second})),
        )
        key = repr(wanted)
        if key not in self._known:

            def rows(model: str, domain: list[object], names: list[str]) -> list[Mapping[str, Any]]:
                return self._rows(model, domain, names, document.company)

            self._known[key] = read_chart(rows, self._company(document.company), document, self.setup)
        chart: Chart = self._known[key]
        return chart

    def _company(self, company: str) -> int:
        key = f"company {company}"
        if key not in self._known:
            domain = [["party.name", "=", self.setup.theirs(company)]]
            rows = self._call_model("company.company.search_read", [domain, 0, 2, None, ["currency.code"]], {})
            if not isinstance(rows, list) or len(rows) != 1:
                raise NotAuthorisedError(
                    f"{self.name} shows no company named '{self.setup.theirs(company)}', or several.",
                    advice="Correct the name in the target's settings, or let its user see the company.",
                )
            self._known[key] = rows[0]["id"]
            self._known[f"currency {company}"] = related(rows[0], "currency.")["code"]
        found: int = self._known[key]
        return found

    def _currency(self, company: str) -> str:
        self._company(company)
        return str(self._known[f"currency {company}"])

    def _rows(
        self, model: str, domain: list[Any], names: list[str], company: str, order: object = None
    ) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        while True:
            page = self._model(
                f"{model}.search_read", [domain, len(found), _PAGE, order or [["id", "ASC"]], names], company
            )
            if not isinstance(page, list) or not all(isinstance(row, dict) and "id" in row for row in page):
                raise nonsense(f"no rows of {model}")
            found += page
            if len(page) < _PAGE:
                return found

    def _model(self, method: str, params: list[Any], company: str, document: Document | None = None) -> Any:
        context = {"company": self._company(company), "language": "en"}
        return self._call_model(method, params, context, document)

    def _call_model(
        self, method: str, params: list[Any], context: dict[str, Any], document: Document | None = None
    ) -> Any:
        if "preferences" not in self._session:
            self._sign_in()
        for again in (False, True):
            whole = {**self._session["preferences"], **context}
            try:
                answer = self._sent(f"model.{method}", [*params, whole])
            except NotAuthorisedError:  # the session has ended: 401
                if again:
                    raise
                self._sign_in()
                continue
            if "error" not in answer:
                return answer.get("result")
            self._refused(answer["error"], document)
        raise AssertionError

    def _sign_in(self) -> None:
        answer = self._sent("common.db.login", [self.user, {"password": self.password.text}, "en"], signed=False)
        found = answer.get("result")
        if not isinstance(found, list) or len(found) < 2:
            raise NotAuthorisedError(
                f"{self.name} does not know the user '{self.user}' with this password, in database {self.database}.",
                advice="Check the user, the database and the secret.",
            )
        token = base64.b64encode(f"{self.user}:{found[0]}:{found[1]}".encode()).decode("ascii")
        self._session["token"] = token
        preferences = self._sent("model.res.user.get_preferences", [True, {}]).get("result")
        self._session["preferences"] = preferences if isinstance(preferences, dict) else {}

    def _sent(self, method: str, params: list[Any], *, signed: bool = True) -> dict[str, Any]:
        """One request; one that only reads is repeated for a while."""
        if method.rpartition(".")[2] in _WRITES:
            return self._send(method, params, signed=signed)
        return self.setup.patience(lambda: self._send(method, params, signed=signed))

    def _send(self, method: str, params: list[Any], *, signed: bool) -> dict[str, Any]:
        token = self._session.get("token", "")
        secrets = (self.password, Secret(token))
        caller = Caller(self.url, _TITLE, lambda *_: {}, secrets, self.limits, self.certificates)
        headers = {"Authorization": f"Session {token}"} if signed else {}
        body = {"id": 1, "method": method, "params": params}
        answer = caller.call("POST", f"/{quote(self.database)}/rpc/", body=body, headers=headers)
        caller.uncertain(answer)
        if answer.status != 200:
            raise strange(answer)
        found = answer.json()
        if not isinstance(found, dict) or ("result" not in found and "error" not in found):
            raise strange(answer)
        return found

    def _refused(self, error: object, document: Document | None) -> NoReturn:
        """Tryton's own sentences, as errors of ours."""
        said = refusal_text(error)
        if "don't exist" in said:
            raise UnknownReferenceError(f"{self.name}: {said}", advice="Push the journal again.")
        if "Concurrency" in said or ("modified" in said and "since" in said):
            raise TargetBusyError(f"{self.name} is busy with the same records.", advice="Push again.")
        if "not allowed to" in said and ("access" in said or "of at le" in said or "Calling button" in said):
            raise NotAuthorisedError(f"{self.name}: {said}", advice="Let the user make and post entries.")
        entry = document.entry if document else ""
        company = document.company if document else ""
        if "period" in said.lower() and ("reopen" in said or "create a" in said or "closed" in said):
            advice = "Open the period there, or export the journal with a posting day in an open one."
            raise ClosedPeriodError([Rejection(entry, company, 0, "PERIOD_CLOSED", said, advice)])
        advice = "Repair it in the ledger's set-up or in the mapping, then push again."
        raise RejectedError([Rejection(entry, company, 0, "REFUSED", said, advice)])
