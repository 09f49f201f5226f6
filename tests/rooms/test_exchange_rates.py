"""Files of exchange rates: the ECB's in its two forms, the company's own, and how a mistake is named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from apportion import exchange_rates
from apportion.errors import BadValueError, EmptyFileError, InputRefusedError, UnreadableFileError
from apportion.money.exchange import Table

HISTORY = """\
Date,USD,JPY,CYP,KWD,
2026-10-30,1.0852,165.31,N/A,N/A,
2026-10-29,1.0811,N/A,N/A,N/A,
1999-01-04,1.1789,133.73,0.58231,N/A,
"""
DAILY = "Date, USD, JPY, \n30 October 2026, 1.0852, 165.31, \n"


def read(tmp_path: Path, text: str) -> Table:
    path = tmp_path / "rates.csv"
    path.write_text(text, encoding="utf-8")
    return exchange_rates.read(path)


def test_the_history_of_the_ecb(tmp_path: Path) -> None:
    """Newest first as it is published; N/A is no rate, and currencies that are no more are left out."""
    assert read(tmp_path, HISTORY) == Table(
        "rates.csv",
        {
            ("EUR", "USD"): [
                (date(1999, 1, 4), "1.1789"),
                (date(2026, 10, 29), "1.0811"),
                (date(2026, 10, 30), "1.0852"),
            ],
            ("EUR", "JPY"): [(date(1999, 1, 4), "133.73"), (date(2026, 10, 30), "165.31")],
        },
        {},
    )


def test_the_daily_file_of_the_ecb(tmp_path: Path) -> None:
    found = read(tmp_path, DAILY)
    assert found.published == {
        ("EUR", "USD"): [(date(2026, 10, 30), "1.0852")],
        ("EUR", "JPY"): [(date(2026, 10, 30), "165.31")],
    }
    assert read(tmp_path, DAILY.replace("October", "Oct")) == found


def test_own_rates_by_day_and_by_period(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "\ufeffRate;From;To;Date;Period\r\n0.921;USD;EUR;2026-10-30;\r\n3.0;KWD;EUR;;2026-10\r\n0.92;USD;EUR;2026-10-29;\r\n",
    )
    assert found.published == {("USD", "EUR"): [(date(2026, 10, 29), "0.92"), (date(2026, 10, 30), "0.921")]}
    assert found.agreed == {("KWD", "EUR"): {"2026-10": "3.0"}}
    assert read(tmp_path, "period,from,to,rate\n2026-10,KWD,EUR,3.0\n").agreed == found.agreed


OWN = "date,from,to,rate\n"


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        (OWN + "2026-10-30,USD,EUR,0\n", "2, rate", "'0' is not a rate"),
        (OWN + "2026-10-30,USD,EUR,0.000\n", "2, rate", "above zero"),
        (OWN + "2026-10-30,USD,EUR,-1\n", "2, rate", "'-1' is not a rate"),
        (OWN + '2026-10-30,USD,EUR,"1,1"\n', "2, rate", "with a point"),
        (OWN + "2026-10-30,USD,EUR,1e3\n", "2, rate", "'1e3'"),
        (OWN + "2026-10-30,USD,EUR,NaN\n", "2, rate", "'NaN'"),
        (OWN + "2026-10-30,USD,EUR,\n", "2, rate", "'' is not a rate"),
        (OWN + "2026-10-30,USD,Euro,1\n", "2, to", "'Euro' is not an ISO 4217 currency"),
        (OWN + "2026-10-30,XXX,EUR,1\n", "2, from", "'XXX' is not an ISO 4217 currency"),
        (OWN + "2026-10-30,EUR,EUR,1\n", "2", "always 1"),
        (OWN + "30.10.2026,USD,EUR,1\n", "2, date", "YYYY-MM-DD"),
        (OWN + "2026-02-30,USD,EUR,1\n", "2, date", "'2026-02-30' is not a date"),
        (OWN + "2026-10-30,USD,EUR,1\n\n2026-10-30,USD,EUR,1.1\n", "4", "stands twice"),
        (OWN + "2026-10-30,USD,EUR\n", "2", "3 values"),
        (OWN + ",USD,EUR,1\n", "2", "either a date or a period"),
        ("date,period,from,to,rate\n2026-10-30,2026-10,USD,EUR,1\n", "2", "either a date or a period"),
        ("period,from,to,rate\n2026-13,USD,EUR,1\n", "2, period", "YYYY-MM"),
        ("period,from,to,rate\n2026-10,USD,EUR,1\n2026-10,USD,EUR,1\n", "3", "for 2026-10 stands twice"),
        ("date,from,to\n", "1", "'rate' is missing"),
        ("from,to,rate\n", "1", "neither a column 'date' nor"),
        ("date,from,to,rate,note\n", "1", "'note' cannot stand here"),
        ("date,from,to,rate,rate\n", "1", "'rate' cannot stand here"),
        ("day,USD\n2026-10-30,1\n", "1", "no file of exchange rates"),
        ("Date\n", "1", "no file of exchange rates"),
        ("Date,USD,Yen\n", "1, Yen", "'Yen' is no currency"),
        ("Date,USD,USD\n", "1, USD", "stands twice"),
        ("Date,USD\n2026-10-30,0\n", "2, USD", "'0' is not a rate"),
        ("Date,USD\n2026-10-30,1.1\n2026-10-30,1.2\n", "3", "first on line 2"),
        ("Date,USD,JPY\n2026-10-30,1.1\n", "2", "2 values"),
        ("Date,USD\n2026-10-30,1.1,9\n", "2", "3 values"),
        ("Date,USD\n32 October 2026,1.1\n", "2, date", "not a date"),
        ("Date,USD\n30 Octember 2026,1.1\n", "2, date", "not a date"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, where: str, words: str) -> None:
    with pytest.raises(BadValueError) as caught:
        read(tmp_path, text)
    assert str(caught.value.place) == f"{tmp_path / 'rates.csv'}:{where}"
    assert words in f"{caught.value.sentence} {caught.value.advice}"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(EmptyFileError):
        read(tmp_path, "\n\n")
    with pytest.raises(UnreadableFileError):
        exchange_rates.read(tmp_path / "missing.csv")
    (tmp_path / "latin.csv").write_bytes("date,from,to,rate\n# Währung\n".encode("latin-1"))
    with pytest.raises(InputRefusedError, match="UTF-8"):
        exchange_rates.read(tmp_path / "latin.csv")
