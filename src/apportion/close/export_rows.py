"""What stands beside each charge of an export, and the rows that replace the charges in pools.

Takes a run with its statements, gives the decisions and lines that the warehouse writes beside charges, and allocated
rows as texts by FOCUS columns and ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from apportion.allocate.allocation import Scope
from apportion.allocate.based import Based, Bases, WeightIn
from apportion.allocate.basis import Metered
from apportion.allocate.passed_on import InPool, PassedOn
from apportion.allocate.policy import CostBasis, Policy
from apportion.allocate.rule import Holder
from apportion.close.corrections import evidence
from apportion.close.run import Run
from apportion.invoice.statement import LineKind, Statement
from apportion.money.amount import plain
from apportion.periods import BillingPeriod
from apportion.warehouse.allocated import Beside, Decided, LineKey, Pooled
from apportion.warehouse.allocated_rows import DETAILS, Row, Table
from apportion.warehouse.snapshot import Snapshot

PREFIX = "x_Apportion"
_HOLDER = ("Holder", "CostGroup", "CostGroupName", "Path", "Company", "CostCenter", "Department", "LedgerAccount",
           "Statement")  # fmt: skip
HOLDER_COLUMNS = tuple(PREFIX + name for name in _HOLDER)
ORIGIN, LINE, RULE, CORRECTS = (PREFIX + name for name in ("Origin", "Line", "Rule", "Corrects"))
POOL, POOL_NAME, FIRST_POOL = (PREFIX + name for name in ("Pool", "PoolName", "FirstPool"))
STATEMENT, POLICY, RUN = (PREFIX + name for name in ("Statement", "PolicyDigest", "RunDigest"))
OURS: Mapping[str, str] = {
    ORIGIN: "VARCHAR",
    **dict.fromkeys(HOLDER_COLUMNS, "VARCHAR"),
    LINE: "INTEGER",
    RULE: "VARCHAR",
    POOL: "VARCHAR",
    POOL_NAME: "VARCHAR",
    FIRST_POOL: "VARCHAR",
    CORRECTS: "VARCHAR",
    POLICY: "VARCHAR",
    RUN: "VARCHAR",
}
"""Our columns and their engine types, in the order in which they are written."""

_SCOPE = ("InvoiceIssuerName", "InvoiceId", "BillingAccountId", "BillingCurrency")  # always there, in this order
_PROVIDERS = ("ProviderName", "PublisherName", "ServiceProviderName")
ALLOCATED = ("AllocatedMethodDetails", "AllocatedMethodId", "AllocatedResourceId", "AllocatedResourceName",
             "AllocatedTags")  # fmt: skip
DATES = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
NEEDED = (*_SCOPE, *DATES, "ChargeCategory", "ChargeClass", "ChargeDescription", "ServiceName", "ServiceCategory",
          "BilledCost", "EffectiveCost", *ALLOCATED)  # fmt: skip
"""FOCUS columns that every export has, delivered or not."""


class Grain(StrEnum):
    """How finely charges in pools are told apart once they are allocated."""

    POOL = "pool"
    SERVICE = "service"
    DETAIL = "detail"


_BY_POOL = (*_SCOPE, *_PROVIDERS, "HostProviderName", "BillingAccountName", "BillingAccountType", "ChargeCategory",
            "ChargeClass")  # fmt: skip
_BY_SERVICE = (*_BY_POOL, "ServiceCategory", "ServiceName")
_IN_DETAIL = (*_BY_SERVICE, "ServiceSubcategory", "SubAccountId", "SubAccountName", "SubAccountType", "RegionId",
              "RegionName", "ResourceType", "ChargeFrequency", "PricingCategory", "CommitmentDiscountId",
              "CommitmentDiscountName", "CommitmentDiscountCategory", "CommitmentDiscountType",
              "CommitmentDiscountStatus")  # fmt: skip
_TOLD_APART = {Grain.POOL: _BY_POOL, Grain.SERVICE: _BY_SERVICE, Grain.DETAIL: _IN_DETAIL}


def told_apart(grain: Grain, there: Collection[str]) -> tuple[str, ...]:
    """The columns that tell charges in pools apart; of those that no file has, only what every export has."""
    return tuple(name for name in _TOLD_APART[grain] if name in there or name in NEEDED)


def charged(run: Run) -> str:
    """The cost column that the policy charges on."""
    return "EffectiveCost" if run.allocation.cost_basis is CostBasis.EFFECTIVE else "BilledCost"


def beside(run: Run, snapshot: Snapshot, statements: Sequence[Statement]) -> Beside:
    """What the warehouse writes beside the charges of a run."""
    places = {statement.holder: place for place, statement in enumerate(statements)}
    pools = {pool.id for policy in (run.policy, *run.former.values()) for pool in policy.pools}
    months = sorted({cell.corrects for cell in run.allocation.cells if cell.corrects})
    decided, late = [], {}
    for corrects in ("", *months):
        files, sidecars, decisions = evidence(snapshot, run.sidecars, run.decisions, corrects)
        for outcome, made in enumerate(decisions):
            if made.target.holder is not Holder.POOL and made.target in places:
                decided.append(Decided(corrects, outcome, places[made.target], None, made.rule_id))
            elif made.target.code in pools and made.target.holder is Holder.POOL:
                decided.append(Decided(corrects, outcome, None, made.target.code, made.rule_id))
        if corrects:
            late[corrects] = (files, sidecars)
    return Beside(
        decided=decided,
        lines=list(_lines(run, statements)),
        holder_columns=HOLDER_COLUMNS,
        holders=[_held(statement) for statement in statements],
        constants={ORIGIN: "origin", POLICY: run.allocation.policy_digest, RUN: run.digest},
        late=late,
        named={"rule": RULE, "corrects": CORRECTS, "line": LINE},
        effective=run.allocation.cost_basis is CostBasis.EFFECTIVE,
    )


def _held(statement: Statement) -> list[str | None]:
    is_group = statement.holder.holder is Holder.COST_GROUP
    coding = statement.coding
    path = " > ".join(name for _, name in statement.path)
    texts = [
        str(statement.holder.holder),
        statement.holder.code,
        statement.name if is_group else "",
        path,
        coding.company,
        coding.cost_center,
        coding.department,
        coding.ledger_account,
        str(statement.number),
    ]
    return [text or None for text in texts]


def _lines(run: Run, statements: Sequence[Statement]) -> Iterator[LineKey]:
    """The lines of direct cost, by every spelling of their issuers."""
    aliases = run.settings.issuer_aliases
    for place, statement in enumerate(statements):
        for line in statement.lines:
            if line.kind is not LineKind.DIRECT:
                continue
            issuer, invoice, account, currency = line.scope
            spellings = {spelling for spelling, name in aliases.items() if name == issuer}
            if aliases.get(issuer, issuer) == issuer:
                spellings.add(issuer)
            for spelling in sorted(spellings):
                yield LineKey(
                    place, line.corrects, spelling, invoice, account, currency, line.service, line.charge_category,
                    line.number,
                )  # fmt: skip


def in_pools(run: Run, pooled: Iterable[Pooled], told_apart: Sequence[str], grain: Grain) -> Iterator[InPool]:
    """Charges in pools by scope and kind. The pool that they came to first tells them apart, but at the coarsest grain
    where only the last one is told.
    """
    is_effective = run.allocation.cost_basis is CostBasis.EFFECTIVE
    at = [told_apart.index(name) for name in _SCOPE]
    for each in pooled:
        raw, invoice, account, currency = (each.values[place] or "" for place in at)
        issuer = run.settings.issuer(raw)
        scope = Scope(issuer, "", "", currency)
        if not is_effective:
            scope = Scope(issuer, invoice, "" if invoice else account, currency)
        first = None if grain is Grain.POOL else each.pool
        yield InPool(each.corrects, each.pool, scope, (first, *each.values), each.costs)


class Rows:
    """Allocated rows: each names its kind and its line, whose texts are made once."""

    def __init__(self, run: Run, statements: Sequence[Statement], told_apart: Sequence[str], grain: Grain) -> None:
        self._run, self._told = run, tuple(told_apart)
        self._statements = {statement.holder: statement for statement in statements}
        self._numbers = {
            (statement.holder, line.scope, line.pool_id, line.corrects): line.number
            for statement in statements
            for line in statement.lines
            if line.kind is LineKind.SHARE
        }
        self._bases = Bases(
            run.allocation, run.policy.pools, {period: found.pools for period, found in run.former.items()}
        )
        self._names = {period: _names(found) for period, found in {"": run.policy, **run.former}.items()}
        self._movers = {each.id: "commitment" for each in run.policy.commitments}
        self._movers |= {each.id: "uplift" for each in run.policy.uplifts}
        has_services = grain is not Grain.POOL
        self._own = () if has_services else ("ServiceName", "ServiceCategory")
        self._kinds: dict[tuple[object, ...], int] = {}
        self._lines: dict[tuple[object, ...], int] = {}
        self._of_kinds: list[list[str | None]] = []
        self._of_lines: list[list[str | None]] = []

    def meet(self, passed: Iterable[PassedOn]) -> None:
        """Number the kinds and lines of all parts."""
        for part in passed:
            if (key := _kind_key(part)) not in self._kinds:
                self._kinds[key] = len(self._kinds)
                self._of_kinds.append(self._kind(part))
            if (key := _line_key(part)) not in self._lines:
                self._lines[key] = len(self._lines)
                self._of_lines.append(self._line(part))

    def rows(self, passed: Iterable[PassedOn]) -> Iterator[Row]:
        """A row for each part that was met, in their order."""
        for part in passed:
            billed, effective, listed, contracted = part.costs
            if part.kind is None:
                listed, contracted = listed or 0, contracted or 0
            costs = (_text(billed or 0), _text(effective or 0), _text(listed), _text(contracted))
            yield Row(self._kinds[_kind_key(part)], self._lines[_line_key(part)], *costs, _text(part.ratio))

    @property
    def kinds(self) -> Table:
        """The texts of the kinds met so far."""
        return Table((*self._told, FIRST_POOL), self._of_kinds)

    @property
    def lines(self) -> Table:
        """The texts of the lines met so far."""
        names = (*self._own, *DATES, "ChargeDescription", *ALLOCATED[1:], DETAILS, ORIGIN, *HOLDER_COLUMNS,
                 LINE, POOL, POOL_NAME, CORRECTS, POLICY, RUN)  # fmt: skip
        return Table(names, self._of_lines)

    def _name(self, part: PassedOn) -> str:
        names = self._names.get(part.corrects, {})
        return names.get(part.pool_id) or self._names[""].get(part.pool_id) or part.pool_id

    def _kind(self, part: PassedOn) -> list[str | None]:
        """What tells the charge apart. What commitments and uplifts moved is no provider's charge: an adjustment."""
        if part.kind is not None:
            return [*part.kind[1:], part.kind[0]]
        issuer, invoice, account, currency = part.scope
        scope = dict(zip(_SCOPE, (issuer, invoice or None, account or None, currency), strict=True))
        adjusted = {"ServiceName": self._name(part), "ServiceCategory": "Other", "ChargeCategory": "Adjustment"}
        found = {**dict.fromkeys(_PROVIDERS, issuer), **scope, **adjusted}
        return [*(found.get(name) for name in self._told), None]

    def _line(self, part: PassedOn) -> list[str | None]:
        name = self._name(part)
        statement = self._statements.get(part.target)
        held = _held(statement) if statement else [str(part.target.holder), *[None] * (len(HOLDER_COLUMNS) - 1)]
        number = self._numbers.get((part.target, part.scope, part.pool_id, part.corrects))
        return [
            *([name, "Other"] if self._own else []),
            *self._dates(part.corrects),
            name,
            *self._allocated(part, statement),
            "allocated",
            *held,
            None if number is None else str(number),
            part.pool_id,
            name,
            part.corrects or None,
            self._run.allocation.policy_digest,
            self._run.digest,
        ]

    def _dates(self, corrects: str) -> list[str]:
        billing = self._run.period
        period = BillingPeriod.parse(corrects) if corrects else billing
        return [str(day) for day in (billing.starts_on, billing.ends_on, period.starts_on, period.ends_on)]

    def _allocated(self, part: PassedOn, statement: Statement | None) -> list[str | None]:
        """The method, the cost group with its tags, and what follows the ratio in the details of the method."""
        method, details = self._method(part)
        identity = f"apportion-{method.replace('_', '-')}"
        if part.target.holder is not Holder.COST_GROUP or statement is None:
            return [identity, None, None, None, details]
        tags = {"apportion/cost_group": part.target.code}
        if statement.coding.cost_center:
            tags["apportion/cost_center"] = statement.coding.cost_center
        return [identity, part.target.code, statement.name, json.dumps(tags, ensure_ascii=False), details]

    def _method(self, part: PassedOn) -> tuple[str, str]:
        """How the last pool was shared, and what it was shared by."""
        if part.pool_id in self._movers and not part.corrects:
            return self._movers[part.pool_id], _END
        based = self._bases.of(part.share) if part.share else None
        pool = self._bases.pool(part.pool_id, part.corrects)
        if part.share is None:
            return "unshared", _END
        if based is None:
            return str(pool.method) if pool else "pool", _END
        unit, show = _unit(based)
        quantities = f'"UsageQuantity": {show(part.share.weight)}, "x_TotalQuantity": {show(part.share.total_weight)}'
        method = str(replace(based.pool, basis=based.basis).method)
        return method, f', "UsageUnit": {json.dumps(unit, ensure_ascii=False)}, {quantities}{_END}'


