"""What the company measures itself: who used how much of what is shared, by month.

Four systems send a file each month: the clusters, the gateways, personnel, and the platform's own meters. Numbers
follow the same curves as the bills do, and people the same contracts, so that a meter and a bill tell one story.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from apportion.demo import hosting, saas
from apportion.demo.numbers import drawn
from apportion.demo.story import LAUNCH, UNMEASURED, Month, permille
from apportion.money.split import split, to_step


@dataclass(frozen=True, slots=True)
class Reading:
    """One row of usage. `value` is whole units of what the metric counts; `dimensions` say more."""

    metric: str
    consumer: str
    value: int
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Meter:
    """A system that measures: the name of its source, its dimensions, and what it sends for a month."""

    name: str
    dimensions: tuple[str, ...]
    readings: Callable[[Month], Iterator[Reading]]


@dataclass(frozen=True, slots=True)
class Team:
    """What a team is and uses in an ordinary month: people and those who write code, and GiB of shared services."""

    code: str
    curve: str
    people: int
    coders: int
    network: int
    logs: int
    logs_planned: int
    backup: int
    lake: int


# team | curve | people | coders | GiB over the network | GiB of logs | planned | GiB backed up | GiB in the lake
_TEAMS = """
storefront           | peak   | 48 | 12 | 5200 | 560 | 600 | 2900 |    0
search               | peak   | 21 | 11 | 3100 | 420 | 400 | 1400 |    0
checkout             | peak   | 33 | 12 | 2700 | 610 | 550 | 3800 |    0
catalogue            | peak   | 24 |  9 | 2100 | 330 | 350 | 2100 |    0
recommendations      | peak   | 17 | 10 | 1500 | 210 | 250 |  900 | 6400
sellers              | peak   | 86 |  7 | 1100 | 190 | 200 | 1200 |    0
routing              | peak   | 29 | 10 | 1800 | 280 | 300 | 1500 |    0
sorting              | growth | 74 |  8 | 1300 | 240 | 300 | 1900 |    0
tracking             | peak   | 22 |  9 | 2400 | 470 | 400 | 1700 |    0
returns              | peak   | 61 |  5 |  700 | 130 | 150 |  800 |    0
lockers              | growth | 26 |  7 | 1600 | 260 | 250 | 1000 |    0
platform-engineering | steady | 14 | 12 |  600 | 180 | 200 |    0 |    0
developer-experience | steady | 10 |  9 |  400 |  90 | 100 |    0 |    0
site-reliability     | steady | 11 | 10 |  500 | 320 | 300 |    0 |    0
security-team        | steady |  9 |  5 |  300 | 210 | 200 |    0 |    0
network-team         | steady |  7 |  3 |  900 | 120 | 100 |    0 |    0
data-platform        | growth | 19 | 16 | 2600 | 290 | 300 |    0 | 9800
analytics            | peak   | 23 | 13 |  900 | 110 | 150 |    0 | 8200
machine-learning     | growth | 16 | 14 | 1400 | 150 | 150 |    0 | 7300
assistants           | launched | 13 | 11 | 800 | 260 | 200 |   0 | 1900
finance-systems      | steady | 38 |  0 |  300 |   0 |   0 |    0 |    0
people-systems       | steady | 31 |  2 |  200 |   0 |   0 |    0 |    0
it-workplace         | steady | 27 |  3 |  900 |   0 |   0 |    0 |    0
dispatch             | summer | 35 | 12 | 2300 | 440 | 450 | 2400 |    0
pricing              | summer | 12 |  8 |  700 | 130 | 150 |  600 | 2100
driver-app           | summer | 44 |  9 | 1900 | 310 | 300 | 1100 |    0
rider-app            | summer | 39 | 11 | 2000 | 350 | 300 | 1300 |    0
maps                 | growth | 18 | 12 | 2800 | 220 | 250 | 3100 |    0
telematics           | growth | 20 | 10 | 3400 | 530 | 450 | 2600 | 5200
charging             | growth | 25 |  5 |  800 | 140 | 150 |  700 |    0
maintenance          | steady | 52 |  3 |  400 |  70 | 100 |  900 |    0
nordic-routing       | peak   | 19 |  6 |  800 | 150 | 150 |  800 |    0
nordic-lockers       | growth | 16 |  5 |  700 | 120 | 100 |  500 |    0
nordic-hubs          | peak   | 58 |  4 |  600 | 100 | 100 |  900 |    0
nordic-finance       | steady | 22 |  0 |  200 |   0 |   0 |    0 |    0
nordic-workplace     | steady | 15 |  2 |  500 |   0 |   0 |    0 |    0
"""

# Shared services that use the network themselves, in GiB.
_SERVICES = {"data-lake": 6200, "developer-tools": 3400}

# client of the API gateway: millions of requests in an ordinary month, and its curve
_CLIENTS = {
    "web-shop": (210, "peak"),
    "shop-search": (160, "peak"),
    "shop-checkout": (95, "peak"),
    "seller-portal": (40, "peak"),
    "parcel-tracking": (150, "peak"),
    "locker-terminals": (65, "growth"),
    "rider-app": (185, "summer"),
    "driver-app": (140, "summer"),
    "fleet-devices": (260, "growth"),
}

# project at the gateway to the language models, its model: millions of input and of output tokens, and its curve
_PROJECTS = (
    ("semantic-search", "large-3", 90, 12, "peak"),
    ("semantic-search", "small-3", 640, 40, "peak"),
    ("fraud-review", "large-3", 130, 22, "peak"),
    ("product-texts", "small-3", 410, 190, "peak"),
    ("report-writer", "large-3", 70, 31, "growth"),
    ("assist-pilot", "large-3", 60, 18, "pilot"),
    ("assist-live", "large-3", 240, 70, "launched"),
    ("assist-live", "small-3", 900, 260, "launched"),
)

_PER_MILLION = 10**6

# For one EUR that a namespace costs: vCPU hours and GiB hours that it asks for, as the host prices them.
_CPU, _MEMORY = 18, 74
_HOURS = 730  # in an ordinary month


def _teams() -> tuple[Team, ...]:
    rows = ([cell.strip() for cell in row.split("|")] for row in _TEAMS.strip().splitlines())
    return tuple(Team(code, curve, *map(int, numbers)) for code, curve, *numbers in rows)


TEAMS = _teams()


def _about(value: int, curve: str, month: Month, *keys: str) -> int:
    """An ordinary month's value, moved by the curve of the story and by a few percent that look like chance."""
    return to_step(value * permille(curve, month) * drawn(960, 1040, "meter", *keys, month.place), 10**6)


