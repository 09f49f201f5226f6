"""A workspace that lost files or has damaged ones: pages say what is missing, and name no path of the machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from django.test import Client

from apportion.records import chain
from tests.company import Company
from tests.web.api_calls import Caller, key_of

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]


def test_a_workspace_without_its_files_says_so(own_company: Company) -> None:
    company, store = own_company, own_company.root / ".apportion"
    number, period = company.document("red-web").pk, "2026-10"
    pages = [
        "/", "/documents/", f"/documents/{number}/", f"/documents/{number}/lines/1/?view=working", "/policies/",
        f"/documents/{number}/lines/1/?view=resources", f"/documents/{number}/lines/1/?view=days", "/work-list/",
        f"/documents/{number}/download/pdf/", f"/documents/{number}/methodology/", f"/close/{period}/", "/summary/",
        f"/close/{period}/deliveries/", f"/close/{period}/findings/csv/", "/measures/", "/groups/", "/audit/",
        f"/disputes/{company.dispute.pk}/", f"/disputes/{company.dispute.pk}/decide/?outcome=upheld&settle=adjust",
    ]  # fmt: skip
    called = [
        "/periods", f"/periods/{period}", f"/periods/{period}/work-list", "/policies", "/findings", "/deliveries",
        f"/documents/{number}", f"/documents/{number}/pdf", f"/documents/{number}/lines/1/resources",
    ]  # fmt: skip
    harms: dict[str, Callable[[], object]] = {
        "run files damaged": lambda: [
            each.write_bytes(b"damaged") for each in (store / "runs").rglob("*") if each.is_file()
        ],
        "runs gone": lambda: shutil.rmtree(store / "runs"),
        "policy damaged": lambda: (company.root / "policy.yaml").write_bytes(b"\xff: ["),
        "organization gone": (company.root / "organization.yaml").unlink,
        "deliveries gone": lambda: shutil.rmtree(store / "deliveries"),
        "catalog damaged": lambda: (store / "catalog.sqlite").write_bytes(b"no database"),
        "settings damaged": lambda: (company.root / "apportion.yaml").write_text("company: [", encoding="utf-8"),
        "all gone": lambda: shutil.rmtree(company.root),
    }
    client = Client(raise_request_exception=False)
    client.force_login(company.person("controller"))
    caller = Caller(key_of(company.person("controller")))
    for harm, do in harms.items():
        do()
        for address in pages:
            answer = client.get(address)
            said = answer.content.decode(errors="replace")
            assert answer.status_code < 500, (harm, address)
            assert "Traceback" not in said
            assert str(company.root) not in said, (harm, address)
        for path in called:
            told = caller.get(path)
            assert told.status_code < 500 or told.json()["code"] != "FAULT", (harm, path)
            assert str(company.root).encode() not in told.content, (harm, path)
        for act in ("allocate", "issue", "seal", "journal"):
            assert client.post(f"/close/{period}/{act}/", {}).status_code < 500, (harm, act)
    assert chain.verify().breaks == ()
