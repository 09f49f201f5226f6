"""One period on one page, for the whole company or a part of the tree: totals, why they changed, who moved most.

Takes rights and a period, gives plain figures in minor units of one currency; sums by SQL or of whole numbers. What
somebody may not see is in no sum. Sums are kept until the next act (`records.stamp`): take the stamp first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Q, Sum

from apportion.errors import NotFoundError
from apportion.invoice.paper import Part
from apportion.records.disputes import UNDECIDED, Dispute
from apportion.records.documents import Document, DocumentTotal
from apportion.records.groups import CostGroup
from apportion.records.measures import MONTHLY
from apportion.records.rights import Rights
from apportion.records.stamp import kept
from apportion.review.permission import Permission
from apportion.review.states import Issue, Review

MOST_MOVERS = 6
_SEE = Permission.SEE_SUMMARY


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose cost counts: everybody's (`paths` None), or what lies below these paths. `group` is set where it is one."""

    paths: tuple[str, ...] | None
    group: CostGroup | None = field(default=None, compare=False)

    def rows(self, prefix: str = "") -> Q:
        """The condition for rows whose cost group, found by `prefix`, is in scope."""
        if self.paths is None:
            return Q()
        inside = Q()
        for path in self.paths:
            inside |= Q(path__startswith=path)
        return Q(**{f"{prefix}cost_group__in": CostGroup.objects.filter(inside)})

    def divisions(self, paths: Collection[str]) -> dict[str, str]:
        """By which path each of these cost groups is counted: several parts of a tree, or one level below the top.

        The top is what was asked for or, where everything lies below one cost group, that one.
        """
        if self.paths is not None and len(self.paths) > 1:
            return {path: next(each for each in self.paths if path.startswith(each)) for path in paths}
        above = self.paths[0] if self.paths else "/"
        while len(below := {_next(above, path) for path in paths}) == 1 and above not in below:
            (above,) = below
        return {path: _next(above, path) for path in paths}


def _next(above: str, path: str) -> str:
    """One level below `above` on the way to `path`."""
    step = path[len(above) :].split("/", 1)[0]
    return f"{above}{step}/" if step else path


@dataclass(frozen=True, slots=True)
class MonthSum:
    """What one period came to in one currency. `notes` is what credit and debit notes of the period add to that."""

    minor: int
    direct: int
    shared: int
    notes: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A document, or a division, beside its month before; `before` is None where there was none."""

    pk: int | None
    name: str
    minor: int
    before: int | None
    budget: int | None = None
    code: str = ""

    @property
    def change(self) -> int:
        """By how much."""
        return self.minor - (self.before or 0)


@dataclass(frozen=True, slots=True)
class Why:
    """Why the total changed: `parts` and `rest` sum to it. `rest` is of cost groups without a document this month."""

    parts: tuple[tuple[Part, int], ...]
    rest: int
    movers: tuple[Moved, ...]
    divisions: tuple[Moved, ...]
    budget: int | None
    budgeted: int  # what those carried who have a budget
    documents: int


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the review stands: documents of cost groups, and disputes that nobody has decided."""

    documents: int
    accepted: int
    deemed: int
    disputed: int
    awaiting: int
    disputes: int
    claimed: Mapping[str, int]


def scope(rights: Rights, code: str = "") -> Scope:
    """What these rights let somebody summarize; with a code, only that cost group and those below it.

    Raises `NotFoundError` for a cost group that they do not reach.
    """
    if not code and _SEE in rights.everywhere:
        return Scope(None)
    if not code:
        paths = rights.below.get(_SEE, ())
        return Scope(paths, CostGroup.objects.filter(path__in=paths).first() if len(paths) == 1 else None)
    found = CostGroup.objects.filter(rights.within(_SEE), code=code).first()
    if found is None:
        raise NotFoundError("There is no such cost group for you.", advice="Begin at your own summary.")
    return Scope((found.path,), found)