def _clusters(month: Month) -> Iterator[Reading]:
    """What namespaces asked for, what they used, and their peak. In one month the use of CPU was not measured."""
    for workload in hosting.WORKLOADS:
        if workload.owner in (hosting.IDLE, hosting.SYSTEM) or not permille(workload.curve, month):
            continue
        name, place = workload.label, (("cluster", workload.account),)
        for metric, each in (("cpu", _CPU), ("memory", _MEMORY)):
            asked = _about(workload.budget * each, workload.curve, month, name, metric)
            yield Reading(f"{metric}_requested", name, asked, place)
            used = to_step(asked * drawn(560, 1160, "meter used", name, metric, month.place), 1000)
            if metric != "cpu" or month.place != UNMEASURED:
                yield Reading(f"{metric}_used", name, used, place)
            if metric == "cpu":
                peak = to_step(asked * drawn(1300, 2100, "meter peak", name, month.place), 1000 * _HOURS)
                yield Reading("peak_cores", name, peak, place)


def _gateways(month: Month) -> Iterator[Reading]:
    """Requests by client of the API gateway; tokens by project and model of the gateway to the language models."""
    for client, (millions, curve) in _CLIENTS.items():
        yield Reading("requests", client, _about(millions * _PER_MILLION, curve, month, client))
    for project, model, asked, answered, curve in _PROJECTS:
        if permille(curve, month):
            for metric, millions in (("input_tokens", asked), ("output_tokens", answered)):
                tokens = _about(millions * _PER_MILLION, curve, month, project, model, metric)
                yield Reading(metric, project, tokens, (("model", model),))


def _personnel(month: Month) -> Iterator[Reading]:
    """People by team, as many as office seats are paid for; coders by team, as many as seats of the code host."""
    there = [team for team in TEAMS if team.curve != "launched" or month.place >= LAUNCH]
    for metric, product, sizes in (
        ("headcount", "office", [team.people for team in there]),
        ("code_seats", "code", [team.coders for team in there]),
    ):
        for team, count in zip(there, split(saas.seats_of(product, month), sizes), strict=True):
            if count:
                yield Reading(metric, team.code, count)
    # Build agents sign in too, and those who run the directory write code.
    yield Reading("robots", "developer-tools", 34)
    yield Reading("code_seats", "identity", 6)


def _platform(month: Month) -> Iterator[Reading]:
    """What the platform's services carried for each team, and what was planned for the year's logs."""
    for team in TEAMS:
        if not permille(team.curve, month):
            continue
        for metric, value in (
            ("network_gib", team.network), ("log_gib", team.logs), ("backup_gib", team.backup), ("lake_gib", team.lake),
        ):  # fmt: skip
            if value:
                yield Reading(metric, team.code, _about(value, team.curve, month, team.code, metric))
        if team.logs_planned:
            yield Reading("log_gib_planned", team.code, team.logs_planned)
    for service, value in _SERVICES.items():
        yield Reading("network_gib", service, _about(value, "growth", month, service, "network_gib"))


METERS = (
    Meter("clusters", ("cluster",), _clusters),
    Meter("gateways", ("model",), _gateways),
    Meter("personnel", (), _personnel),
    Meter("platform", (), _platform),
)
