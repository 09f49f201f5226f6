"""Generated pools of every basis, usage, cells and trees, for laws of sharing."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from apportion.allocate.allocation import Cell, Scope
from apportion.allocate.basis import (
    Amount,
    Basis,
    Cost,
    Even,
    Fixed,
    Greater,
    KeptCentral,
    Metered,
    Mix,
    Part,
    Price,
    Priced,
    Rest,
    Simple,
    Summed,
    Tier,
    Weight,
)
from apportion.allocate.policy import Beyond, Cap, Limits, NegativeBasis, Pool, PoolOrder, Recipients
from apportion.allocate.rule import KEPT_CENTRAL, UNALLOCATED, Holder, Target
from apportion.allocate.usage import Usage, Used
from apportion.money.amount import ONE
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod

GROUPS = ("a", "b", "c", "d")
POOLS = ("p", "q", "r", "s")
METRICS = ("requests", "seats", "tokens")
PERIOD = BillingPeriod(2026, 10)
TREE = Tree([CostGroup("top", "Top"), *(CostGroup(code, code, "top") for code in GROUPS)])
SCOPES = (
    Scope("One", "I-1", "", "USD"),
    Scope("One", "I-2", "", "USD"),
    Scope("Two", "", "acct", "JPY"),
    Scope("Two", "K-1", "", "KWD"),
)
HOLDERS = [Target(Holder.COST_GROUP, code) for code in GROUPS] + [Target(Holder.POOL, code) for code in POOLS]

cells = st.lists(
    st.builds(
        Cell,
        st.sampled_from(["r1", "r2"]),
        st.sampled_from([*HOLDERS, KEPT_CENTRAL, UNALLOCATED]),
        st.sampled_from(SCOPES),
        st.sampled_from(["Compute", "Storage"]),
        st.sampled_from(["Usage", "Credit"]),
        st.integers(1, 9),
        st.integers(-(10**22), 10**23),
        st.just(""),
    ),
    max_size=20,
).map(lambda found: list({cell[:5]: cell for cell in found}.values()))

quantities = st.integers(0, 10**6).map(lambda value: value * ONE // 7)
usages = st.lists(
    st.builds(Used, st.sampled_from(METRICS), st.sampled_from(HOLDERS), st.just(()), quantities), max_size=25
).map(Usage)

tiers = st.just(()) | st.integers(1, 10**5).map(lambda top: (Tier(top * ONE, ONE), Tier(None, ONE // 3)))
meters = st.builds(Metered, st.sampled_from(METRICS), st.just(()), tiers)
metered = st.one_of(
    meters,
    st.lists(meters, min_size=2, max_size=3).map(lambda found: Greater(tuple(found))),
    st.lists(st.tuples(meters, st.integers(1, 5).map(lambda factor: factor * ONE)), min_size=1, max_size=3).map(
        lambda found: Summed(tuple(found))
    ),
)
costs = st.builds(
    Cost, st.just(value=False), st.sampled_from([(), ("Compute",)]), st.sampled_from([(), ("Usage",)]), st.just(())
)
amounts = st.integers(0, 10**4).map(lambda size: Amount(size * ONE, "USD"))


@st.composite
def simple(draw: st.DrawFn, into: tuple[str, ...], *, linear: bool = False) -> Simple:
    """A basis without parts; fixed shares lead to cost groups and the pools of `into`."""
    shares = st.dictionaries(st.sampled_from([*GROUPS, *into]), st.integers(1, 9), min_size=1)
    fixed = shares.map(lambda found: Fixed(tuple(found.items())))
    bases: list[st.SearchStrategy[Simple]] = [st.just(Even()), costs, fixed, metered, st.just(KeptCentral())]
    return draw(st.one_of(bases if linear else [*bases, st.just(Cost(so_far=True))]))


@st.composite
def bases(draw: st.DrawFn, into: tuple[str, ...], *, linear: bool = False) -> Basis:
    """Any basis but one that follows charges, for which rows are needed."""
    one = simple(into, linear=linear)
    shares = st.lists(st.builds(Part, st.builds(Weight, st.integers(1, 9)), one), min_size=2, max_size=3)
    sized = st.tuples(st.builds(Part, amounts, one), st.builds(Part, st.just(Rest()), one))
    kinds: list[st.SearchStrategy[Basis]] = [one, shares.map(lambda found: Mix(tuple(found)))]
    if not linear:
        kinds += [
            sized.map(Mix),
            st.builds(Priced, meters, st.integers(0, 9).map(lambda price: (Price(None, price * ONE),)), st.just("USD")),
        ]
    return draw(st.one_of(kinds))


limits = st.builds(
    Limits,
    st.none() | st.just(Fraction(1, 50)),
    st.none() | st.sampled_from([Fraction(1, 2), Fraction(9, 10)]),
    st.sampled_from(Beyond),
)


@st.composite
def pools(draw: st.DrawFn, *, loops: bool = False, linear: bool = False) -> list[Pool]:
    """Pools in any order. Without `loops` each leads only to pools later in the alphabet."""
    made = []
    for place, code in enumerate(POOLS):
        others = tuple(other for other in POOLS if other != code) if loops else POOLS[place + 1 :]
        into = tuple(draw(st.lists(st.sampled_from(others), unique=True))) if others else ()
        recipients = Recipients(
            under=tuple(draw(st.lists(st.sampled_from(GROUPS), min_size=1, unique=True))), pools=into
        )
        basis = draw(bases(into, linear=linear))
        otherwise = draw(st.lists(simple(into, linear=linear), max_size=2))
        limited = None if linear else draw(st.none() | limits)
        cap = None if linear else draw(st.none() | amounts.map(Cap))
        pool = Pool(code, code, basis, recipients, tuple(otherwise), limited, cap, NegativeBasis.ZERO)
        made.append(pool)
    return draw(st.permutations(made))


orders = st.sampled_from(PoolOrder)
