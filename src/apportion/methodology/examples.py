"""Worked examples of the methods that a policy uses, with round numbers. Every result is worked out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from apportion.allocate.basis import (
    Amount,
    Basis,
    Cost,
    Even,
    Fixed,
    Follow,
    Greater,
    Metered,
    Mix,
    Part,
    Price,
    Priced,
    Rate,
    Rest,
    Summed,
    Tier,
    Weight,
    meters,
    quantities,
)
from apportion.allocate.policy import Beyond, Cap, Limits, Policy, Pool, PoolOrder, Recipients
from apportion.methodology.agreement_examples import BLENDED, ORDERED, SURCHARGE
from apportion.methodology.document import Example, say
from apportion.methodology.pools import shares_into
from apportion.methodology.scenario import CENTRAL, CURRENCY, TEAMS, amount, cents, month, table
from apportion.money.amount import units

_USED = {"Red": "60", "Green": "30", "Blue": "10"}
_METER = Metered("usage")


def examples(policy: Policy) -> tuple[tuple[str, Example], ...]:
    """(anchor, example) for each method of the policy that is not plain from its description."""
    made = [make() for asked, make in _ALL if asked(policy)]
    return tuple((f"example-{place}", example) for place, example in enumerate(made, start=1))


def _bases(policy: Policy) -> Iterator[Basis]:
    for pool in policy.pools:
        for basis in pool.bases:
            yield basis
            if isinstance(basis, Mix):
                yield from (part.basis for part in basis.parts)


def _uses(*kinds: type[Basis]) -> Callable[[Policy], bool]:
    return lambda policy: any(isinstance(basis, kinds) for basis in _bases(policy))


def _has_tiers(policy: Policy) -> bool:
    asked = (quantity for basis in _bases(policy) for quantity in quantities(basis))
    return any(meter.tiers for quantity in asked for meter in meters(quantity))


def _chained(policy: Policy) -> bool:
    return policy.pool_order is not PoolOrder.RECIPROCAL and any(shares_into(policy).values())


def _proportional() -> Example:
    direct = {"Red": "600", "Green": "300", "Blue": "100"}
    made = month({**direct, "pool": "500"}, [Pool("pool", "", Cost())])
    rows = [
        [team, cents(int(direct[team]) * 100), f"{direct[team]} of 1,000", amount(made.of_pool("pool", team))]
        for team in TEAMS
    ]
    return Example(
        "In proportion",
        (
            say(
                "A pool of 500.00 is shared in proportion to direct cost. All recipients together have 1,000.00 of it."
            ),
            table(("Recipient", "Direct cost", "Part", "Pays of the pool"), rows),
            say("With delivered usage instead of cost it goes the same way: each quantity out of the sum of all."),
        ),
    )


def _mix() -> Example:
    parts = (Part(Weight(30), Even()), Part(Weight(70), _METER))
    made = month({"pool": "1000"}, [Pool("pool", "", Mix(parts))], metered={"usage": _USED})
    even = month({"pool": "300"}, [Pool("pool", "", Even())])
    by_use = month({"pool": "700"}, [Pool("pool", "", _METER)], metered={"usage": _USED})
    rows = [
        [team, cents(even.pays(team)), _USED[team], cents(by_use.pays(team)), cents(made.pays(team))] for team in TEAMS
    ]
    return Example(
        "A mix",
        (
            say("30 % of a pool of 1,000.00 is shared evenly, and 70 % by usage: 300.00 and 700.00."),
            table(("Recipient", "Even part", "Usage", "Part by usage", "Pays"), rows),
        ),
    )


def _dual_rate() -> Example:
    budget = {"Red": "50", "Green": "30", "Blue": "20"}
    parts = (Part(Rate(units("4"), CURRENCY, _METER), _METER), Part(Rest(), Metered("budget")))
    given = {"usage": _USED, "budget": budget}
    made = month({"pool": "1000"}, [Pool("pool", "", Mix(parts))], metered=given)
    variable = month({"pool": "400"}, [Pool("pool", "", _METER)], metered=given)
    fixed = month({"pool": "600"}, [Pool("pool", "", Metered("budget"))], metered=given)
    rows = [
        [team, _USED[team], cents(variable.pays(team)), budget[team], cents(fixed.pays(team)), cents(made.pays(team))]
        for team in TEAMS
    ]
    return Example(
        "Two rates",
        (
            say(
                "A pool of 1,000.00 has a part that grows with usage, 4.00 for each of 100 units, and a part for "
                "having the capacity, which is the rest. Usage pays for the first, what was agreed beforehand for "
                "the second."
            ),
            table(("Recipient", "Used", "at 4.00", "Agreed", "of 600.00", "Pays"), rows),
        ),
    )


def _amount_first() -> Example:
    parts = (Part(Amount(units("300"), CURRENCY), Even()), Part(Rest(), _METER))
    large = month({"pool": "1000"}, [Pool("pool", "", Mix(parts))], metered={"usage": _USED})
    small = month({"pool": "240"}, [Pool("pool", "", Mix(parts))], metered={"usage": _USED})
    rows = [[team, _USED[team], cents(large.pays(team)), cents(small.pays(team))] for team in TEAMS]
    return Example(
        "A first amount, and the rest",
        (
            say(
                "The first 300.00 of a pool are shared evenly, and the rest by usage. Where the pool holds less than "
                "the first amount, all of it is shared evenly."
            ),
            table(("Recipient", "Usage", "Pays of 1,000.00", "Pays of 240.00"), rows),
        ),
    )


def _tiers() -> Example:
    used = {"Red": "300", "Green": "100", "Blue": "50"}
    tiers = (Tier(units("100"), units("1")), Tier(None, units("0.5")))
    made = month({"pool": "700"}, [Pool("pool", "", Metered("usage", tiers=tiers))], metered={"usage": used})
    counts = {"Red": "100 + 200 × 0.5 = 200", "Green": "100", "Blue": "50"}
    rows = [[team, used[team], counts[team], cents(made.pays(team))] for team in TEAMS]
    return Example(
        "Tiers",
        (
            say(
                "Each consumer's first 100 units count in full, all beyond them half. A pool of 700.00 is shared by "
                "that."
            ),
            table(("Recipient", "Usage", "Counts", "Pays"), rows),
        ),
    )


def _greater() -> Example:
    asked, used = {"Red": "40", "Green": "30", "Blue": "10"}, {"Red": "20", "Green": "50", "Blue": "10"}
    basis = Greater((Metered("asked"), Metered("used")))
    made = month({"pool": "1000"}, [Pool("pool", "", basis)], metered={"asked": asked, "used": used})
    rows = [
        [team, asked[team], used[team], str(max(int(asked[team]), int(used[team]))), cents(made.pays(team))]
        for team in TEAMS
    ]
    return Example(
        "The greater of two",
        (
            say("A pool of 1,000.00 is shared by what each recipient asked for, or what it used where that was more."),
            table(("Recipient", "Asked for", "Used", "Counts", "Pays"), rows),
        ),
    )


def _summed() -> Example:
    first, second = {"Red": "40", "Green": "20", "Blue": "0"}, {"Red": "0", "Green": "5", "Blue": "10"}
    basis = Summed(((Metered("first"), units("1")), (Metered("second"), units("4"))))
    made = month({"pool": "600"}, [Pool("pool", "", basis)], metered={"first": first, "second": second})
    rows = [
        [team, first[team], second[team], str(int(first[team]) + 4 * int(second[team])), cents(made.pays(team))]
        for team in TEAMS
    ]
    return Example(
        "A weighted sum",
        (
            say("A pool of 600.00 is shared by two metrics, the second of which counts 4 times."),
            table(("Recipient", "First", "Second", "Counts", "Pays"), rows),
        ),
    )


def _price_list() -> Example:
    made = month(
        {"pool": "1000"},
        [Pool("pool", "", Priced(_METER, (Price(None, units("9")),), CURRENCY))],
        metered={"usage": _USED},
    )
    rows = [[team, _USED[team], cents(made.pays(team))] for team in TEAMS]
    rows.append([CENTRAL, "", cents(made.pays(CENTRAL))])
    return Example(
        "An internal price",
        (
            say(
                "Each unit costs 9.00 inside the company. The pool cost 1,000.00, and 100 units were used: the "
                "prices bring in less than the cost, and what is under-recovered is kept central. With a price of "
                "11.00 the same amount would stand there as over-recovered, below zero."
            ),
            table(("Recipient", "Usage", "Pays"), rows),
        ),
    )


def _limit() -> Example:
    most = {"Red": "80", "Green": "15", "Blue": "5"}

    def held(beyond: Beyond) -> list[str]:
        limits = Limits(at_most=Fraction(1, 2), beyond=beyond)
        made = month({"pool": "1000"}, [Pool("pool", "", _METER, limits=limits)], metered={"usage": most})
        return [cents(made.pays(team)) for team in (*TEAMS, CENTRAL)]

    free = month({"pool": "1000"}, [Pool("pool", "", _METER)], metered={"usage": most})
    passed_on, kept = held(Beyond.PASSED_ON), held(Beyond.KEPT_CENTRAL)
    names = (*TEAMS, CENTRAL)
    rows = [[name, cents(free.pays(name)), passed_on[at], kept[at]] for at, name in enumerate(names)]
    return Example(
        "A limit",
        (
            say("A pool of 1,000.00 is shared by usage, and nobody is to pay more than 50 % of it."),
            table(("Recipient", "Without limit", "Rest passed on", "Rest kept central"), rows),
        ),
    )


def _cap() -> Example:
    cap = Cap(Amount(units("800"), CURRENCY))
    made = month({"pool": "1000"}, [Pool("pool", "", Even(), cap=cap)], teams=("Red", "Green"))
    rows = [[name, cents(made.pays(name))] for name in ("Red", "Green", CENTRAL)]
    return Example(
        "A cap on the whole pool",
        (
            say("Of a pool of 1,000.00 at most 800.00 is shared, here evenly, and the rest is kept central."),
            table(("Recipient", "Pays"), rows),
        ),
    )


def _following() -> Example:
    # What follows is shared like the cost of what it belongs to; here that is all one resource.
    direct = {"Red": "300", "Green": "100"}
    made = month({**direct, "pool": "40"}, [Pool("pool", "", Cost())], teams=("Red", "Green"))
    rows = [[team, cents(int(direct[team]) * 100), amount(made.of_pool("pool", team))] for team in ("Red", "Green")]
    return Example(
        "Charges that follow others",
        (
            say(
                "A tax charge of 40.00 names an account. The other charges of that account are 300.00 for Red and "
                "100.00 for Green, so the tax goes to both in that proportion. A tax charge that names an account of "
                "Red alone would go to Red alone."
            ),
            table(("Recipient", "Charges of the account", "Tax"), rows),
        ),
    )


_SERVICES = {"Desk": "400", "Network": "600", "Red": "0", "Green": "0"}


def _stepped() -> Example:
    pools = [
        Pool("Desk", "", Fixed((("Network", 50), ("Red", 25), ("Green", 25)))),
        Pool("Network", "", Fixed((("Red", 75), ("Green", 25)))),
    ]
    made = month(_SERVICES, pools, teams=("Red", "Green"))
    rows = [
        [pool, amount(made.passed(pool)), *(amount(made.of_pool(pool, code)) for code in ("Network", "Red", "Green"))]
        for pool in ("Desk", "Network")
    ]
    rows.append(["Carried in the end", "", "", cents(made.pays("Red")), cents(made.pays("Green"))])
    return Example(
        "One pool shares into another",
        (
            say(
                "Desk holds 400.00 and gives half of it to Network, which has 600.00 of its own. Network is shared "
                "after Desk, so that it passes on what it received as well."
            ),
            table(("Pool", "Passes on", "to Network", "to Red", "to Green"), rows),
        ),
    )


def _reciprocal() -> Example:
    pools = [
        Pool("Desk", "", Fixed((("Network", 50), ("Red", 25), ("Green", 25)))),
        Pool("Network", "", Fixed((("Desk", 20), ("Red", 60), ("Green", 20)))),
    ]
    costs = {"Desk": "420", "Network": "600"}
    made = month(costs, pools, order=PoolOrder.RECIPROCAL, teams=("Red", "Green"))
    rows = [
        [
            pool,
            amount(made.passed(pool)),
            *(amount(made.of_pool(pool, code)) for code in ("Desk", "Network", "Red", "Green")),
        ]
        for pool in ("Desk", "Network")
    ]
    rows.append(["Carried in the end", "", "", "", cents(made.pays("Red")), cents(made.pays("Green"))])
    desk, network = amount(made.passed("Desk")), amount(made.passed("Network"))
    return Example(
        "Pools that serve each other",
        (
            say(
                "Desk holds 420.00 and gives 50 % to Network. Network holds 600.00 and gives 20 % to Desk. What "
                f"passes through each is 420.00 + 20 % of Network, and 600.00 + 50 % of Desk. Both hold with {desk} "
                f"and {network}."
            ),
            table(("Pool", "Passes on", "to Desk", "to Network", "to Red", "to Green"), rows),
            say("Red and Green together carry exactly the 1,020.00 that the two pools held."),
        ),
    )


def _cents() -> Example:
    made = month({"pool": "100"}, [Pool("pool", "", Even(), Recipients())])
    rows = [[team, "33.333…", cents(made.pays(team))] for team in TEAMS]
    return Example(
        "The last cent",
        (
            say("100.00 is shared by three. Cut to whole cents one is missing, and the largest remainder gets it."),
            table(("Recipient", "Exactly", "On the statement"), rows),
            say("Where remainders are equal, as here, the order of the cost groups in the organization decides."),
        ),
    )


def _sizes(policy: Policy, kind: type[Weight | Amount | Rate]) -> bool:
    return any(
        isinstance(part.size, kind) for basis in _bases(policy) if isinstance(basis, Mix) for part in basis.parts
    )


_ALL: tuple[tuple[Callable[[Policy], bool], Callable[[], Example]], ...] = (
    (_uses(Cost, Metered), _proportional),
    (lambda policy: _sizes(policy, Weight), _mix),
    (lambda policy: _sizes(policy, Amount), _amount_first),
    (lambda policy: _sizes(policy, Rate), _dual_rate),
    (_uses(Greater), _greater),
    (_uses(Summed), _summed),
    (_has_tiers, _tiers),
    (_uses(Priced), _price_list),
    (_uses(Follow), _following),
    (lambda policy: any(pool.limits for pool in policy.pools), _limit),
    (lambda policy: any(pool.cap for pool in policy.pools), _cap),
    (_chained, _stepped),
    (lambda policy: policy.pool_order is PoolOrder.RECIPROCAL, _reciprocal),
    *((asked, make) for asked, make in (ORDERED, BLENDED, SURCHARGE)),
    (lambda policy: True, _cents),
)
