"""The books of the large company: former months loaded at once, as the acts would have left them.

Documents with totals, lines and bodies, closes, decided disputes with comments, and an audit chain that holds. Numbers
have no gap, digests are those of the bodies, and every trigger is in place while it is loaded.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction

from apportion.invoice import series as numbers
from apportion.invoice.paper import MonthTotal, Paper, PaperKind, to_json
from apportion.periods import BillingPeriod
from apportion.records import convert
from apportion.records.audit import AuditEntry, AuditHead
from apportion.records.chain import BEGINNING, canonical, entry_hash
from apportion.records.groups import Charging, CostGroup, Mode
from apportion.records.people import Grant, Person
from apportion.review.permission import Role
from bench import company as made
from bench.company import Company, Group

ROLES = {
    "controller": Role.CONTROLLER,
    "second": Role.CONTROLLER,
    "analyst": Role.ANALYST,
    "auditor": Role.AUDITOR,
    "administrator": Role.ADMINISTRATOR,
}
_PREFIX = "ST"
_DISPUTED_EVERY = 120
_NONE = "!"  # what Django keeps for somebody who cannot sign in with a password
_COLUMNS = {
    "records_document": (
        "id kind period series_id number label statement holder cost_group_id name about_id dispute_id showback "
        "run_digest policy_digest body_digest issue_state review_state posting_state prepared_by_id issued_at "
        "issued_by_id review_until reviewed_at reviewed_by_id voided_at posted_at journal ledger_reference "
        "exported_by_id"
    ),
    "records_documentbody": "document_id text",
    "records_documenttotal": (
        "id document_id currency amount_minor direct_minor shared_minor adjusted_minor before_minor budget_minor "
        "change_parts"
    ),
    "records_documentline": (
        "id document_id number kind service charge_category pool_id invoice_issuer invoice_id billing_account_id "
        "billed_currency billed_minor currency amount_minor corrects"
    ),
    "records_series": "id name last_number",
    "records_close": (
        "id period run_digest issued_run_digest tie_out summary tagged data_complete_at data_complete_by_id "
        "allocated_at allocated_by_id issued_at issued_by_id review_until posted_at posted_by_id sealed_at sealed_by_id"
    ),
    "records_dispute": (
        "id document_id line reason text currency amount_minor state opened_by_id opened_at outcome settlement "
        "settle_to_id policy_version_id agreed_minor decision proposed_by_id proposed_at decided_by_id decided_at"
    ),
    "records_comment": "id document_id dispute_id line text by_id at",
    "records_auditentry": (
        "number at person_id person_name via act subject_kind subject_id subject before after reason request_id "
        "address previous_hash hash"
    ),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """How much there is now."""

    documents: int
    lines: int
    entries: int


def people(company: Company) -> None:
    """Everybody, nobody with a password: sessions are made for them. Owners get their roles with the tree."""
    rows = [
        Person(email=f"{name}@{made.HOST}", name=name.capitalize(), password=_NONE) for name in (*ROLES, "executive")
    ]
    rows += [Person(email=address, name=name, password=_NONE) for address, name in company.people().items()]
    Person.objects.bulk_create(rows, batch_size=500)
    Grant.objects.bulk_create([Grant(person=row, role=ROLES[name]) for name, row in zip(ROLES, rows, strict=False)])


def modes(company: Company, since: BillingPeriod) -> None:
    """Three of five groups are in chargeback from the first period on; the executive answers for everything."""
    top = CostGroup.objects.get(parent=None)
    Grant.objects.create(person=person("executive"), role=Role.EXECUTIVE, cost_group=top)
    groups = dict(CostGroup.objects.values_list("code", "pk"))
    Mode.objects.bulk_create(
        [
            Mode(
                cost_group_id=groups[group.code],
                charging=Charging.CHARGEBACK,
                from_period=str(since),
                reason="Three quiet months.",
                decided_by=person("controller"),
            )
            for group in company.groups
            if company.is_charged(group)
        ],
        batch_size=500,
    )


def person(name: str) -> Person:
    """Somebody by the first part of their mail address."""
    return Person.objects.get(email=f"{name}@{made.HOST}")


@dataclass
class _Loader:
    """Rows on their way into the tables, with the next number of each."""

    company: Company
    groups: dict[str, int]
    people: dict[str, int]
    series: dict[str, list[int]] = field(default_factory=dict)
    former: dict[int, deque[MonthTotal]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=44)))
    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    number: int = 0
    hash: str = BEGINNING

    def key(self, table: str) -> int:
        """The next key of a table that has no rows but these."""
        self.counts[table] += 1
        return self.counts[table]

    def who(self, name: str) -> int:
        return self.people[f"{name}@{made.HOST}"]

    def month(self, groups: Sequence[Group], month: int, period: BillingPeriod) -> None:
        """All documents of a month, and its close."""
        sums: dict[str, int] = defaultdict(int)
        issued = _at(made.issued_on(period))
        lines = 0
        for group in groups:
            paper = self._paper(group, month, period)
            lines += len(paper.lines)
            for total in paper.totals:
                sums[total.currency] += total.minor
        summary = {"totals": dict(sums), "unallocated": {}, "kept_central": {}, "shared": {}, "lines": lines}
        summary |= {"statements": len(groups), "cost_groups": len(groups), "rows": 2 * lines, "cost_basis": "billed"}
        run = made.run_digest(period)
        one, two = self.who("controller"), self.who("second")
        steps = (issued, self.who("analyst"), issued, self.who("analyst"), issued, one, made.issued_on(period))
        done = (issued + timedelta(days=20), two, issued + timedelta(days=25), two)
        tie_out = {"holds": True, "cost_basis": "billed", "stages": [], "differences": []}
        self.rows["records_close"].append(
            (
                *(self.key("records_close"), str(period), run, run),
                *(json.dumps(each) for each in (tie_out, summary, {})),
                *steps,
                *done,
            )
        )

    def _paper(self, group: Group, month: int, period: BillingPeriod) -> Paper:
        document = self.key("records_document")
        former = self.former[group.place]
        kind = PaperKind.INVOICE if self.company.is_charged(group) else PaperKind.STATEMENT
        series = numbers.series_of(kind, "1000", period, 1)
        found = self.series.setdefault(str(series), [len(self.series) + 1, 0])
        found[1] += 1
        label = numbers.label(series, found[1], _PREFIX)
        earlier = tuple(each for each in former if _within(each.period, period))
        paper = made.paper(self.company, group, month, period, label, earlier)
        text = to_json(paper)
        self._document(document, group, paper, text, found)
        self.rows["records_documentbody"].append((document, text))
        self._totals(document, paper)
        self._lines(document, paper)
        for total in paper.totals:
            former.append(MonthTotal(str(period), total.currency, total.minor))
        owner = paper.owners.technical
        at = _at(paper.issued_on) + timedelta(days=1 + group.place % 12, seconds=group.place)
        self._entry(at, owner, "accept", "document", document, label)
        if document % _DISPUTED_EVERY == 0:
            self._dispute(document, paper, owner)
        return paper

    def _document(self, pk: int, group: Group, paper: Paper, text: str, series: Sequence[int]) -> None:
        issued = _at(paper.issued_on)
        reviewed = issued + timedelta(days=1 + group.place % 12, seconds=group.place)
        is_charged = paper.kind is PaperKind.INVOICE
        ledger = (
            (issued + timedelta(days=20), f"J-{paper.period}", f"GL-{paper.period}", self.who("second"))
            if is_charged
            else (None, "", "", None)
        )
        self.rows["records_document"].append(
            (
                pk, str(paper.kind), paper.period, series[0], series[1], paper.label, paper.statement, paper.holder,
                self.groups[group.code], paper.name, None, None, False, paper.run_digest, paper.policy_digest,
                convert.digest(text), "issued", "accepted", "posted" if is_charged else "unposted",
                self.who("analyst"), issued, self.who("controller"), paper.review_until, reviewed,
                self.people[paper.owners.technical], None, *ledger,
            )
        )  # fmt: skip

    def _totals(self, document: int, paper: Paper) -> None:
        before = {change.currency: change for change in paper.changes}
        budgets = {budget.currency: budget.minor for budget in paper.budgets}
        for total in paper.totals:
            change = before.get(total.currency)
            parts = {str(part): minor for part, minor in change.parts} if change else {}
            self.rows["records_documenttotal"].append(
                (
                    self.key("records_documenttotal"), document, total.currency, total.minor, total.direct_minor,
                    total.shared_minor, 0, change.before_minor if change else None, budgets[total.currency],
                    json.dumps(parts),
                )
            )  # fmt: skip

    def _lines(self, document: int, paper: Paper) -> None:
        first = self.counts["records_documentline"]
        self.counts["records_documentline"] += len(paper.lines)
        self.rows["records_documentline"] += [
            (
                first + line.number, document, line.number, str(line.kind), line.service, line.charge_category,
                line.pool_id, line.invoice_issuer, line.invoice_id, line.billing_account_id, line.billed_currency,
                line.billed_minor, line.currency, line.minor, line.corrects,
            )
            for line in paper.lines
        ]  # fmt: skip

    def _dispute(self, document: int, paper: Paper, owner: str) -> None:
        pk, line = self.key("records_dispute"), paper.lines[document % len(paper.lines)]
        opened = _at(paper.issued_on) + timedelta(days=2)
        agreed = pk % 3 == 0
        self.rows["records_dispute"].append(
            (
                pk, document, line.number, "wrong_amount", "This is more than we agreed to use.", line.currency,
                abs(line.minor), "rejected", self.people[owner], opened, "rejected", "", None, None, 0,
                "The hours are those of your own cluster.", self.who("controller"), opened + timedelta(days=1),
                self.who("second"), opened + timedelta(days=3 + agreed),
            )
        )  # fmt: skip
        for by, text in ((owner, "Can somebody look?"), (f"analyst@{made.HOST}", "I compared the hours, see below.")):
            key = self.key("records_comment")
            self.rows["records_comment"].append((key, document, pk, None, text, self.people[by], opened))
        self._entry(opened, owner, "dispute", "dispute", pk, paper.label)

    def _entry(self, at: datetime, by: str, act: str, kind: str, subject: int, name: str) -> None:
        self.number += 1
        entry = AuditEntry(
            number=self.number,
            at=at,
            person_id=self.people[by],
            person_name=by.partition("@")[0],
            via="web",
            act=act,
            subject_kind=kind,
            subject_id=str(subject),
            subject=name,
            before=canonical({"review_state": "awaiting_review"}),
            after=canonical({"review_state": "accepted" if act == "accept" else "disputed"}),
            reason="",
            request_id=f"{self.number:016x}",
            address="192.0.2.7",
            previous_hash=self.hash,
        )
        self.hash = entry_hash(entry)
        self.rows["records_auditentry"].append(
            (*(getattr(entry, name) for name in _COLUMNS["records_auditentry"].split()[:-1]), self.hash)
        )

    def written(self) -> None:
        """Everything that waits goes into its table, those that others name first."""
        for table, columns in _COLUMNS.items():
            if rows := self.rows.pop(table, []):
                _written(table, columns.split(), rows)


def load(company: Company, months: Sequence[BillingPeriod], lines: int) -> Loaded:
    """Load these months into books that have people and the tree and no documents, with about so many lines."""
    head = AuditHead.objects.filter(pk=1).first() or AuditHead()
    loader = _Loader(
        company,
        dict(CostGroup.objects.values_list("code", "pk")),
        dict(Person.objects.values_list("email", "pk")),
        number=head.number,
        hash=head.hash or BEGINNING,
    )
    groups = _some(company, lines // max(1, len(months)))
    with transaction.atomic():
        _prepared()
        for month, period in enumerate(months):
            loader.month(groups, month, period)
            _with_series(loader)
            loader.written()
        _numbered(loader)
        AuditHead.objects.update_or_create(pk=1, defaults={"number": loader.number, "hash": loader.hash})
    return Loaded(loader.counts["records_document"], loader.counts["records_documentline"], loader.number)


def _some(company: Company, lines: int) -> list[Group]:
    """Groups with about so many lines between them, the large ones among them, in the order of the tree."""
    found, count = [], 0
    for group in sorted(company.groups, key=lambda group: (-company.size(group) // 100, group.place * 7919 % 5003)):
        if count >= lines:
            break
        found.append(group)
        count += company.size(group) + len(made.POOLS)
    return sorted(found, key=lambda group: group.place)


def _within(month: str, period: BillingPeriod) -> bool:
    """Whether a month is one of the eleven before a period."""
    found = BillingPeriod.parse(month)
    return 0 < (period.year - found.year) * 12 + period.month - found.month < 12


def _with_series(loader: _Loader) -> None:
    """Series have to be there before the documents that name them; their last numbers are put right at the end."""
    known = loader.counts["records_series"]
    for name, (pk, _) in list(loader.series.items())[known:]:
        _written("records_series", ["id", "name", "last_number"], [(pk, name, 0)])
        loader.counts["records_series"] += 1


def _at(day: date | None) -> datetime:
    return datetime.combine(day or date.min, time(9, 30), UTC)


def _prepared() -> None:
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA cache_size = -200000")


def _written(table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            places = ", ".join("?" * len(columns))
            cursor.connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", _plain(rows))


def _plain(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Instants as Django writes them into SQLite."""
    for row in rows:
        yield tuple(
            value.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
            if isinstance(value, datetime)
            else value.isoformat()
            if isinstance(value, date)
            else value
            for value in row
        )


def _numbered(loader: _Loader) -> None:
    """The series know their last numbers, and PostgreSQL the next keys."""
    with connection.cursor() as cursor:
        for name, (_, last) in loader.series.items():
            cursor.execute("UPDATE records_series SET last_number = %s WHERE name = %s", [last, name])
        if connection.vendor == "postgresql":
            for table in loader.counts:
                if table not in {"records_documentbody", "records_auditentry"}:
                    cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
