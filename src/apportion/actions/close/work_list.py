"""The work list of a period: cost that found no owner, and cost that has one without the tags that the policy asks for.

Grouped by what a rule could look at, the largest first. Reading a large month takes a while, so then it is work for the
background, and what it came to is kept with it; a month of few charges is read at once. Changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from apportion.actions.acting import Actor
from apportion.actions.working import Kind, Progress, Result, enqueue, register
from apportion.actions.workspace import workspace
from apportion.allocate.fields import TAG
from apportion.allocate.policy import CostBasis, Policy
from apportion.allocate.rule import Exists, Field, Holder, Not, Or, Target
from apportion.close.figures import asked_for
from apportion.close.run import Run
from apportion.close.simulate import allocated
from apportion.money.amount import half_even
from apportion.money.currency import units_per_minor
from apportion.periods import BillingPeriod
from apportion.records.work import Work, WorkState
from apportion.review.permission import Permission
from apportion.warehouse.measure import Measured, Question, measure
from apportion.warehouse.store import Workspace

WORK_LIST = "work list"
AT_ONCE = 300_000  # charges that are read while a page waits
MOST = 300  # entries of each kind that are kept; the rest is added up
_MOST_TAGS = 4
_PROVIDERS = ("ServiceProviderName", "ProviderName")
COLUMNS = (*_PROVIDERS, "SubAccountId", "ServiceName")
_NAME = "SubAccountName"
_CHARGED = (Holder.COST_GROUP, Holder.POOL)


@dataclass(frozen=True, slots=True)
class Entry:
    """Charges alike. `match` are their values by column or ``tags.KEY``, empty for none.

    `went_to` is the code of the cost group or pool that `rule` brought them to; both empty for what found no owner.
    """

    match: Mapping[str, str]
    name: str
    issuer: str
    currency: str
    minor: int
    rows: int
    rule: str = ""
    holder: str = ""
    went_to: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of entries: the largest of them, how many there are in all, and what all of them add up to."""

    entries: tuple[Entry, ...] = ()
    count: int = 0
    totals: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkList:
    """The whole list of a run. `tags` are the keys that the policy asks for.

    `tagged` says for a cost group's code how much of its direct cost, in the main currency, has such a tag: a pair of
    minor units, tagged and all.
    """

    period: str
    run: str
    tags: tuple[str, ...]
    unallocated: Part
    untagged: Part
    tagged: Mapping[str, tuple[int, int]]


_known: dict[str, WorkList] = {}


def find(run: str) -> WorkList | None:
    """The list of a run, where it is known already. One query at most."""
    if run in _known:
        return _known[run]
    done = Work.objects.filter(kind=WORK_LIST, key=_key(run), state=WorkState.DONE).order_by("-pk").first()
    return _keep(_read(done.result)) if done is not None and done.result else None


def look(period: BillingPeriod, run: str) -> WorkList | None:
    """The same; where it is not known and the month has few charges, it is read now. None: it is work to ask for.

    Raises `InputRefusedError` where charges were delivered since the period was allocated.
    """
    found = find(run)
    if found is not None:
        return found
    place = workspace()
    if sum(file.rows for file in place.snapshot(period).files) > AT_ONCE:
        return None
    return _keep(read(place, period))


def ask(actor: Actor, period: BillingPeriod, run: str) -> Work:
    """Have the list made in the background. Raises `ForbiddenError`."""
    return enqueue(actor, WORK_LIST, _key(run), period)


def read(place: Workspace, period: BillingPeriod) -> WorkList:
    """Read the charges of a period's run. Raises `InputRefusedError`, `NotFoundError` and `ConservationError`."""
    snapshot = place.snapshot(period)
    run = allocated(place, snapshot)
    tags = asked_for(run.policy)
    looked_at = (*map(Field, COLUMNS), *(Field(key, is_tag=True) for key in tags[:_MOST_TAGS]))
    nobody = [number for number, made in enumerate(run.decisions) if made.target.holder is Holder.UNALLOCATED]
    questions = [Question(nobody, (*looked_at, Field(_NAME)))]
    if tags:
        there = tuple(Exists(Field(key, is_tag=True)) for key in tags)
        charged = [number for number, made in enumerate(run.decisions) if made.target.holder in _CHARGED]
        without = Not(there[0] if len(there) == 1 else Or(there))
        questions.append(Question(charged, (*looked_at, Field(_NAME)), met=(without,)))
    effective = run.allocation.cost_basis is CostBasis.EFFECTIVE
    found = measure(snapshot, run.sidecars, questions, effective=effective)
    untagged = found[1] if tags else ()
    return WorkList(
        str(period),
        run.digest,
        tags,
        _part(_entries(run, found[0], looked_at)),
        _part(_entries(run, untagged, looked_at)),
        _tagged(run, untagged) if tags else {},
    )


