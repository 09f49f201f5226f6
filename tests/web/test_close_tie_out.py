"""The tie-out as the close page shows it."""

from __future__ import annotations

from apportion.web.close_tie_out import table


def _document(currency: str) -> dict[str, object]:
    stage = {"stage": "billed_cost", "currency": "USD", "amount": "10.005"}
    aside = {
        "stage": "billed_cost",
        "currency": currency,
        "name": "cloud",
        "sentence": "2 rows were kept aside",
        "amount": "-3.14",
        "accepted": False,
        "aside": True,
    }
    return {"holds": False, "cost_basis": "billed", "stages": [stage], "differences": [aside], "reporting": None}


def test_rows_kept_aside_without_a_readable_currency_are_shown_with_their_digits() -> None:
    found = table(_document(""))
    assert found is not None
    assert [(each.name, each.amount, each.is_open) for each in found.loose] == [("cloud", "-3.14", True)]
    assert found.open_sentences == ["cloud: 2 rows were kept aside"]


def test_those_of_a_currency_that_no_stage_has_name_it() -> None:
    found = table(_document("JPY"))
    assert found is not None
    assert [each.amount for each in found.loose] == ["-3.14 JPY"]


def test_digits_beyond_the_cents_are_shown_beside_them() -> None:
    found = table(_document("USD"))
    assert found is not None
    (row,) = found.currencies[0].rows
    assert (row.minor, row.exact) == (1000, "10.005")
    assert [(why.minor, why.exact) for why in row.differences] == [(-314, "")]
    assert found.loose == ()
