"""What is particular about single targets: templates, signs, positions, blocks, tracking, statistical journals."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from apportion.errors import BadValueError, InputRefusedError
from apportion.money.currency import minor_text
from apportion.post.formats import sap, targets
from apportion.post.formats.spelling import DAYS, day_text, read_day
from apportion.post.formats.tables import unzipped, zipped
from apportion.post.formats.target import Options
from apportion.post.formats.workbook import first_sheet
from apportion.post.formats.xml_text import parsed
from tests.formats import TEMPLATE, options, rendered, small, whole


def rows(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))


def only(name: str, suffix: str, **changes: object) -> bytes:
    files = rendered(name, whole(small(), name), **changes).files
    (found,) = [content for file, content in files.items() if file.endswith(suffix) and ".statistical" not in file]
    return found


def test_sap_fills_the_columns_of_the_template_and_leaves_unknown_ones_empty() -> None:
    table = list(csv.reader(io.StringIO(only("sap-csv", ".csv").decode(), newline="")))
    assert table[0] == ["Upload of general journal entries"]
    header, first = table[2], dict(zip(table[2], table[3], strict=True))
    assert header == TEMPLATE.split("\r\n")[2].split(",")
    assert first["*G/L Account"] == "000600"
    assert first["Journal Entry Type"] == "SA"
    assert (first["Debit"], first["Credit"], first["Profit Center"]) == ("123.45", "", "")


def test_sap_follows_a_template_with_semicolons_other_days_and_decimal_commas() -> None:
    template = "Buchungskreis;Belegdatum;Buchungsdatum;Währung;Sachkonto;Soll;Haben;Notiz\r\n".encode("utf-8-sig")
    asked = sap.with_template(Options(settings={"day": "dd.mm.yyyy", "decimal": ","}), template)
    files = targets.render("sap-csv", small(), asked).files
    first = rows(next(content for file, content in files.items() if file.endswith(".csv")), ";")[0]
    assert (first["Soll"], first["Buchungsdatum"], first["Belegdatum"]) == ("123,45", "31.10.2026", "05.10.2026")
    assert targets.parse("sap-csv", files) == small()


def test_sap_reads_the_template_of_a_workbook() -> None:
    workbook = only("sap-xlsx", ".xlsx")
    again = sap.with_template(Options(), workbook)
    assert again.template == options("sap-xlsx").template
    assert first_sheet(workbook)[3][7] == "000600"


@pytest.mark.parametrize("template", [b"a,b,c,d\r\n", b"", b"\xff\xfe", b"PK\x03\x04 no archive"])
def test_what_is_no_template_is_refused(template: bytes) -> None:
    with pytest.raises(InputRefusedError):
        sap.with_template(Options(), template)


def test_a_template_without_a_column_that_sap_needs_is_refused() -> None:
    asked = sap.with_template(Options(), b"Company Code,Posting Date,Currency,Item Text,Debit,Credit\r\n")
    with pytest.raises(InputRefusedError, match="no column for account"):
        targets.render("sap-csv", small(), asked)


@pytest.mark.parametrize(("sign", "credit"), [("signed", "-123.45"), ("absolute", "123.45")])
def test_the_message_to_sap_has_the_code_and_the_sign_that_is_asked_for(sign: str, credit: str) -> None:
    content = only("sap-soap", ".xml", settings={"sign": sign})
    items = list(ElementTree.fromstring(content).iter("Item"))  # noqa: S314 - our own text
    assert items[0].findtext("DebitCreditCode") == "S"
    assert items[1].findtext("DebitCreditCode") == "H"
    assert items[1].findtext("AmountInTransactionCurrency") == credit
    assert items[0].findtext("GLAccount") == "0000000600"
    assert items[0].find("AmountInTransactionCurrency").attrib == {"currencyCode": "EUR"}  # type: ignore[union-attr]
    made = small()
    assert (
        targets.parse("sap-soap", rendered("sap-soap", made, settings={"sign": sign, "accounts": "as-is"}).files)
        == made
    )


def test_oracle_has_every_position_and_no_header() -> None:
    inside = unzipped(only("oracle-fbdi", ".zip"))
    assert list(inside) == ["GlInterface.csv"]
    table = list(csv.reader(io.StringIO(inside["GlInterface.csv"].decode(), newline="")))
    assert {len(row) for row in table} == {149}
    first = table[0]
    assert first[:8] == ["NEW", "300000046975971", "2026/10/31", "Spreadsheet", "Adjustment", "EUR", "2026/10/31", "A"]
    assert first[8:13] == ["2000", "000600", "0010", "D1", ""]
    assert first[38:40] == ["123.45", ""]
    assert first[42] == first[45] == "JN-2026-10-0001-1"
    assert first[66].isdigit()
    assert {row[66] for row in table} == {first[66]}


def test_dynamics_joins_account_and_dimensions_and_refuses_the_delimiter_in_them() -> None:
    made = small()
    files = rendered("dynamics-csv", made).files
    first = rows(files["dynamics-csv-2026-10-001.csv"])[0]
    assert first["ACCOUNTDISPLAYVALUE"] == "000600-0010-D1"
    assert (first["DEBITAMOUNT"], first["CREDITAMOUNT"]) == ("123.45", "0.00")
    entry = made.entries[0]
    wrong = replace(entry, postings=(replace(entry.postings[0], cost_center="00-10"), *entry.postings[1:]))
    with pytest.raises(BadValueError, match="'00-10' holds '-'"):
        rendered("dynamics-csv", replace(made, entries=(wrong,)))
    assert rendered("dynamics-csv", replace(made, entries=(wrong,)), settings={"delimiter": "|"}).files


def test_business_central_has_signed_numbers_in_the_currency_of_the_books() -> None:
    files = rendered("business-central", small()).files
    lines = [json.loads(line) for line in files["business-central-2026-10-002.jsonl"].decode().splitlines()]
    assert [line["amount"] for line in lines[:4]] == [123.45, -123.45, 9.0, 0.04]
    assert lines[1]["dimensionSetLines"] == [{"code": "COSTCENTER", "valueCode": "9900"}]
    assert "dimensionSetLines" not in lines[0]


def test_iif_is_blocks_that_sum_to_zero() -> None:
    files = rendered("quickbooks-iif", small()).files
    text = next(content for file, content in files.items() if file.endswith("-002.iif")).decode("cp1252")
    lines = text.split("\r\n")
    assert lines[2] == "!ENDTRNS"
    blocks = text.split("!ENDTRNS\r\n")[1].split("ENDTRNS\r\n")[:-1]
    assert len(blocks) == 3
    for block in blocks:
        cells = [line.split("\t") for line in block.split("\r\n") if line]
        assert [cell[0] for cell in cells] == ["TRNS", *["SPL"] * (len(cells) - 1)]
        assert sum(int(cell[5].replace(".", "")) for cell in cells) == 0
        assert {cell[2] for cell in cells} <= {"10/31/26", "11/01/26"}


def test_xero_groups_by_narration_and_names_tracking_only_where_there_is_some() -> None:
    files = rendered("xero-csv", small()).files
    found = rows(files["xero-csv-2026-10-001.csv"])
    assert {row["*Narration"] for row in found} == {"JN-2026-10-0001-1 Cloud cost transfer 2026-10 to company 2000"}
    assert found[0]["*Date"] == "31/10/2026"
    assert (found[0]["TrackingName1"], found[0]["TrackingOption1"]) == ("Cost center", "0010")
    assert (found[1]["TrackingName1"], found[1]["*TaxRate"]) == ("", "Tax Exempt")


def test_intacct_writes_values_of_a_journal_once_and_statistical_journals_apart() -> None:
    files = rendered("intacct-csv", small()).files
    money, counted = (rows(files[f"intacct-csv-2026-10{kind}.csv"]) for kind in ("", ".statistical"))
    assert [bool(row["JOURNAL"]) for row in money[:5]] == [True, False, False, False, True]
    assert money[0]["DATE"] == "10/31/2026"
    assert (counted[0]["JOURNAL"], counted[0]["DEBIT"], counted[1]["CREDIT"]) == ("SJ", "47.11", "0.11")
    xml = rendered("intacct-xml", small()).files["intacct-xml-2026-10.xml"]
    entry = next(parsed(xml, "journal").iter("GLENTRY"))
    assert (entry.findtext("TR_TYPE"), entry.findtext("TRX_AMOUNT")) == ("1", "123.45")


def test_odoo_creates_lines_by_command_with_the_foreign_amount_beside() -> None:
    lines = [json.loads(line) for line in only("odoo-json", ".jsonl").decode().splitlines()]
    foreign = next(each for each in lines if each["ref"] == "JN-2026-10-0002")
    assert foreign["line_ids"][0][:2] == [0, 0]
    line = foreign["line_ids"][1][2]
    assert (line["debit"], line["amount_currency"], line["currency_id"]) == (0.04, 7, "JPY")


def test_workday_has_the_control_total_of_each_journal() -> None:
    found = rows(only("workday-csv", ".csv"))
    assert found[0]["ControlTotalAmount"] == minor_text(12345, "EUR")
    assert {row["Submit"] for row in found} == {"0"}


@pytest.mark.parametrize("spelling", [*DAYS, "serial"])
def test_days_are_spelled_and_read(spelling: str) -> None:
    for day in ("2026-10-31", "2026-10-05", "2000-02-29"):
        assert read_day(day_text(day, spelling), spelling) == day


def test_a_day_that_a_spelling_cannot_say_is_refused() -> None:
    made = small()
    entry = replace(made.entries[0], posting_on=made.entries[0].posting_on.replace(year=1999))
    with pytest.raises(BadValueError, match="not in the century"):
        rendered("quickbooks-iif", replace(made, entries=(entry,)))


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>&undefined;</a>",
        b"<a><b></a>",
        b"",
    ],
)
def test_hostile_or_broken_xml_is_refused(content: bytes) -> None:
    with pytest.raises(BadValueError):
        parsed(content, "journal")


def test_a_workbook_with_a_formula_or_a_document_type_is_refused() -> None:
    parts = unzipped(only("xlsx", ".xlsx"))
    sheet = "xl/worksheets/sheet1.xml"
    for old, new in ((b"<is>", b"<f>1+1</f><is>"), (b"<worksheet", b"<!DOCTYPE x><worksheet")):
        changed = {**parts, sheet: parts[sheet].replace(old, new, 1)}
        with pytest.raises(BadValueError):
            first_sheet(zipped({name: [content] for name, content in changed.items()}))
