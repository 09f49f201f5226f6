"""A month's review in a real browser, against the real server: from an acceptance to the seal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.browser import Look, axe, visit
from tests.company import PASSWORD
from tests.web.served import Books, site_at

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow


@pytest.fixture(name="address", scope="module")
def address_fixture(filled: Books, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The company's site; October is issued and nobody has answered."""
    with site_at(filled, "issued", tmp_path_factory.mktemp("story") / "northwind") as site:
        yield site.address


@contextmanager
def signed_in(
    browser: Browser, address: str, name: str, look: Look = "light", *, javascript: bool = True
) -> Iterator[Page]:
    """Somebody's window, at home. Every page that is left has no violation of WCAG."""
    with visit(browser, look, javascript=javascript) as page:
        page.goto(f"{address}/sign-in/")
        page.get_by_label("Mail address").fill(f"{name}@example.com")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Sign in").first.click()
        page.wait_for_url(f"{address}/")
        yield page


def open_document(page: Page, address: str, name: str) -> None:
    """From the list of October's documents to the one of a cost group."""
    page.goto(f"{address}/documents/?period=2026-10")
    page.get_by_role("table").get_by_role("link", name=name, exact=True).first.click()
    assert page.get_by_role("heading", level=1).inner_text() == name


def is_clean(page: Page) -> None:
    assert axe(page) == []


def test_a_month_from_acceptance_to_seal(browser: Browser, address: str) -> None:
    owner_accepts(browser, address)
    owner_disputes_a_line(browser, address)
    controller_proposes(browser, address)
    second_controller_approves(browser, address)
    everybody_else_accepts(browser, address)
    month_is_posted_and_sealed(browser, address)


def owner_accepts(browser: Browser, address: str) -> None:
    """On a phone, without a script."""
    with signed_in(browser, address, "red", "phone", javascript=False) as page:
        open_document(page, address, "Red web shop")
        page.get_by_role("button", name="Accept all of it").click()
        assert "Accepted by Red" in page.get_by_role("main").inner_text()
        assert page.get_by_role("button", name="Accept all of it").count() == 0


def owner_disputes_a_line(browser: Browser, address: str) -> None:
    with signed_in(browser, address, "red") as page:
        open_document(page, address, "Red app")
        is_clean(page)
        page.get_by_role("row").filter(has_text="Queues").get_by_role("link", name="Dispute line").click()
        is_clean(page)
        page.get_by_label("What is wrong?").fill("We switched it off in August.")
        page.get_by_role("button", name="Raise the dispute").click()
        assert "We switched it off in August." in page.get_by_role("main").inner_text()
        is_clean(page)


def controller_proposes(browser: Browser, address: str) -> None:
    with signed_in(browser, address, "controller") as page:
        page.goto(f"{address}/disputes/")
        page.get_by_role("main").get_by_role("link", name=re.compile("Red app")).first.click()
        page.get_by_role("link", name="Decide it").click()
        page.get_by_label("Uphold it").check()
        page.get_by_role("radio", name=re.compile("nother cost group")).first.check()
        page.get_by_label("Cost group that carries it").fill("green")
        page.get_by_role("button", name="Show whose bill moves").click()
        moves = page.locator("#counterfactual").inner_text()
        assert "Red app" in moves
        assert "Division Green" in moves
        assert "12.01" in moves
        is_clean(page)
        page.locator("#counterfactual").get_by_label("Reason").fill("The queues are Green's.")
        page.get_by_role("button", name="Propose this decision").click()
        page.get_by_text("These can: Second.").wait_for()
        assert page.get_by_role("button", name=re.compile("^Approve")).count() == 0
        open_document(page, address, "Red app")
        assert "Credit note about" in page.get_by_role("main").inner_text()  # a draft, first in the list


def second_controller_approves(browser: Browser, address: str) -> None:
    with signed_in(browser, address, "second", "dark") as page:
        page.goto(f"{address}/disputes/")
        page.get_by_role("main").get_by_role("link", name=re.compile("Red app")).first.click()
        is_clean(page)
        page.get_by_role("button", name=re.compile("^Approve")).click()
        page.get_by_text("The decision is taken").wait_for()
        page.get_by_role("link", name="Credit note").click()
        text = page.get_by_role("main").inner_text()
        assert "Credit note" in text
        assert "12.01" in text
        is_clean(page)


def everybody_else_accepts(browser: Browser, address: str) -> None:
    for name in ("red", "green"):
        with signed_in(browser, address, name) as page:
            page.goto(f"{address}/documents/?period=2026-10&state=awaiting_review")
            for box in page.get_by_role("row").get_by_role("checkbox").all():
                box.check()
            page.get_by_role("button", name=re.compile("^Accept")).first.click()
            page.get_by_role("button", name=re.compile("^Accept")).first.click()
            page.goto(f"{address}/documents/?period=2026-10&state=awaiting_review")
            assert page.get_by_role("button", name=re.compile("^Accept")).count() == 0


def first_controller_approves_and_exports(browser: Browser, address: str, journal: str) -> None:
    """Without a script; the files that are taken away are the same bytes each time."""
    with signed_in(browser, address, "controller", "phone", javascript=False) as page:
        page.goto(f"{address}/journals/")
        page.goto(journal)
        page.get_by_role("button", name="Approve it").click()
        assert "JV-1000-FY2026-000001" in page.get_by_role("heading", level=1).inner_text()
        page.get_by_role("button", name="Export its files").click()
        link = page.get_by_role("link", name=re.compile(r"journal-2026-10\.csv"))
        file = f"{address}{link.get_attribute('href')}"
        assert page.request.get(file).body() == page.request.get(file).body() != b""


def month_is_posted_and_sealed(browser: Browser, address: str) -> None:
    with signed_in(browser, address, "second") as page:
        page.goto(f"{address}/close/2026-10/")
        is_clean(page)
        page.get_by_role("link", name="Preview").first.click()
        assert "What stays with the payer" in page.get_by_role("main").inner_text()
        is_clean(page)
        page.get_by_role("button", name="Draw it up").click()
        page.get_by_text("You drew it up yourself, so somebody else has to approve it.").wait_for()
        assert page.get_by_role("button", name="Approve it").count() == 0
        is_clean(page)
        journal = page.url
    first_controller_approves_and_exports(browser, address, journal)
    with signed_in(browser, address, "second") as page:
        page.goto(journal)
        page.get_by_label("Number in the ledger").fill("GL-2026-4711")
        page.get_by_role("button", name="Confirm posted").click()
        page.get_by_text("The journal is posted.").wait_for()
        is_clean(page)
        page.goto(f"{address}/close/2026-10/")
        page.locator("summary", has_text="Seal the period").click()
        page.locator("details[open]").get_by_role("button").click()
        page.get_by_text(re.compile("[Ss]ealed")).first.wait_for()
        is_clean(page)
