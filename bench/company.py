"""A large company to review: its tree of cost groups, its people, what every group costs in every month, and papers.

The same for a given size. What a group costs in a month is one function, from which both delivered charges and papers
of former months are made, so that a group's lines are the same month after month. Writes the files of a workspace.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from apportion.invoice.paper import (
    Change,
    MonthTotal,
    Paper,
    PaperBudget,
    PaperKind,
    PaperLine,
    PaperLineKind,
    Part,
    totals,
)
from apportion.organization.coding import Coding
from apportion.organization.ownership import Owners
from apportion.periods import BillingPeriod

NAME = "Brightwater Group"
LAST = BillingPeriod(2026, 10)
"""The period that is issued while it is measured."""
HOST = "brightwater.example"
SERVICES = tuple(
    f"{kind} {name}"
    for kind in ("Compute", "Storage", "Database", "Network", "Analytics", "Queue")
    for name in ("Standard", "Premium", "Archive", "Edge", "Burst", "Reserved", "Flex", "Regional", "Global", "Lite")
)
POOLS = (("support", "Support plans"), ("platform", "Developer platform"), ("security", "Security tooling"))
_ISSUERS = (("Nimbus Cloud", "nimbus-main", "USD"), ("Stratus", "stratus-0001", "USD"), ("Alto", "alto-eu", "EUR"))
_LARGE_EVERY, _LARGE_LINES = 1_000, 110
_WORDS = "Atlas Beacon Cedar Delta Ember Fjord Grove Harbour Indigo Juniper Kite Lumen Meadow North Orchard".split()
_THINGS = "checkout search payments catalogue routing billing identity reports imaging forecasts messaging".split()


class Cost(NamedTuple):
    """A direct cost of a group in a month: minor units of the issuer's currency."""

    service: str
    category: str
    issuer: int
    minor: int


@dataclass(frozen=True, slots=True)
class Group:
    """A node of the tree; `place` numbers it from 0, parents first. `above` is the place of its parent."""

    place: int
    code: str
    name: str
    above: int | None
    level: int