_END = "}]}"


def _kind_key(part: PassedOn) -> tuple[object, ...]:
    return part.kind or (part.scope, part.pool_id, part.corrects)


def _line_key(part: PassedOn) -> tuple[object, ...]:
    return (part.target, part.scope, part.pool_id, part.corrects)


def _text(units: int | None) -> str | None:
    """Units as a decimal with all eighteen places; quicker than the shortest text, for the engine reads it again."""
    if units is None:
        return None
    digits = f"{units:020d}" if units < 0 else f"{units:019d}"
    return f"{digits[:-18]}.{digits[-18:]}"


def _unit(based: Based) -> tuple[str, Callable[[int], str]]:
    if based.weight_in is WeightIn.AMOUNT:
        return based.share.scope.currency, plain
    if based.weight_in is WeightIn.QUANTITY:
        return based.basis.metric if isinstance(based.basis, Metered) else "Quantity", plain
    return "Parts", str


def _names(policy: Policy) -> dict[str, str]:
    names = {commitment.id: commitment.name for commitment in policy.commitments}
    names |= {uplift.id: uplift.name for uplift in policy.uplifts}
    return names | {pool.id: pool.name for pool in policy.pools}


def movers(run: Run) -> frozenset[str]:
    """The ids of commitments and uplifts."""
    found = {commitment.id for commitment in run.policy.commitments}
    return frozenset(found | {uplift.id for uplift in run.policy.uplifts})
