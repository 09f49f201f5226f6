"""Every page in a real browser, light, dark and on a phone, opened by somebody who may.

The addresses are made from the routes, so that a new page is looked at without being named here: no violation of
WCAG 2.2 AA, nothing refused by the page's own policy, nothing asked for elsewhere, one heading, a title, and nothing
wider than the window. Then the states that an address alone does not show: refused forms, empty lists, refusals, paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.browser import Look, axe, visit
from tests.web.served import Books, Site, site_at
from tests.web.test_rights import NOT_SET_UP, ROUTES, Route, Things, allowed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Response

pytestmark = pytest.mark.slow

# The dark look of a page that is open in the light one differs in colours alone.
BOTH: tuple[Look, ...] = ("light", "phone")
COLOURS = ("color-contrast", "link-in-text-block")
# Who opens a page: the first of these who may. Whoever may do more, sees more of it.
READERS = ("controller", "red", "administrator")
# What is put into a page that is open; nobody opens it by itself.
PARTS = {
    "documents/<int:document>/dispute/preview/",
    "close/<str:period>/progress/",
    "policies/<int:version>/progress/",
}
# Ways to leave these pages half open, besides their plain address.
VIEWS = {
    "documents/<int:document>/lines/<int:line>/": ("view=working", "view=resources", "view=days", "view=rows"),
    "disputes/<int:dispute>/decide/": ("outcome=upheld&settle=cost_group&settle_to=green",),
    "documents/": ("period=all", "q=nowhere"),
    "search/": ("q=red", "q=nowhere"),
    "audit/": ("q=nowhere", "page=2"),
    "journals/": ("period=2026-10&state=posted", "state=waiting"),
    "journals/preview/": ("period=2026-10&kind=provider", "period=2026-09", "period=2026-10&target=nowhere"),
    "journals/<int:journal>/": ("q=nowhere",),
    "messages/": ("state=all", "state=failed"),
    "disputes/": ("state=all",),
    "work-list/": ("period=2026-09",),
}


@pytest.fixture(name="site", scope="module")
def site_fixture(filled: Books, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_at(filled, "things", tmp_path_factory.mktemp("every-page") / "northwind") as site:
        yield site


@contextmanager
def window(browser: Browser, site: Site, look: Look, name: str = "") -> Iterator[Page]:
    """Somebody's window; with no name, of somebody who is not signed in. Nothing may complain in its console."""
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # That the page itself has a status of refusal is what some of these tests are after.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            said.append(f"{message.location['url']}: {message.text}")

    def answered(response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            said.append(f"{response.status} for {response.url}")

    with visit(browser, look, storage_state=site.session(name) if name else None) as page:
        page.on("console", heard)
        page.on("response", answered)
        yield page
    assert said == []


def faults(page: Page) -> list[str]:
    """What is not in order on a page, however one came to it."""
    found = axe(page)
    if not page.evaluate("matchMedia('(max-width: 40rem)').matches"):
        page.emulate_media(color_scheme="dark")
        found += [f"in the dark: {each}" for each in axe(page, only=COLOURS)]
        page.emulate_media(color_scheme="light")
    for what in ("h1", "main"):
        if (count := page.locator(what).count()) != 1:
            found.append(f"{count} of {what}")
    if not re.fullmatch(r"(?!Apportion ·)\S.*", page.title()):
        found.append(f"the title is {page.title()}")
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("it is wider than the window")
    return [f"{page.url}: {each}" for each in found]


def faults_at(page: Page, site: Site, address: str, status: int = 200) -> list[str]:
    """The same of an address, which has to answer with a status. A file only has to come as one."""
    from playwright.sync_api import Error

    try:
        answer = page.goto(site.address + address)
    except Error as error:
        if "Download is starting" not in str(error):
            raise
        file = page.request.get(site.address + address)
        is_file = file.status == 200 and file.headers["content-disposition"].startswith("attachment")
        return [] if is_file else [f"{address}: {file.status}, {file.headers}"]
    assert answer is not None
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    found = faults(page) if is_page else []
    return found if answer.status == status else [f"{address}: status {answer.status}", *found]


def pages() -> dict[str, list[Route]]:
    """Every page that a browser can open, by who opens it."""
    found: dict[str, list[Route]] = {}
    for route in ROUTES:
        if route.rule is None or "GET" not in route.rule.methods or route.address in NOT_SET_UP | PARTS:
            continue
        name = "" if route.rule.reach == "public" else next(each for each in READERS if allowed(route, each))
        found.setdefault(name, []).append(route)
    return found


PAGES = pages()
# What this company's settings do not allow is a page that says why: it names no terms for charges between companies.
STATUSES = {"documents/<int:document>/e-invoice/<str:format>/": 409}


def test_every_route_with_a_page_is_looked_at() -> None:
    assert {"", "controller", "red", "administrator"} == set(PAGES)
    assert len({route.address for some in PAGES.values() for route in some}) >= 50


@pytest.mark.parametrize("look", BOTH)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_in_order(site: Site, browser: Browser, name: str, look: Look) -> None:
    things = Things(site.known["things"])
    found = []
    with window(browser, site, look, name) as page:
        for route in PAGES[name]:
            address = things.address(route)
            for query in ("", *VIEWS.get(route.address, ())):
                status = STATUSES.get(route.address, 200)
                found += faults_at(page, site, f"{address}?{query}" if query else address, status)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("look", BOTH)
def test_what_owners_others_and_strangers_see(site: Site, browser: Browser, look: Look) -> None:
    """The same pages with fewer or other rights, empty lists, and what is refused."""
    known = site.known
    seen = {
        "red": [
            *("/", "/documents/", "/disputes/", "/groups/", f"/documents/{known['web']}/"),
            *(f"/documents/{known['app']}/", f"/documents/{known['september']}/", f"/disputes/{known['dispute']}/"),
            f"/documents/{known['web']}/lines/{known['share']}/?view=working",
        ],
        "second": ["/", "/close/2026-09/", f"/disputes/{known['dispute']}/decide/"],
        "executive": ["/", "/summary/", "/documents/accepted/"],
        "auditor": ["/", "/close/2026-10/", "/audit/"],
        "stranger": ["/", "/search/?q=red", "/me/"],
    }
    refused = {"/nowhere/": 404, "/close/": 403, f"/documents/{known['web']}/": 404, "/documents/accept/": 405}
    seen["green"] = ["/", "/documents/", "/disputes/", "/documents/?q=nowhere", f"/documents/{known['green']}/"]
    found = []
    for name, addresses in seen.items():
        with window(browser, site, look, name) as page:
            for address in addresses:
                found += faults_at(page, site, address)
            if name == "second":
                wrong = f"/disputes/{known['dispute']}/decide/?outcome=upheld&settle=cost_group&settle_to=gree"
                found += faults_at(page, site, wrong, 400)
            if name == "green":
                for address, status in refused.items():
                    found += faults_at(page, site, address, status)
    assert not found, "\n".join(found)


def press(page: Page, label: str, *, within: str = "main") -> None:
    """Press a button, opening what it is folded away in, without the browser's own checks of the form."""
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.evaluate("document.querySelectorAll('form').forEach(each => each.noValidate = true)")
    page.locator(within).get_by_role("button", name=label, exact=True).first.click()
    page.wait_for_load_state()


# Who, on which page, presses which button without having said what is needed.
REFUSED_FORMS = [
    ("red", "/documents/{app}/dispute/?line={compute}", "Raise the dispute"),
    ("red", "/documents/{web}/", "Send"),
    ("red", "/me/", "Name them"),
    ("red", "/me/", "Make the key"),
    ("red", "/me/password/", "Use this password"),
    ("controller", "/disputes/{dispute}/decide/?outcome=upheld&settle=kept_central", "Propose this decision"),
    ("controller", "/policies/new/", "Check and keep as a draft"),
    ("controller", "/journals/{journal}/", "Confirm posted"),
    ("controller", "/journals/{journal}/", "Withdraw it"),
    ("administrator", "/people/add/", "Add"),
    ("administrator", "/messages/webhooks/", "Add it"),
]


@pytest.mark.parametrize("look", BOTH)
def test_forms_that_are_refused_say_so_in_order(site: Site, browser: Browser, look: Look) -> None:
    known = site.known
    found = []
    for name in ("red", "controller", "administrator"):
        with window(browser, site, look, name) as page:
            for who, address, label in REFUSED_FORMS:
                if who == name:
                    page.goto(site.address + address.format(**{**known["things"], **known}))
                    press(page, label)
                    said = page.locator(".field-error, .alert-danger, [aria-invalid=true], .refusal")
                    if not said.count():
                        found.append(f"{address}: {label} does not say what is wrong")
                    found += faults(page)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("look", BOTH)
def test_signing_in_wrongly_and_what_failed(site: Site, browser: Browser, look: Look) -> None:
    with window(browser, site, look) as page:
        assert faults_at(page, site, "/sign-in/?next=/close/") == []
        page.get_by_label("Mail address").fill(f"nobody-{look}@example.com")
        page.get_by_label("Password", exact=True).fill("not the password")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.locator(".alert-danger, .field-error").first.wait_for()
        assert faults(page) == []
        body = site.known["failed"]
        page.route("**/failing/", lambda route: route.fulfill(status=500, body=body, content_type="text/html"))
        assert faults_at(page, site, "/failing/", 500) == []


@pytest.mark.parametrize("look", ["light", "dark"])
def test_on_paper_it_is_black_on_white_and_without_buttons(site: Site, browser: Browser, look: Look) -> None:
    known = site.known
    with window(browser, site, look, "controller") as page:
        for address in (f"/documents/{known['web']}/", f"/documents/{known['app']}/", "/summary/2026-10/"):
            page.goto(site.address + address)
            page.emulate_media(media="print")
            # Nobody touches paper.
            assert [each for each in axe(page) if not each.startswith("target-size")] == [], address
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert ground == "rgb(255, 255, 255)", (address, ground)
            for each in page.locator("button, .btn, nav.places, form.top-search").all():
                assert not each.is_visible(), (address, each.evaluate("each => each.outerHTML"))
            page.emulate_media(media="screen")
