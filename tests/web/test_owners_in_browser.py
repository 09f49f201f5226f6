"""The pages of owners and controllers in a real browser against a real server: every look, and without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser import LOOKS, Look, axe, visit
from tests.web.served import Books, Site, site_at

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


@pytest.fixture(name="site", scope="module")
def site_fixture(filled: Books, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(filled, "disputed", tmp_path_factory.mktemp("site") / "northwind") as site:
        yield site


@pytest.mark.parametrize("look", LOOKS)
def test_no_page_has_a_violation_in_any_look(site: Site, browser: Browser, look: Look) -> None:
    here, dispute = f"/documents/{site.known['web']}/", f"/disputes/{site.known['dispute']}/"
    pages = {
        "red": [
            *("/", "/documents/", "/disputes/", "/search/?q=red", "/search/", here, dispute, f"{here}readers/"),
            *(f"{here}dispute/?line=1", f"{here}lines/1/", f"{here}lines/{site.known['share']}/?view=working"),
            *(f"{here}lines/1/?view=resources", f"{here}lines/1/?view=days", f"/documents/{site.known['app']}/"),
        ],
        "controller": [
            *("/", "/documents/?period=all", dispute, f"{dispute}decide/", here),
            f"{dispute}decide/?outcome=upheld&settle=cost_group&settle_to=green",
            f"{dispute}decide/?outcome=upheld&settle=cost_group&settle_to=gree",
        ],
        "stranger": ["/"],
    }
    for name, addresses in pages.items():
        with visit(browser, look, storage_state=site.session(name)) as page:
            for address in addresses:
                page.goto(f"{site.address}{address}")
                assert axe(page) == [], (name, address)
                wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
                assert not wide, (name, address)


@pytest.mark.parametrize(
    ("name", "group", "javascript"),
    [("red", "Red web shop", True), ("green", "Division Green", False)],
    ids=["with a script", "without a script"],
)
def test_an_owner_reads_and_accepts_on_a_phone(
    site: Site, browser: Browser, name: str, group: str, javascript: bool
) -> None:
    with visit(browser, "phone", javascript=javascript, storage_state=site.session(name)) as page:
        page.goto(site.address)
        page.get_by_role("link", name=re.compile(group)).first.click()
        button = page.get_by_role("button", name="Accept all of it")
        if javascript:
            button.dblclick()
        else:
            button.click()
        page.get_by_text("is accepted. Thank you.").wait_for()
        page.get_by_text(f"Accepted by {name.capitalize()}").wait_for()


def test_a_dispute_from_the_line_to_the_credit_note(site: Site, browser: Browser) -> None:
    document, line = site.known["app"], site.known["compute"]
    with visit(browser, storage_state=site.session("red")) as page:
        page.goto(f"{site.address}/documents/{document}/")
        page.get_by_role("link", name=f"Dispute line {line}").click()
        page.get_by_label("Which amount of it do you object to?").press_sequentially("1.05")
        page.locator("#preview").get_by_text("1.05").wait_for()
        page.get_by_label("What is wrong?").fill("We left that.")
        page.get_by_role("button", name="Raise the dispute").click()
        page.get_by_role("heading", name="1.05 USD: The cost is not ours").wait_for()
        address = page.url
    with visit(browser, storage_state=site.session("controller")) as page:
        page.goto(address)
        page.get_by_role("link", name="Decide it").click()
        page.get_by_label("Uphold it").check()
        page.get_by_label("It is left unallocated").check()
        page.get_by_role("button", name="Show whose bill moves").click()
        page.get_by_text("pays less").wait_for()
        page.get_by_label("Reason").fill("It was switched off.")
        page.get_by_role("button", name="Propose this decision").click()
        page.get_by_text("These can: Second.").wait_for()
        page.get_by_role("cell", name="pays less").wait_for()
        assert axe(page) == []
    with visit(browser, storage_state=site.session("second")) as page:
        page.goto(address)
        page.get_by_role("button", name="Approve the decision").click()
        page.get_by_text("The decision is taken").wait_for()
        page.get_by_role("link", name="Credit note").click()
        page.get_by_text("-1.05 USD").first.wait_for()
        assert axe(page) == []
