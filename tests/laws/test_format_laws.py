"""Laws of the targets: what is rendered is read back, and what cannot be carried is refused by name."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apportion.errors import InputRefusedError, UnbalancedEntryError
from apportion.ledger.entry import Entry, EntryKind, Posting, local_sums, sums
from apportion.ledger.local import Local
from apportion.ledger.statistical import StatisticalEntry, StatisticalLine
from apportion.periods import BillingPeriod
from apportion.post.formats import targets
from apportion.post.formats.arrange import divided
from apportion.post.journal import Journal
from tests.formats import ALL, options
from tests.laws.test_ledger_laws import machine_texts
from tests.often import often

pytestmark = pytest.mark.thorough

law = settings(
    deadline=None,
    max_examples=often(12),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # what fails is small enough as it is
)
words = st.sampled_from(["", "A", "0010", "Søk", "0a b", "100%", "a,b;c", "<&>", "%s", "_x0041_"]) | machine_texts
codes = st.sampled_from(["0010", "600100", "A/7", "Søk", "x y"])
own = st.sampled_from([(), (("project", "P 1"),), (("project", "0"), ("region", "Süd"))])
days = st.dates(date(2000, 1, 1), date(2049, 12, 31))
minors = st.integers(-(10**9), 10**9)
locals_ = st.builds(
    Local, st.just("EUR"), minors, st.sampled_from(["0.9", "161.25"]), days, st.sampled_from(["", "ECB"]), st.booleans()
)


def line(currency: str, local: Local, **more: object) -> Posting:
    return Posting(currency=currency, local=None if currency == "EUR" else local, **more)  # type: ignore[arg-type]


lines = st.builds(
    line,
    currency=st.sampled_from(["EUR", "USD", "JPY", "KWD"]),
    local=locals_,
    account=codes,
    company=st.sampled_from(["1000", "2000"]),
    cost_center=st.just("") | codes,
    department=st.just("") | codes,
    amount_minor=minors,
    text=words,
    ref=words,
    partner=st.just("") | codes,
    tax_code=st.sampled_from(["", "V1"]),
    dimensions=own,
)


@st.composite
def entries(draw: st.DrawFn, entry_id: str) -> Entry:
    """Lines of two companies in euro and three other currencies, given in euro too, and what balances them."""
    found = draw(st.lists(lines, min_size=1, max_size=6))
    closing = []
    for (company, currency), amount in sums(found).items():
        same = [each for each in found if (each.company, each.currency) == (company, currency)]
        mine = [each.local.amount_minor for each in same if each.local]
        local = Local("EUR", -sum(mine), "0.9", draw(days), "ECB") if mine else None
        closing.append(Posting(draw(codes), company, "", "", currency, -amount, "", local=local))
    mixed = tuple(draw(st.permutations([*found, *closing])))
    late = draw(st.sampled_from([None, BillingPeriod(2026, 9)]))
    kind = draw(st.sampled_from(EntryKind))
    return Entry(entry_id, draw(days), draw(days), draw(words), mixed, draw(words), kind, late)


@st.composite
def quantities(draw: st.DrawFn, entry_id: str) -> StatisticalEntry:
    counted = st.builds(
        StatisticalLine,
        account=codes,
        company=st.sampled_from(["1000", "2000"]),
        cost_center=st.just("") | codes,
        department=st.just("") | codes,
        unit=st.sampled_from(["EUR", "JPY"]),
        quantity_minor=minors,
        text=words,
        ref=words,
        dimensions=own,
    )
    found = tuple(draw(st.lists(counted, min_size=1, max_size=3)))
    return StatisticalEntry(entry_id, draw(days), draw(days), draw(words), found, draw(words))


@st.composite
def journals(draw: st.DrawFn) -> Journal:
    ids = draw(st.lists(words.filter(bool) | st.integers(1, 99).map("JN-{}".format), max_size=4, unique=True))
    cut = draw(st.integers(0, len(ids)))
    made = tuple(draw(entries(entry_id)) for entry_id in ids[:cut])
    return Journal(
        "JN-2026-10", BillingPeriod(2026, 10), "hash", made, tuple(draw(quantities(each)) for each in ids[cut:])
    )


@pytest.mark.parametrize("name", ALL)
@law
@given(made=journals())
def test_every_target_carries_a_journal_exactly_or_refuses_it(name: str, made: Journal) -> None:
    asked = options(name)
    try:
        files = targets.render(name, made, asked).files
    except (InputRefusedError, UnbalancedEntryError):
        return
    assert targets.render(name, made, asked).files == files
    assert targets.parse(name, files) == made


@law
@given(entries("E-1"), st.integers(5, 9))
def test_divided_parts_balance_and_add_up_to_the_entry(entry: Entry, most: int) -> None:
    parts = divided(entry.id, list(enumerate(entry.postings, start=1)), most)
    together: dict[int, int] = {}
    for part in parts:
        postings = [posting for _, posting in part]
        assert len(part) <= most
        assert set(sums(postings).values()) == {0}
        if any(each.local for each in postings):
            assert set(local_sums(entry.id, postings).values()) <= {0}
        for number, each in part:
            together[number] = together.get(number, 0) + each.amount_minor
    assert together == {number: each.amount_minor for number, each in enumerate(entry.postings, start=1)}
