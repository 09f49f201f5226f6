"""Shared cost in words: the order of pools, and each pool with what goes in, how it is shared and who takes part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apportion.allocate.basis import Basis, Fixed, Follow, KeptCentral, Mix
from apportion.allocate.order import components
from apportion.allocate.policy import Policy, Pool, PoolOrder
from apportion.allocate.rule import Holder, Target
from apportion.invoice.reasons import basis_words
from apportion.methodology.bases import following, limits, missing, negative, sharing, taking_part
from apportion.methodology.document import (
    Block,
    Bullets,
    Code,
    Facts,
    Item,
    Link,
    Section,
    Table,
    Words,
    joined,
    say,
)
from apportion.methodology.names import Names
from apportion.methodology.words import count, sentence, series

ORDERS = {
    PoolOrder.DERIVED: "Each pool is shared after all pools that share into it, so that it passes on everything it "
    "received. No two pools share into each other.",
    PoolOrder.DECLARED: "Step-down: pools are shared one after the other in the order of the policy, and a pool may "
    "share only into pools further down. What is written for a pool further up is left out, and the others take "
    "its part.",
    PoolOrder.DIRECT: "Direct: no pool takes part in another. Every pool is shared among cost groups alone.",
    PoolOrder.RECIPROCAL: "Reciprocal: each pool is shared after all pools that share into it. Where pools serve each "
    "other, what passes through each of them is worked out together, as the solution of a system of equations, so that "
    "every service between them is counted in full.",
}


def pools_section(number: str, policy: Policy, names: Names, examples: Sequence[tuple[str, str]]) -> Section:
    """The order, an overview of all pools, and each of them. `examples` are (title, anchor) of those that help."""
    into = shares_into(policy)
    place = {code: turn for turn, group in enumerate(_order(into), start=1) for code in group}
    blocks: list[Block] = [
        say(
            "Cost that many use goes into a pool first. A pool is then shared among its recipients: cost groups, and "
            "in some cases other pools. Nothing is lost and nothing is added on the way: the parts of a pool come to "
            "what it held, to the last digit, separately for every provider invoice and currency."
        ),
    ]
    if policy.pools:
        blocks += [
            say(ORDERS[policy.pool_order]),
            *_loops(into, names),
            _overview(policy, names, place),
            *_followers(policy, names),
        ]
    if examples:
        links = series(Link(title, anchor) for title, anchor in examples)
        blocks.append(say("What the methods come to is shown with round numbers in the examples: ", links, "."))
    sections = tuple(
        Section(f"pool-{at}", f"{number}.{at}", pool.name, _pool(pool, policy, names, into))
        for at, pool in enumerate(policy.pools, start=1)
    )
    return Section("pools", number, "Shared cost", tuple(blocks), sections)


def _overview(policy: Policy, names: Names, place: Mapping[str, int]) -> Table:
    rows = tuple(
        (
            (f"{place[pool.id]}",),
            names.pool(pool.id),
            (sentence(basis_words(pool.basis)),),
            (who(pool),),
        )
        for pool in sorted(policy.pools, key=lambda pool: place[pool.id])
    )
    caption = "All pools, in the order in which they are shared"
    return Table(caption, ("Turn", "Pool", "Shared", "Among"), rows, frozenset({0}), widths=(1, 5, 5, 4))


def who(pool: Pool) -> str:
    """Who takes part, in a few words."""
    if isinstance(pool.basis, Fixed):
        return count(len(pool.basis.shares), "named recipient")
    if isinstance(pool.basis, KeptCentral):
        return "nobody"
    if isinstance(pool.basis, Follow):
        return "whoever carries what it follows"
    asked = pool.recipients
    said = [count(len(asked.groups), "named cost group")] if asked.groups else []
    said += [f"all below {count(len(asked.under), 'cost group')}"] if asked.under else []
    said += ["cost groups by attribute"] if asked.having else []
    said += [f"those charged by {count(len(asked.charged_by), 'rule')}"] if asked.charged_by else []
    if not said and (asked.excluded or not asked.pools):
        said = ["all cost groups"]
    said += ["with exceptions"] if asked.excluded else []
    said += [count(len(asked.pools), "pool")] if asked.pools else []
    return ", ".join(said)


def _pool(pool: Pool, policy: Policy, names: Names, into: Mapping[str, Sequence[str]]) -> tuple[Block, ...]:
    target = Target(Holder.POOL, pool.id)
    pairs: list[tuple[str, Words]] = [("Code", (Code(pool.id),))]
    brought = [rule.id for rule in policy.rules if rule.target == target]
    feeding = [other.id for other in policy.pools if pool.id in into[other.id]]
    goes_in = [joined("the charges of ", names.rules(brought))] if brought else []
    goes_in += (
        [joined("parts of the ", "pool " if len(feeding) == 1 else "pools ", names.pools(feeding))] if feeding else []
    )
    pairs.append(("What goes in", joined(_capital(series(goes_in)), ".") if goes_in else ("Nothing, so far.",)))
    if isinstance(pool.basis, Follow):
        pairs.append(("Who takes part", following(pool, names)))
    elif not _names_recipients(pool.basis):
        pairs.append(("Who takes part", taking_part(pool.recipients, names)))
    if words := missing(pool, names):
        pairs.append(("If the basis is missing", words))
    if text := negative(pool):
        pairs.append(("Below zero", (text,)))
    if words := limits(pool, names):
        pairs.append(("Limits", words))
    return (*sharing(pool.basis, names), Facts(tuple(pairs)))


def _followers(policy: Policy, names: Names) -> list[Block]:
    """That pools which follow charges lead to pools that no policy names."""
    found = [pool.id for pool in policy.pools if isinstance(pool.basis, Follow)]
    if not found:
        return []
    words = (
        " other charges. Where such charges went into a pool, a part goes into that pool too, besides what is said "
        "below to go in and whatever the order of pools; it is then shared after the one that follows."
    )
    which = joined("The pool ", names.pools(found), " follows") if len(found) == 1 else ()
    return [say(which or joined("The pools ", names.pools(found), " follow"), words)]


def _capital(words: Words) -> Words:
    first = words[0]
    return (sentence(first), *words[1:]) if isinstance(first, str) else words


def _names_recipients(basis: Basis) -> bool:
    if isinstance(basis, Mix):
        return all(_names_recipients(part.basis) for part in basis.parts)
    return isinstance(basis, Fixed | KeptCentral)


def shares_into(policy: Policy) -> dict[str, tuple[str, ...]]:
    """The pools that each pool shares into, whatever usage is delivered, under the policy's order."""
    places = {pool.id: at for at, pool in enumerate(policy.pools)}
    found: dict[str, tuple[str, ...]] = {}
    for at, pool in enumerate(policy.pools):
        asked = [code for basis in pool.bases for code in _leads_to(pool, basis)]
        if pool.cap is not None and pool.cap.rest.holder is Holder.POOL:
            asked.append(pool.cap.rest.code)
        allowed = {
            code
            for code, other in places.items()
            if code != pool.id
            and policy.pool_order is not PoolOrder.DIRECT
            and (policy.pool_order is not PoolOrder.DECLARED or other > at)
        }
        found[pool.id] = tuple(code for code in dict.fromkeys(asked) if code in allowed)
    return found


def _leads_to(pool: Pool, basis: Basis) -> Sequence[str]:
    if isinstance(basis, Fixed):
        return [code for code, share in basis.shares if share]
    if isinstance(basis, Mix):
        return [code for part in basis.parts for code in _leads_to(pool, part.basis)]
    return () if isinstance(basis, KeptCentral) else pool.recipients.pools


def _order(into: Mapping[str, Sequence[str]]) -> list[list[str]]:
    feeders: dict[str, list[str]] = {code: [] for code in into}
    for code, others in into.items():
        for other in others:
            feeders[other].append(code)
    return components(feeders)


def _loops(into: Mapping[str, Sequence[str]], names: Names) -> list[Block]:
    loops = [sorted(group, key=list(into).index) for group in _order(into) if len(group) > 1]
    if not loops:
        return []
    items = tuple(Item(names.pools(group)) for group in loops)
    return [say("These pools serve each other and have one turn together:"), Bullets(items)]
