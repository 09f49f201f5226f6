"""The company whose bills are generated: accounts, apps, teams and services as they hang together in real bills.

An app belongs to one team, runs at one provider, lives in a few sub accounts and uses some of the provider's
services; sub accounts and apps differ in size by orders of magnitude. Rules of `bench.policies` name these values.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

ENVIRONMENTS = ("prod", "dev", "test", "stage")
ROLES = ("web", "db", "batch", "cache")
APPS, TEAMS, ACCOUNTS, SHARED_ACCOUNTS, SERVICES, REGIONS = 400, 150, 2_000, 40, 60, 20
SKUS_PER_SERVICE = 5


@dataclass(frozen=True, slots=True)
class Provider:
    """One cloud: its part of the apps, its services and regions, and its two invoices a month."""

    name: str
    part: float
    services: tuple[str, ...]
    regions: tuple[str, ...]
    invoices: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Account:
    """One sub account, below a billing account that gets one invoice in one currency."""

    id: str
    provider: int
    billing_account: int
    regions: tuple[str, str]

    @property
    def currency(self) -> str:
        return "EUR" if self.billing_account in (1, 4) else "USD"


@dataclass(frozen=True, slots=True)
class App:
    """One application; `accounts` of its own and `shared` ones are places in `World.accounts`.

    Of its accounts and services the first are used most.
    """

    name: str
    team: str
    provider: int
    accounts: tuple[int, ...]
    shared: tuple[int, ...]
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class World:
    """All of them; the same every time."""

    providers: tuple[Provider, ...]
    accounts: tuple[Account, ...]
    apps: tuple[App, ...]

    @property
    def own_accounts(self) -> tuple[Account, ...]:
        """The accounts that belong to one app each."""
        return self.accounts[SHARED_ACCOUNTS:]


@cache
def world() -> World:
    """The one world. Made of `random.random` only, whose numbers are the same in every version of Python."""
    chance = random.Random(20261001)
    providers = _providers()
    accounts = tuple(_account(chance, providers, place) for place in range(ACCOUNTS))
    apps = [app for provider in range(len(providers)) for app in _apps(chance, providers, provider, accounts)]
    return World(providers, accounts, tuple(app for _, app in sorted(apps, key=lambda numbered: numbered[0])))


def _account(chance: random.Random, providers: tuple[Provider, ...], place: int) -> Account:
    number = _provider(providers, chance.random())
    regions = providers[number].regions
    home = _skewed(chance, len(regions), 1.5)
    return Account(
        id=f"{482_915_000_000 + place * 7_717:012d}",
        provider=number,
        billing_account=2 * number + (chance.random() < 0.35),
        regions=(regions[home], regions[(home + 1) % len(regions)]),
    )


def _apps(
    chance: random.Random, providers: tuple[Provider, ...], provider: int, accounts: tuple[Account, ...]
) -> list[tuple[int, App]]:
    """The apps of one provider with their numbers, and all of its accounts dealt to them."""
    numbers = [app for app in range(APPS) if _provider(providers, (app * 61 % APPS + 0.5) / APPS) == provider]
    places = [place for place, account in enumerate(accounts) if account.provider == provider]
    shared = [place for place in places if place < SHARED_ACCOUNTS]
    dealt: dict[int, list[int]] = {app: [] for app in numbers}
    for turn, place in enumerate(places[len(shared) :]):
        # Two for everyone, the others mostly to the large apps, which come first.
        app = numbers[turn % len(numbers)] if turn < 2 * len(numbers) else numbers[_skewed(chance, len(numbers), 1.6)]
        dealt[app].append(place)
    names = providers[provider].services
    found = []
    for app in numbers:
        services = tuple(dict.fromkeys(names[_skewed(chance, len(names), 1.7)] for _ in range(40)))
        common = tuple(shared[(app + step) % len(shared)] for step in range(2))
        team = f"team{app * 7 % TEAMS}"
        found.append((app, App(f"app{app}", team, provider, tuple(dealt[app]), common, services[: 10 + app % 5])))
    return found


def _providers() -> tuple[Provider, ...]:
    cut = (0, 30, 46, SERVICES)
    places = (0, 10, 16, REGIONS)
    return tuple(
        Provider(
            f"Cloud {'ABC'[number]}",
            part,
            tuple(f"Service {service:02d}" for service in range(cut[number], cut[number + 1])),
            tuple(f"region-{region}" for region in range(places[number], places[number + 1])),
            (f"INV-{number}0-2026-10", f"INV-{number}1-2026-10"),
        )
        for number, part in enumerate((0.6, 0.25, 0.15))
    )


def _provider(providers: tuple[Provider, ...], point: float) -> int:
    reached = 0.0
    for number, provider in enumerate(providers):
        reached += provider.part
        if point < reached:
            return number
    return len(providers) - 1


def _skewed(chance: random.Random, count: int, power: float) -> int:
    return int(count * chance.random() ** power)
