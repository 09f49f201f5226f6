"""The pages of owners and controllers in a real browser against a real server: every look, and without a script."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import LOOKS, ROOT, Look, axe, browser_fixture, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, StorageState

pytestmark = pytest.mark.slow
__all__ = ["browser_fixture"]

# Fills the books of a workspace by the acts, and tells what is in them, with a session for each person.
SEED = """
import json, os
from pathlib import Path
import django; django.setup()
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
from apportion.actions.commenting import comment
from tests.company import PEOPLE, fill
company = fill(Path(os.environ["APPORTION_WORKSPACE"]))
web, app, green = (company.document(code) for code in ("red-web", "red-app", "green"))
comment(company.actor("controller"), web.pk, "Is this right, @red?")
def session(name):
    client = Client()
    client.force_login(company.person(name))
    return client.cookies["sessionid"].value
print(json.dumps({
    "web": web.pk, "app": app.pk, "green": green.pk, "dispute": company.dispute.pk,
    "share": web.lines.get(kind="share").number, "compute": app.lines.get(service="Compute").number,
    "sessions": {name: session(name) for name in PEOPLE},
}))
"""


@dataclass(frozen=True)
class Site:
    """A running site, and what is in its books."""

    address: str
    known: dict[str, Any]

    def session(self, name: str) -> StorageState:
        """The browser of somebody who is signed in."""
        return {
            "cookies": [
                {
                    "name": "sessionid",
                    "value": self.known["sessions"][name],
                    "domain": "127.0.0.1",
                    "path": "/",
                    "expires": -1,
                    "httpOnly": True,
                    "secure": False,
                    "sameSite": "Lax",
                }
            ],
            "origins": [],
        }


@pytest.fixture(name="site", scope="module")
def site_fixture(delivered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("site") / "northwind"
    shutil.copytree(delivered, root)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "apportion.records.configuration",
        "APPORTION_WORKSPACE": str(root),
        "APPORTION_DATABASE": "",
        "PYTHONPATH": str(ROOT),
    }
    seed = subprocess.run(
        [sys.executable, "-c", SEED], env=environment, check=True, capture_output=True, text=True, cwd=ROOT
    )
    server = [str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--port", str(port)]
    with (
        (root / "server.log").open("w") as log,
        subprocess.Popen(
            [*server, "--blocking-threads", "4", "apportion.web.wsgi:application"],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            _wait_for(port)
            yield Site(f"http://127.0.0.1:{port}", json.loads(seed.stdout.splitlines()[-1]))
        finally:
            process.terminate()
            process.wait(15)


def _wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server did not start")


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