@dataclass(frozen=True)
class Company:
    """So many cost groups in four levels."""

    groups_wanted: int

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """One company, divisions, departments of about a dozen teams, and teams."""
        divisions = max(1, min(20, self.groups_wanted // 250))
        departments = max(divisions, min(400, self.groups_wanted // 12))
        found = [Group(0, "brightwater", NAME, None, 0)]
        for number in range(self.groups_wanted - 1):
            place = number + 1
            if number < divisions:
                found.append(Group(place, f"d{number + 1:02d}", f"{_WORDS[number % 15]} division", 0, 1))
            elif number < divisions + departments:
                above = 1 + number % divisions
                name = f"{_WORDS[number % 15]} {_THINGS[number % 11]}"
                found.append(Group(place, f"p{number - divisions + 1:03d}", name.capitalize(), above, 2))
            else:
                above = 1 + divisions + number % departments
                name = f"{_THINGS[number % 11].capitalize()} {_WORDS[number * 7 % 15]} {number}"
                found.append(Group(place, f"t{number - divisions - departments + 1:04d}", name, above, 3))
        return tuple(found)

    def way(self, group: Group) -> tuple[Group, ...]:
        """From the top down to it."""
        above = () if group.above is None else self.way(self.groups[group.above])
        return (*above, group)

    def owners(self, group: Group) -> Owners:
        """Each has a technical owner; the finance and business owners are those of its department or division."""
        way = self.way(group)
        return Owners(
            finance=mail("finance", way[min(2, len(way) - 1)]),
            technical=mail("tech", group),
            business=mail("lead", way[min(1, len(way) - 1)]),
        )

    def people(self) -> dict[str, str]:
        """Mail address and name of every owner."""
        found: dict[str, str] = {}
        for group in self.groups:
            owners = self.owners(group)
            for kind, address in (("finance", owners.finance), ("tech", owners.technical), ("lead", owners.business)):
                found.setdefault(address, f"{kind.capitalize()} of {address.partition('@')[0].partition('-')[2]}")
        return found

    def is_charged(self, group: Group) -> bool:
        """Whether it is in chargeback."""
        return group.place % 5 < 3

    def size(self, group: Group) -> int:
        """How many direct lines it has in a month."""
        if group.place % _LARGE_EVERY == 7:
            return _LARGE_LINES
        return 4 + group.place * 31 % 9

    def costs(self, group: Group, month: int) -> Iterator[Cost]:
        """What it costs in a month (0 is the first of all), without the pools."""
        first, count = group.place * 13, self.size(group)
        for number in range(count):
            service = SERVICES[(first + number) % len(SERVICES)]
            issuer = (2 if group.place % 10 == 3 else 1) if number % 6 == 5 else 0
            base = 1_500 + (group.place * 7919 + number * 104_729) % 180_000
            swing = 900 + (group.place * 17 + number * 29 + month * 57) % 200
            category = "Usage" if number < len(SERVICES) else "Purchase"
            yield Cost(service, category, issuer, base * swing // 1_000 + month * base // 200)


def mail(kind: str, group: Group) -> str:
    """``tech-t0042@brightwater.example``."""
    return f"{kind}-{group.code}@{HOST}"


def periods(count: int) -> list[BillingPeriod]:
    """So many billing periods, the last one last."""
    found = [LAST]
    while len(found) < count:
        found.append(found[-1].previous)
    return found[::-1]


def coding(group: Group) -> Coding:
    """The codes of a group in the ledger."""
    return Coding("1000", f"{group.place:05d}", f"{group.above or 0:03d}", "600100")


def write_workspace(company: Company, root: Path) -> None:
    """The files of a workspace: settings, organization and policy."""
    root.mkdir(parents=True, exist_ok=True)
    settings = {
        "company": NAME,
        "payer": {"company": "1000", "cost_center": "9900", "department": "000", "ledger_account": "600100"},
        "ledger": {"transferred_out": "600199", "suspense": "609900", "rounding": "600900"},
    }
    policy = {
        "policy": "Brightwater 2026",
        "cost_basis": "billed",
        "rules": [
            *(
                {"id": pool, "name": name, "when": {"ServiceName": name}, "charge_to": {"pool": pool}}
                for pool, name in POOLS
            ),
            {"id": "by-team", "name": "The tag team", "charge_to": {"tag": "team"}},
        ],
        "pools": [{"id": pool, "name": name, "share": "proportional to direct cost"} for pool, name in POOLS],
    }
    nodes = {group.place: _node(company, group) for group in company.groups}
    for group in reversed(company.groups):
        if group.above is not None:
            below = nodes[group.above].setdefault("groups", [])
            below.insert(0, nodes[group.place])
    organization = {"organization": NAME, "groups": [nodes[0]]}
    for name, content in (("apportion", settings), ("policy", policy), ("organization", organization)):
        text = yaml.dump(content, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False)
        (root / f"{name}.yaml").write_text(text, encoding="utf-8")


def _node(company: Company, group: Group) -> dict[str, Any]:
    codes, owners = coding(group), company.owners(group)
    return {
        "code": group.code,
        "name": group.name,
        "owners": {"finance": owners.finance, "technical": owners.technical, "business": owners.business},
        "coding": {
            "company": codes.company,
            "cost_center": codes.cost_center,
            "department": codes.department,
            "ledger_account": codes.ledger_account,
        },
    }


_COLUMNS = (
    "BilledCost EffectiveCost ListCost ContractedCost BillingAccountId BillingAccountName BillingCurrency "
    "BillingPeriodStart BillingPeriodEnd ChargePeriodStart ChargePeriodEnd ChargeCategory ChargeClass "
    "ChargeDescription InvoiceIssuerName InvoiceId ProviderName PublisherName PricingQuantity PricingUnit ResourceId "
    "ServiceCategory ServiceName SubAccountId Tags"
).split()


def write_charges(company: Company, period: BillingPeriod, month: int, path: Path) -> int:
    """A month as a provider delivers it: two resources behind every line, pools and untagged cost. Gives the rows."""
    begin, end = f"{period.starts_on}T00:00:00Z", f"{period.ends_on}T00:00:00Z"
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for tag, resource, cost in _charges(company, month):
            name, account, currency = _ISSUERS[cost.issuer]
            amount = f"{cost.minor // 100}.{cost.minor % 100:02d}"
            tags = f'{{"team": "{tag}"}}' if tag else "{}"
            day = f"{period}-{1 + rows % 28:02d}"
            writer.writerow([
                amount, amount, amount, amount, account, name, currency, begin, end, f"{day}T00:00:00Z",
                f"{date.fromisoformat(day) + timedelta(days=1)}T00:00:00Z", cost.category, "",
                f"{cost.service} of {resource}", name, _invoice(cost.issuer, period), name, name,
                str(1 + cost.minor % 97), "Hours", resource, "Compute", cost.service, account, tags,
            ])  # fmt: skip
            rows += 1
    return rows


def _charges(company: Company, month: int) -> Iterator[tuple[str, str, Cost]]:
    """Tag, resource and cost. Resources come and go: the last letter of one in seven changes with the month."""
    for group in company.groups:
        for number, cost in enumerate(company.costs(group, month)):
            first = cost.minor * 3 // 5
            letter = "abcdefghijklmnopqrstuvwxyz"[month % 26] if (group.place + number) % 7 == 0 else "a"
            yield group.code, f"r-{group.code}-{number}-1", cost._replace(minor=first)
            yield group.code, f"r-{group.code}-{number}-2{letter}", cost._replace(minor=cost.minor - first)
    for place, (_, name) in enumerate(POOLS):
        minor = (place + 1) * len(company.groups) * (700 + month)
        yield "", f"pool-{place}", Cost(name, "Usage", 0, minor)
    for number in range(50):
        yield "", f"lost-{number}", Cost(SERVICES[number % 60], "Usage", 0, 400 + number * 31 + month)


def _invoice(issuer: int, period: BillingPeriod) -> str:
    return f"INV-{issuer + 1}-{period}"


@cache
def _pool_base(company: Company, month: int) -> int:
    """What all groups cost directly in US dollars, for the shares of former months."""
    return sum(cost.minor for group in company.groups for cost in company.costs(group, month) if cost.issuer != 2)


def lines(company: Company, group: Group, month: int, period: BillingPeriod) -> tuple[PaperLine, ...]:
    """The lines of a former month: direct cost and shares of the pools."""
    made = [
        _line(number, PaperLineKind.DIRECT, cost, period, "By rule “The tag team”")
        for number, cost in enumerate(company.costs(group, month), start=1)
    ]
    own = sum(line.minor for line in made if line.currency == "USD")
    whole = _pool_base(company, month)
    for place, (pool, name) in enumerate(POOLS):
        all_of_it = (place + 1) * len(company.groups) * (700 + month)
        minor = all_of_it * own // whole
        reason = f"{name}: {own / 100:,.2f} of {whole / 100:,.2f} of direct cost"
        made.append(_line(len(made) + 1, PaperLineKind.SHARE, Cost("", "", 0, minor), period, reason, pool, name))
    return tuple(made)


def _line(
    number: int, kind: PaperLineKind, cost: Cost, period: BillingPeriod, reason: str, pool: str = "", name: str = ""
) -> PaperLine:
    issuer, _, currency = _ISSUERS[cost.issuer]
    return PaperLine(
        number=number,
        kind=kind,
        service=cost.service,
        charge_category=cost.category,
        pool_id=pool,
        pool_name=name,
        method="proportional" if pool else "",
        reason=reason,
        invoice_issuer=issuer,
        invoice_id=_invoice(cost.issuer, period),
        billing_account_id="",
        billed_currency=currency,
        billed_minor=cost.minor,
        currency=currency,
        minor=cost.minor,
        rows=0 if pool else 2,
    )


def paper(
    company: Company, group: Group, month: int, period: BillingPeriod, label: str, former: Sequence[MonthTotal]
) -> Paper:
    """A former month's document; `former` are the totals of the months before, the latest last."""
    made = lines(company, group, month, period)
    sums = totals(made)
    last = str(period.previous)
    before = {total.currency: total.minor for total in former if total.period == last}
    owners = company.owners(group)
    return Paper(
        kind=PaperKind.INVOICE if company.is_charged(group) else PaperKind.STATEMENT,
        label=label,
        statement=f"STMT-{period}-{group.place + 1:04d}",
        company=NAME,
        period=str(period),
        issued_on=issued_on(period),
        review_until=issued_on(period) + timedelta(days=14),
        holder="cost_group",
        code=group.code,
        name=group.name,
        path=tuple((each.code, each.name) for each in company.way(group)),
        owners=owners,
        coding=coding(group),
        cost_basis="billed",
        lines=made,
        totals=sums,
        policy_name="Brightwater 2026",
        policy_digest="ab" * 32,
        organization_digest="cd" * 32,
        snapshot_digest="ef" * 32,
        run_digest=run_digest(period),
        changes=tuple(
            _change(total.currency, before[total.currency], total.minor) for total in sums if total.currency in before
        ),
        history=(*former, *(MonthTotal(str(period), total.currency, total.minor) for total in sums)),
        budgets=tuple(PaperBudget(total.currency, total.minor * 21 // 20) for total in sums),
    )


def _change(currency: str, before: int, after: int) -> Change:
    usage, new = (after - before) * 2 // 3, (after - before) // 5
    rest = after - before - usage - new
    return Change(currency, before, after, ((Part.USAGE, usage), (Part.NEW, new), (Part.POOL, rest)))


def issued_on(period: BillingPeriod) -> date:
    """The fifth day after a period."""
    return period.ends_on + timedelta(days=4)


def run_digest(period: BillingPeriod) -> str:
    """A name for the run of a former month, which the workspace has not."""
    return f"{random.Random(str(period)).getrandbits(256):064x}"
