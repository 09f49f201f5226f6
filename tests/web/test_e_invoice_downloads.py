"""E-invoices on the document's page and by the API: links where there is one, files, refusals and rights."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from apportion.actions.post import e_invoices
from apportion.records.documents import Document
from apportion.records.people import Person
from tests.charging_books import ACCOUNTS, CHARGES, PARTIES, document, group_of_companies
from tests.web.api_calls import Caller, key_of

pytestmark = pytest.mark.django_db


def client(name: str) -> Client:
    made = Client()
    made.force_login(person(name))
    return made


def person(name: str) -> Person:
    return Person.objects.get(email=f"{name}@example.com")


def page_of(row: Document) -> str:
    return f"/documents/{row.pk}/"


def test_the_page_offers_both_and_they_are_the_same_by_the_api(tmp_path: Path, settings: Settings) -> None:
    books = group_of_companies(tmp_path / "books", settings)
    blue, red = document("blue"), document("red")
    text = client("blue").get(page_of(blue)).content.decode()
    assert f'href="{page_of(blue)}e-invoice/pdf/?currency=USD"' in text
    assert f'href="{page_of(blue)}e-invoice/xml/?currency=USD"' in text
    assert "/e-invoice/" not in client("red").get(page_of(red)).content.decode()
    caller = Caller(key_of(person("blue")))
    for form, media, ending in (("pdf", "application/pdf", "pdf"), ("xml", "application/xml", "ubl.xml")):
        here = client("blue").get(f"{page_of(blue)}e-invoice/{form}/?currency=USD")
        assert (here.status_code, here["Content-Type"]) == (200, media)
        assert f'filename="{blue.label}.{ending}"' in here["Content-Disposition"]
        there = caller.get(f"/documents/{blue.pk}/e-invoice/{form}?locale=en_GB")
        assert there["Content-Type"] == media
        assert there.content == here.content
    assert e_invoices.file(books.actor("blue"), blue.pk, "xml")[1] == here.content
    assert client("blue").get(f"{page_of(blue)}e-invoice/csv/").status_code == 404


def test_everything_that_is_missing_stands_on_the_page(tmp_path: Path, settings: Settings) -> None:
    parties = PARTIES.replace("    vat_id: DE136695976\n", "").replace("    phone: +49 40 555010\n", "")
    group_of_companies(tmp_path / "books", settings, ACCOUNTS + CHARGES + parties)
    blue = document("blue")
    refused = client("blue").get(f"{page_of(blue)}e-invoice/pdf/")
    text = refused.content.decode()
    assert refused.status_code == 409
    for said in (
        "Company 1000, the seller, has no VAT identification number.",
        "Company 1000 names no phone, which invoices within Germany must have.",
        "parties.1000.vat_id",
        "Add &#x27;phone&#x27; to the company in the settings.",
    ):
        assert said in text, said
    problem = Caller(key_of(person("blue"))).get(f"/documents/{blue.pk}/e-invoice/xml")
    assert problem.status_code == 422
    assert [each["code"] for each in problem.json()["errors"]] == ["NO_VAT_ID", "NO_CONTACT"]


def test_others_do_not_learn_that_there_is_one(tmp_path: Path, settings: Settings) -> None:
    group_of_companies(tmp_path / "books", settings)
    blue = document("blue")
    for name in ("red", "green", "administrator"):
        assert client(name).get(f"{page_of(blue)}e-invoice/pdf/").status_code in {403, 404}
    assert Caller(key_of(person("red"))).get(f"/documents/{blue.pk}/e-invoice/pdf").status_code == 404
    assert Client().get(f"{page_of(blue)}e-invoice/pdf/").status_code == 302