@kept(128)
def months(stamp: str, wanted: Scope, periods: tuple[str, ...]) -> Mapping[str, Mapping[str, MonthSum]]:
    """What each of these periods came to, by currency. One query."""
    rows = DocumentTotal.objects.filter(
        wanted.rows("document__"), document__period__in=periods, document__issue_state=Issue.ISSUED
    ).values_list("document__period", "currency", "document__kind")
    sums: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0, 0]))
    for period, currency, kind, *found in rows.annotate(
        a=Sum("amount_minor"), b=Sum("direct_minor"), c=Sum("shared_minor")
    ).order_by():
        here = sums[period][currency]
        if kind in MONTHLY:
            for place, minor in enumerate(found):
                here[place] += int(minor)
        else:
            here[3] += int(found[0])
    return {
        period: {currency: MonthSum(*found) for currency, found in sorted(by_currency.items())}
        for period, by_currency in sums.items()
    }


@kept(128)
def why(stamp: str, wanted: Scope, period: str, currency: str, change: int | None) -> Why:
    """Why the total changed by `change` (None: there is nothing before), and who moved. Two queries."""
    rows = DocumentTotal.objects.filter(
        wanted.rows("document__"),
        document__period=period,
        document__kind__in=MONTHLY,
        document__issue_state=Issue.ISSUED,
        currency=currency,
    ).values_list(
        "document_id",
        "document__name",
        "amount_minor",
        "before_minor",
        "budget_minor",
        "change_parts",
        "document__cost_group__path",
    )
    parts: dict[str, int] = defaultdict(int)
    moved: list[Moved] = []
    places: list[str] = []
    for pk, name, minor, before, budget, of_it, path in rows:
        for part, amount in of_it.items():
            parts[part] += amount
        moved.append(Moved(pk, name, minor, before, budget))
        places.append(path or f" {name}")
    with_budget = [each for each in moved if each.budget is not None]
    known = tuple((part, parts[part]) for part in Part if parts.get(part))
    return Why(
        parts=known,
        rest=(change or 0) - sum(minor for _, minor in known),
        movers=tuple(sorted((each for each in moved if each.change), key=_largest_first)[:MOST_MOVERS]),
        divisions=_divisions(wanted, moved, places),
        budget=sum(each.budget or 0 for each in with_budget) if with_budget else None,
        budgeted=sum(each.minor for each in with_budget),
        documents=len(moved),
    )


@kept(128)
def stand(stamp: str, wanted: Scope, period: str) -> Stand:
    """Where the review of a period stands. Two queries."""
    rows = Document.objects.filter(
        wanted.rows(), period=period, kind__in=MONTHLY, issue_state=Issue.ISSUED, cost_group__isnull=False
    )
    counts = dict(rows.values_list("review_state").annotate(count=Count("pk")).order_by())
    claimed: dict[str, int] = {}
    disputes = 0
    open_ones = Dispute.objects.filter(wanted.rows("document__"), document__period=period, state__in=UNDECIDED)
    for currency, count, minor in (
        open_ones.values_list("currency").annotate(count=Count("pk"), minor=Sum("amount_minor")).order_by()
    ):
        claimed[currency] = int(minor)
        disputes += count
    return Stand(
        documents=sum(counts.values()),
        accepted=counts.get(Review.ACCEPTED, 0),
        deemed=counts.get(Review.DEEMED, 0),
        disputed=counts.get(Review.DISPUTED, 0),
        awaiting=counts.get(Review.AWAITING, 0),
        disputes=disputes,
        claimed=claimed,
    )


def _largest_first(each: Moved) -> tuple[int, str]:
    return -abs(each.change), each.name


def _divisions(wanted: Scope, moved: Iterable[Moved], places: Sequence[str]) -> tuple[Moved, ...]:
    """Documents added up by division; what nobody is charged with is a row of its own. One query for the names."""
    division = wanted.divisions({place for place in places if place.startswith("/")})
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for each, place in zip(moved, places, strict=True):
        found = sums[division.get(place, place)]
        found[0] += each.minor
        found[1] += each.before or 0
        found[2] += each.before is not None
        found[3] += each.budget or 0
    groups = CostGroup.objects.filter(path__in=[place for place in sums if place.startswith("/")])
    names = {path: (name, code) for path, name, code in groups.values_list("path", "name", "code")}
    made = []
    for place, (minor, before, compared, budget) in sums.items():
        name, code = names.get(place, (place.strip(), ""))
        made.append(Moved(None, name, minor, before if compared else None, budget or None, code))
    return tuple(sorted(made, key=lambda each: (not each.code, -abs(each.minor), each.name)))
