"""A random policy, written as YAML, is read back the same: every form of rules, shares, limits and sections."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apportion.allocate import policy_file
from apportion.allocate.basis import (
    Amount,
    Basis,
    Cost,
    Even,
    Fixed,
    Follow,
    Greater,
    KeptCentral,
    Metered,
    Mix,
    Part,
    Price,
    Priced,
    Quantity,
    Rate,
    Rest,
    Simple,
    Summed,
    Tier,
    Weight,
)
from apportion.allocate.policy import (
    Beyond,
    Cap,
    Commitment,
    CommitmentMethod,
    CostBasis,
    Limits,
    NegativeBasis,
    Policy,
    Pool,
    PoolOrder,
    Recipients,
    Unused,
    Uplift,
)
from apportion.allocate.rule import (
    KEPT_CENTRAL,
    And,
    Between,
    ByTag,
    Condition,
    Equals,
    Exists,
    Field,
    Glob,
    Holder,
    Matches,
    Not,
    Or,
    Prefix,
    Rule,
    Target,
)
from apportion.errors import Place
from apportion.money.amount import ONE
from tests.often import often
from tests.rooms.allocate.policy_writing import dumped

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


codes = st.from_regex(r"[A-Za-z0-9._-]{1,12}", fullmatch=True).filter(
    lambda code: code.casefold() not in ("unallocated", "kept_central")
)
# The three line ends that the YAML writer of the test leaves bare and YAML reads as blanks are left out.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029"), max_size=12)
named = texts.filter(bool)
names = texts.filter(lambda text: bool(text.strip()))
days = st.dates(date(2000, 1, 1), date(2040, 1, 1))
many = st.lists(texts, min_size=1, max_size=3, unique=True).map(tuple)
some_codes = st.lists(codes, max_size=3, unique=True).map(tuple)


def conditions_over(
    fields: st.SearchStrategy[Field], *dated: st.SearchStrategy[Condition]
) -> st.SearchStrategy[Condition]:
    atoms: st.SearchStrategy[Condition] = st.one_of(
        st.builds(Equals, fields, many, st.booleans()),
        st.builds(Prefix, fields, st.lists(named, min_size=1, max_size=3, unique=True).map(tuple)),
        st.builds(Glob, fields, st.sampled_from(["a*", "*", "?", "[a-c]x", "[!x]", "é*"])),
        st.builds(Matches, fields, st.sampled_from(["^a", "a|b", r"\d+: x", "(?i)'\"", "x{2}"])),
        st.builds(Exists, fields),
        *dated,
    )
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
            st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
            st.builds(Not, inner),
        ),
        max_leaves=6,
    )


text_fields = st.one_of(
    st.sampled_from(["SubAccountId", "ServiceName", "RegionId", "ResourceName"]).map(Field),
    named.map(lambda name: Field("x_" + name)),
    named.map(lambda key: Field(key, is_tag=True)),
)
conditions = conditions_over(
    text_fields,
    st.tuples(days, days)
    .filter(lambda pair: pair[0] < pair[1])
    .map(lambda pair: Between(Field("ChargePeriodStart"), *pair)),
    days.map(lambda day: Between(Field("x_day"), None, day)),
)
_TAKEN = ("all", "any", "not", "period", "value", "consumer", "metric")
dimensions = st.one_of(
    st.sampled_from(["consumer", "metric", "cluster", "tags.team"]),
    names.filter(lambda name: name.casefold() not in _TAKEN),
).map(Field)

# Amounts and numbers of zero or more with up to eighteen digits before and after the point.
numbers = st.one_of(st.integers(0, 10**6).map(lambda number: number * ONE), st.integers(0, 10**36 - 1))
currencies = st.sampled_from(["USD", "EUR", "JPY", "KWD"])
amounts = st.builds(Amount, numbers, currencies)
parts_of_one = st.builds(Fraction, st.integers(0, 500), st.just(500))


@st.composite
def metered(draw: st.DrawFn) -> Metered:
    where = draw(st.dictionaries(names, many, max_size=2))
    tops = sorted(draw(st.sets(st.integers(1, 10**30), max_size=3)))
    tiers = tuple(Tier(top, draw(numbers)) for top in tops)
    if draw(st.booleans()):
        tiers += (Tier(None, draw(numbers)),)
    if not any(tier.factor for tier in tiers):
        tiers = ()
    return Metered(draw(names), tuple(where.items()), tiers)


quantities: st.SearchStrategy[Quantity] = st.one_of(
    metered(),
    st.lists(metered(), min_size=2, max_size=3).map(lambda of: Greater(tuple(of))),
    st.lists(st.tuples(metered(), numbers), min_size=2, max_size=3)
    .filter(lambda of: any(factor for _, factor in of))
    .map(lambda of: Summed(tuple(of))),
)
whole_parts = st.lists(st.integers(1, 99), min_size=2, max_size=4).map(
    lambda parts: [part // math.gcd(*parts) for part in parts]
)
fixed = st.dictionaries(codes, st.integers(1, 99), min_size=1, max_size=4).map(
    lambda parts: Fixed(tuple((code, part // math.gcd(*parts.values())) for code, part in parts.items()))
)
categories = st.lists(st.sampled_from(["Usage", "Tax", "Credit"]), max_size=2, unique=True).map(tuple)
simple: st.SearchStrategy[Simple] = st.one_of(
    st.sampled_from([Even(), Cost(), Cost(so_far=True), KeptCentral()]),
    fixed,
    st.builds(Cost, st.just(False), st.one_of(st.just(()), many), categories, some_codes),
    quantities,
)


@st.composite
def mixes(draw: st.DrawFn) -> Mix:
    if draw(st.booleans()):
        return Mix(tuple(Part(Weight(weight), draw(simple)) for weight in draw(whole_parts)))
    currency = draw(currencies)
    sizes = st.one_of(
        st.builds(Amount, numbers, st.just(currency)), st.builds(Rate, numbers, st.just(currency), quantities)
    )
    parts = [Part(size, draw(simple)) for size in draw(st.lists(sizes, min_size=1, max_size=2))]
    return Mix((*parts, Part(Rest(), draw(simple))))


@st.composite
def price_lists(draw: st.DrawFn) -> Priced:
    dates: list[date | None] = [*sorted(draw(st.sets(days, max_size=2)))]
    if not dates or draw(st.booleans()):
        dates.insert(0, None)
    return Priced(draw(quantities), tuple(Price(day, draw(numbers)) for day in dates), draw(currencies))


followed = st.sampled_from(["ResourceId", "SubAccountId", "ServiceName", "x_Order", "tags.app"])
columns = st.lists(followed, min_size=1, max_size=3, unique=True).map(tuple)
follows = st.lists(columns, min_size=1, max_size=2, unique=True).map(lambda by: Follow(tuple(by)))
bases: st.SearchStrategy[Basis] = st.one_of(simple, mixes(), price_lists())
recipients = st.builds(
    Recipients, some_codes, some_codes, some_codes,
    st.dictionaries(names, many, max_size=2).map(lambda having: tuple(having.items())), some_codes, some_codes,
)  # fmt: skip
targets_of_rest = st.one_of(
    st.just(KEPT_CENTRAL), st.builds(Target, st.sampled_from([Holder.POOL, Holder.COST_GROUP]), codes)
)


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    at_least, at_most = draw(
        st.one_of(
            st.tuples(parts_of_one, parts_of_one).map(lambda pair: tuple(sorted(pair))),
            st.tuples(amounts, parts_of_one),
            st.tuples(st.none(), amounts),
            st.tuples(amounts, st.none()),
        )
    )
    return Limits(at_least, at_most, draw(st.sampled_from(Beyond)) if at_most is not None else Beyond.PASSED_ON)


def leaves(basis: Basis) -> Iterator[Basis]:
    yield basis
    for part in basis.parts if isinstance(basis, Mix) else ():
        yield part.basis


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    first: st.SearchStrategy[Basis] = st.one_of(bases, follows)
    found = (draw(first), *draw(st.lists(bases, max_size=2)))
    used = [leaf for basis in found for leaf in leaves(basis)]
    rated = any(isinstance(part.size, Rate) for basis in found if isinstance(basis, Mix) for part in basis.parts)
    asks = rated or not all(isinstance(leaf, Fixed | KeptCentral | Follow | Mix) for leaf in used)
    bounded = not any(isinstance(leaf, Priced | Follow) for leaf in used) and not all(
        isinstance(leaf, KeptCentral) for leaf in used
    )
    measured = any(isinstance(leaf, Cost | Metered | Greater | Summed) for leaf in used)
    return Pool(
        draw(codes), draw(named), found[0],
        recipients=draw(recipients) if asks else Recipients(),
        otherwise=found[1:],
        limits=draw(st.none() | limits()) if bounded else None,
        cap=draw(st.none() | st.builds(Cap, amounts, targets_of_rest)) if bounded else None,
        negative_basis=draw(st.sampled_from(NegativeBasis)) if measured else NegativeBasis.REFUSE,
    )  # fmt: skip


@st.composite
def commitments(draw: st.DrawFn) -> Commitment:
    method, unused = draw(st.sampled_from(CommitmentMethod)), draw(st.sampled_from(Unused))
    needs_buyer = method is CommitmentMethod.BUYER_FIRST or unused is Unused.BUYER
    return Commitment(
        draw(codes), draw(named), draw(conditions), method,
        buyer=draw(codes) if needs_buyer else "",
        priority=draw(some_codes.filter(bool)) if method is CommitmentMethod.PRIORITY else (),
        unused=unused,
    )  # fmt: skip


uplifts = st.one_of(
    st.builds(Uplift, codes, named, recipients.map(lambda asked: replace(asked, pools=())), percent=parts_of_one),
    st.builds(Uplift, codes, named, fixed=amounts),
)


def rules_over(
    fields: st.SearchStrategy[Field], when: st.SearchStrategy[Condition], tables: list[tuple[tuple[str, str], ...]],
    *others: st.SearchStrategy[Target],
) -> st.SearchStrategy[Rule]:  # fmt: skip
    targets = st.one_of(
        codes.map(lambda code: Target(Holder.COST_GROUP, code)),
        codes.map(lambda code: Target(Holder.POOL, code)),
        st.builds(ByTag, fields, st.sampled_from([(), *tables]), st.booleans()),
        *others,
    )
    found = st.builds(Rule, codes, texts, st.none() | when, targets, st.none() | days, st.none() | days)
    return found.map(lambda rule: rule if rule.name else replace(rule, name=rule.id))


usage_conditions = conditions_over(dimensions)
tables = st.dictionaries(texts, st.dictionaries(texts, codes, max_size=3), max_size=2)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    aliases = {name: tuple(table.items()) for name, table in draw(tables).items()}
    pairs = list(aliases.values())
    rules = rules_over(text_fields, conditions, pairs, st.just(KEPT_CENTRAL))
    return Policy(
        name=draw(texts),
        cost_basis=draw(st.sampled_from(CostBasis)),
        rules=tuple(draw(st.lists(rules, min_size=1, max_size=3))),
        pools=tuple(draw(st.lists(pools(), max_size=3))),
        digest="",
        pool_order=draw(st.sampled_from(PoolOrder)),
        commitments=tuple(draw(st.lists(commitments(), max_size=2))),
        uplifts=tuple(draw(st.lists(uplifts, max_size=2))),
        consumers=tuple(draw(st.lists(rules_over(dimensions, usage_conditions, pairs), max_size=2))),
        alias_tables=tuple(aliases.items()),
    )


def bare(policy: Policy) -> Policy:
    """The policy without where it stood."""
    return replace(
        policy,
        digest="",
        places=None,
        rules=tuple(replace(rule, place=Place()) for rule in policy.rules),
        consumers=tuple(replace(rule, place=Place()) for rule in policy.consumers),
        pools=tuple(replace(pool, place=Place()) for pool in policy.pools),
        commitments=tuple(replace(commitment, place=Place()) for commitment in policy.commitments),
        uplifts=tuple(replace(uplift, place=Place()) for uplift in policy.uplifts),
    )


@settings(
    max_examples=often(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(policies())
def test_a_policy_written_as_yaml_is_read_back_the_same(tmp_path: Path, policy: Policy) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(dumped(policy), encoding="utf-8")
    assert bare(policy_file.read(path)) == policy


@settings(max_examples=often(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(pools(), min_size=1, max_size=4))
@example([Pool("a", "A", Metered("no", (("yes", ("1.0", "~")),), (Tier(1, 0), Tier(None, 5))))])
def test_every_way_of_sharing_is_read_back_the_same(tmp_path: Path, pools: list[Pool]) -> None:
    policy = Policy("P", CostBasis.BILLED, (Rule("r", "r", None, KEPT_CENTRAL),), tuple(pools), "")
    path = tmp_path / "policy.yaml"
    path.write_text(dumped(policy), encoding="utf-8")
    assert bare(policy_file.read(path)) == policy
