"""The frame, the ways in and the pages about people in a real browser against a real server, in each look."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from apportion.warehouse.store import Workspace
from tests.browser import LOOKS, Look, axe, visit
from tests.openid import Provider, provider, sign_in
from tests.web.served import environment_of, free_port, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow
PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist
SEED = f"""
import django; django.setup()
from datetime import date, timedelta
from django.core.management import call_command
from django.utils import timezone
call_command("migrate", verbosity=0)
from apportion.actions.access import people
from apportion.actions.acting import actor_of
from apportion.records.groups import CostGroup
from apportion.review.permission import Permission, Role
red = CostGroup.objects.create(code="red", name="Red", path="/1/")
ada = actor_of(people.first_administrator("ada@example.com", "Ada Abel", {PASSWORD!r}), "cli")
ada = actor_of(ada.person, "cli")
carl = people.add_person(ada, "carl@example.com", "Carl Conrad", {PASSWORD!r})
people.grant_role(ada, carl.pk, Role.CONTROLLER)
olivia = people.add_person(ada, "olivia@example.com", "Olivia Owner", {PASSWORD!r})
people.grant_role(ada, olivia.pk, Role.OWNER, red.pk, "technical")
today = timezone.localdate()
people.delegate(actor_of(carl, "cli"), olivia.pk, today, today + timedelta(days=9), "Holiday")
people.create_token(actor_of(ada.person, "cli"), "Report", [Permission.SEE_AUDIT], today + timedelta(days=30))
"""


@dataclass(frozen=True)
class Site:
    """A running site and the sign-in provider of its company."""

    address: str
    provider: Provider


@pytest.fixture(name="site", scope="module")
def site_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = Workspace.create(tmp_path_factory.mktemp("site")).root
    port = free_port()
    with provider("/sign-in/company/back/") as running:
        (root / "apportion.yaml").write_text(
            f'company: Northwind\nsite: {{url: "http://127.0.0.1:{port}"}}\nsign_in:\n  single_sign_on:\n'
            f'    {{name: Northwind, issuer: "{running.issuer}", client_id: {running.client_id}}}\n',
            encoding="utf-8",
        )
        secret = {"APPORTION_SINGLE_SIGN_ON_SECRET": running.client_secret}
        environment = {**environment_of(root), **secret}
        subprocess.run([sys.executable, "-c", SEED], env=environment, check=True)
        with serving(root, port, secret) as address:
            yield Site(address, running)


def enter(page: Page, site: Site, name: str) -> None:
    page.goto(f"{site.address}/sign-in/?next=/me/")
    page.get_by_label("Mail address").fill(f"{name}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{site.address}/me/")


def is_in_order(page: Page) -> None:
    """Nothing for axe to find, and nothing wider than the window."""
    assert axe(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_are_in_order(browser: Browser, site: Site, look: Look) -> None:
    with visit(browser, look) as page:
        for address in ("/sign-in/", "/sign-in/password/", "/sign-in/password/sent/", "/nowhere/"):
            page.goto(site.address + address)
            is_in_order(page)
        enter(page, site, "ada")
        page.get_by_role("button", name="Menu of Ada Abel").click()
        is_in_order(page)
        for address in ("/me/", "/me/password/", "/people/", "/people/add/", "/people/2/", "/people/3/"):
            page.goto(site.address + address)
            is_in_order(page)
        page.goto(f"{site.address}/people/2/")
        page.get_by_text("Give a role").first.click()
        page.get_by_role("button", name="Give the role").click()
        assert page.get_by_text("This field is required.").is_visible()
        page.locator("summary", has_text="Deactivate").click()
        is_in_order(page)


def test_by_keyboard_alone(browser: Browser, site: Site) -> None:
    with visit(browser) as page:
        page.goto(f"{site.address}/sign-in/?next=/people/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        for text in ("ada@example.com", PASSWORD):
            page.keyboard.press("Tab")
            page.keyboard.type(text)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site.address}/people/")
        for _ in range(6):  # wherever the keyboard stands, it is seen
            page.keyboard.press("Tab")
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_without_scripts_a_form_still_works_and_asks_first(browser: Browser, site: Site) -> None:
    with visit(browser, "phone", javascript=False) as page:
        enter(page, site, "ada")
        page.get_by_role("button", name="Menu", exact=True).click()
        assert page.get_by_role("navigation", name="Main").is_visible()
        page.keyboard.press("Escape")
        page.locator("#tokens summary", has_text="Revoke").first.click()
        page.locator("#tokens .confirm-box button").first.click()
        assert page.get_by_text("The key is revoked.").is_visible()


def test_the_look_follows_the_system_until_one_is_chosen(browser: Browser, site: Site) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with visit(browser, "dark") as page:
        enter(page, site, "olivia")
        dark = page.evaluate(ground)
        page.get_by_label("Look").select_option("light")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Saved.").wait_for()
        page.wait_for_load_state()  # a text may be there before the page's colours
        light = page.evaluate(ground)
        assert dark != light
        page.emulate_media(color_scheme="light")
        assert page.evaluate(ground) == light


def test_a_form_outlives_its_session(browser: Browser, site: Site) -> None:
    with visit(browser) as page:
        enter(page, site, "ada")
        page.get_by_text("Name a deputy").click()
        page.get_by_label("Deputy", exact=True).select_option(label="Carl Conrad")
        page.get_by_label("Reason").fill("A reason that took long to write, and must not be lost.")
        page.context.clear_cookies(name="sessionid")
        page.get_by_role("button", name="Name them").click()
        page.get_by_label("Mail address").fill("ada@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        assert page.get_by_text("Your form was not sent yet").is_visible()
        is_in_order(page)
        page.get_by_role("button", name="Send it now").click()
        assert page.get_by_text("Carl Conrad stands in for you on these days.").is_visible()
        page.locator("#deputies summary", has_text="End this").first.click()
        page.locator("#deputies .confirm-box button").first.click()


def test_single_sign_on_in_a_browser(browser: Browser, site: Site) -> None:
    with visit(browser) as page:
        page.goto(f"{site.address}/sign-in/?next=/me/")
        page.get_by_role("button", name="Sign in with Northwind").click()
        sign_in(page, site.provider.account("olivia"))
        page.wait_for_url(f"{site.address}/me/")
        assert page.get_by_role("heading", name="Olivia Owner").is_visible()
