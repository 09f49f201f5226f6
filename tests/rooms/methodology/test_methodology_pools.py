"""What the methodology document says of who takes part in pools, and of cost that moves on in ways no pool names."""

from __future__ import annotations

from dataclasses import replace

from apportion.allocate.basis import Even, Follow, KeptCentral
from apportion.allocate.policy import Pool, PoolOrder, Recipients
from apportion.allocate.rule import And, Equals, Field, Not, Rule
from apportion.methodology.compiled import compiled
from tests.rooms.methodology.everything import ORGANIZATION, POLICY, SERVICE, group, pool
from tests.rooms.methodology.test_methodology_document import DAY, DOCUMENT, texts


def test_who_takes_part_says_whom_exceptions_are_about() -> None:
    def said(**asked: tuple[str, ...]) -> str:
        pools = (Pool("a", "A", Even(), Recipients(**asked)), Pool("b", "B", Even()))  # type: ignore[arg-type]
        found = texts(compiled(replace(POLICY, pools=pools, pool_order=PoolOrder.DERIVED), ORGANIZATION, DAY))
        return next(text for text in found if text.startswith("Who takes part: "))

    everybody = "Who takes part: Every cost group without others below it"
    assert said(pools=("b",)) == "Who takes part: The pool B."
    assert said(excluded=("pay",)) == f"{everybody}, except Payments (pay) and all that is below."
    beside = f"{everybody}, except Payments (pay) and all that is below; and also the pool B."
    assert said(excluded=("pay",), pools=("b",)) == beside
    assert said(groups=("pay",), pools=("b",)) == "Who takes part: Payments (pay) and also the pool B."


def test_pools_that_follow_say_who_carries_them_and_that_other_pools_receive_them() -> None:
    said = list(texts(DOCUMENT))
    follows = (
        "The pool Tax follows other charges. Where such charges went into a pool, a part goes into that pool too, "
    )
    assert any(text.startswith(follows) for text in said)
    carrying = "Who takes part: Whoever carries the charges that it follows, be it a cost group, a pool, or what is "
    rest = (
        "kept central or unallocated. In the rest, which follows no charge: every cost group without others below it."
    )
    assert carrying + rest in said
    assert "whoever carries what it follows" in said
    alone = replace(POLICY, pools=(Pool("tax", "Tax", Follow((("ResourceId",),)), otherwise=(KeptCentral(),)),))
    assert carrying + "kept central or unallocated." in list(texts(compiled(alone, ORGANIZATION, DAY)))


def test_rules_for_unused_commitments_say_that_an_agreement_moves_them_on() -> None:
    status = Field("CommitmentDiscountStatus")
    unused = And((Equals(SERVICE, ("Compute",)), Equals(status, ("Unused",))))
    used = Not(Equals(status, ("Unused",)))
    rules = (Rule("u", "U", unused, pool("mix")), Rule("v", "V", used, group("pay")))
    words = (
        "Where an agreement in section Commitment discounts is about such a charge of commitments that nobody used, "
        "the agreement then moves its cost on."
    )
    policy = replace(POLICY, rules=rules)
    assert list(texts(compiled(policy, ORGANIZATION, DAY))).count(words) == 1
    assert words not in list(texts(compiled(replace(policy, commitments=()), ORGANIZATION, DAY)))
