"""The section `parties` of the settings: read from a file, and each mistake refused at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion import settings
from apportion.errors import DocumentError

FILE = """
company: Brightwater Group
parties:
  "1000":
    name: Brightwater Holding GmbH
    country: DE
    address: [Hafenstraße 1]
    postcode: "01067"
    city: Dresden
    vat_id: de 136 695 976
    legal_id: HRB 100
    electronic_address: DE136695976
    electronic_scheme: "9930"
    iban: DE89 3704 0044 0532 0130 00
    bic: COBADEFF
    payment_days: 14
    contact: Group accounting
    phone: +49 40 555010
    email: invoices@brightwater.example
  "2000":
    name: Brightwater Hellas
    country: GR
    vat_id: EL094019245
"""


def read(folder: Path, text: str) -> settings.Settings:
    (folder / settings.FILE_NAME).write_text(text, encoding="utf-8")
    return settings.load(folder)


def test_parties_are_read_by_company_code(tmp_path: Path) -> None:
    parties = read(tmp_path, FILE).parties
    holding, hellas = parties["1000"], parties["2000"]
    assert (holding.postcode, holding.vat_id, holding.payment_days) == ("01067", "DE136695976", 14)
    assert (holding.iban, holding.bic) == ("DE89370400440532013000", "COBADEFF")
    assert (hellas.vat_id, hellas.address, hellas.payment_days) == ("EL094019245", (), 30)


def test_without_parties_there_are_none(tmp_path: Path) -> None:
    assert read(tmp_path, "company: A\n").parties == {}


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("country: DE", "country: Germany", "BAD_COUNTRY", 6),
        ("country: DE", "country: de", "BAD_COUNTRY", 6),
        ("vat_id: de 136 695 976", "vat_id: 136695976", "BAD_VAT_ID", 10),
        ("vat_id: de 136 695 976", "vat_id: FR40303265045", "BAD_VAT_ID", 10),
        ("vat_id: EL094019245", "vat_id: GR094019245", "BAD_VAT_ID", 23),
        ('electronic_scheme: "9930"', 'electronic_scheme: "99"', "BAD_SCHEME", 13),
        ('    electronic_scheme: "9930"\n', "", "MISSING_KEY", 12),
        ("    electronic_address: DE136695976\n", "", "MISSING_KEY", 12),
        ("iban: DE89 3704 0044 0532 0130 00", "iban: DE89 3704 0044 0532 0130 01", "BAD_IBAN", 14),
        ("bic: COBADEFF", "bic: COBA", "BAD_BIC", 15),
        ("    iban: DE89 3704 0044 0532 0130 00\n", "", "MISSING_KEY", 14),
        ("address: [Hafenstraße 1]", "address: [a, b, c, d]", None, 7),
        ("payment_days: 14", "payment_days: 400", None, 16),
        ("name: Brightwater Holding GmbH", "name: ' '", "NO_VALUE", 5),
        ("    name: Brightwater Hellas\n", "", None, 21),
        ("contact:", "kontact:", None, 17),
    ],
)
def test_each_mistake_is_refused_at_its_line(tmp_path: Path, old: str, new: str, code: str | None, line: int) -> None:
    assert FILE.count(old) == 1
    with pytest.raises(DocumentError) as error:
        read(tmp_path, FILE.replace(old, new))
    (mistake,) = error.value.mistakes
    assert mistake.place.line == line, mistake
    assert code in {None, mistake.code}
    assert mistake.sentence