def before(found: WorkList | None, match: Mapping[str, str], policy: Policy) -> str:
    """The first of the rules that decide now about untagged charges with these values; empty where none does.

    Values that ask for no missing tag are of charges that found no owner: no rule decides about those.
    """
    if found is None or not any(key.startswith(TAG) and not value for key, value in match.items()):
        return ""
    alike = (each for each in found.untagged.entries if all(each.match.get(key, "") == match[key] for key in match))
    rules = {each.rule for each in alike}
    return next((rule.id for rule in policy.rules if rule.id in rules), "")


def _key(run: str) -> str:
    return f"{WORK_LIST} {run}"


def _keep(found: WorkList) -> WorkList:
    while len(_known) >= 8:
        _known.pop(next(iter(_known)))
    _known[found.run] = found
    return found


def _entries(run: Run, rows: Iterable[Measured], looked_at: Sequence[Field]) -> list[Entry]:
    sums: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    names: dict[tuple[Any, ...], str] = {}
    for row in rows:
        made = run.decisions[row.outcome]
        issuer = run.settings.issuer(row.invoice_issuer)
        key = (row.values[:-1], issuer, row.currency, made.rule_id or "", made.target)
        sums[key][0] += row.units
        sums[key][1] += row.rows
        names[key] = max(names.get(key, ""), row.values[-1] or "")
    return [
        Entry(
            match=_match(looked_at, values),
            name=names[values, issuer, currency, rule, target],
            issuer=issuer,
            currency=currency,
            minor=half_even(units, units_per_minor(currency)),
            rows=count,
            rule=rule,
            holder="" if target.holder is Holder.UNALLOCATED else str(target.holder),
            went_to=target.code,
        )
        for (values, issuer, currency, rule, target), (units, count) in sums.items()
    ]


def _match(looked_at: Sequence[Field], values: Sequence[str | None]) -> dict[str, str]:
    """What a rule can look at. Of the two columns that name the provider, the first that says something."""
    found = {
        f"{TAG}{each.name}" if each.is_tag else each.name: value or ""
        for each, value in zip(looked_at, values, strict=True)
    }
    named = [name for name in _PROVIDERS if found[name]]
    for name in _PROVIDERS:
        if name not in named[:1]:
            del found[name]
    return found


def _part(entries: list[Entry]) -> Part:
    totals: dict[str, int] = defaultdict(int)
    for entry in entries:
        totals[entry.currency] += entry.minor
    entries.sort(key=lambda each: (-abs(each.minor), each.currency, sorted(each.match.items()), each.rule))
    return Part(tuple(entries[:MOST]), len(entries), dict(sorted(totals.items())))


def _tagged(run: Run, untagged: Iterable[Measured]) -> dict[str, tuple[int, int]]:
    """Of each cost group's direct cost in the main currency: what has a tag, and all of it; minor units."""
    direct: dict[tuple[Target, str], int] = defaultdict(int)
    for cell in run.allocation.cells:
        if cell.target.holder is Holder.COST_GROUP and not cell.corrects:
            direct[cell.target, cell.scope.currency] += cell.units
    sizes: dict[str, int] = defaultdict(int)
    for (_, currency), units in direct.items():
        sizes[currency] += abs(units)
    if not sizes:
        return {}
    main = max(sizes, key=lambda currency: sizes[currency])
    without: dict[Target, int] = defaultdict(int)
    for row in untagged:
        if row.currency == main:
            without[run.decisions[row.outcome].target] += row.units
    step = units_per_minor(main)
    return {
        target.code: (half_even(units - without[target], step), half_even(units, step))
        for (target, currency), units in sorted(direct.items())
        if currency == main
    }


def _read(result: Mapping[str, Any]) -> WorkList:
    def part(kept: Mapping[str, Any]) -> Part:
        return Part(tuple(Entry(**each) for each in kept["entries"]), kept["count"], kept["totals"])

    return WorkList(
        result["period"],
        result["run"],
        tuple(result["tags"]),
        part(result["unallocated"]),
        part(result["untagged"]),
        {code: (pair[0], pair[1]) for code, pair in result["tagged"].items()},
    )


def _run(actor: Actor, work: Work, progress: Progress) -> Result:
    progress(0, 0, "Reading charges")
    return asdict(_keep(read(workspace(), BillingPeriod.parse(work.period))))


register(Kind(WORK_LIST, Permission.PREPARE, _run))
