"""Makes the pictures of the documentation: `python -m tests.web.pictures docs/images [WORKSPACE]`.

It walks through the review of the example company as docs/tutorial/the-review.md tells it, in Chromium, and stops where
something is not as it is told there. `apportion serve` serves a copy; without a workspace, the company is made first.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser import Look, chromium, screenshot, visit
from tests.web.served import free_port, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

PASSWORD = "kestrel-demo-2026"  # noqa: S105 - of people who do not exist; the demo prints it
MONTH = "2026-10"
SIZE: ViewportSize = {"width": 1200, "height": 780}


class Album:
    """Where pictures go, and the window of whoever acts at the moment."""

    def __init__(self, browser: Browser, address: str, folder: Path) -> None:
        self.browser, self.address, self.folder = browser, address, folder

    @contextmanager
    def window(self, name: str) -> Iterator[Page]:
        """The window of one of the demo's people, at home."""
        with visit(self.browser) as page:
            page.set_viewport_size(SIZE)
            page.goto(f"{self.address}/sign-in/")
            page.get_by_label("Mail address").fill(f"{name}@example.com")
            page.get_by_label("Password", exact=True).fill(PASSWORD)
            page.get_by_role("button", name="Sign in", exact=True).click()
            page.wait_for_url(f"{self.address}/")
            yield page

    def take(self, page: Page, name: str, *looks: Look, at: str = "") -> None:
        """The page that is open, in each look; `at` names what has to be in the picture."""
        for look in looks:
            with visit(self.browser, look, storage_state=page.context.storage_state()) as other:
                if look != "phone":
                    other.set_viewport_size(SIZE)
                other.goto(page.url)
                other.wait_for_load_state("networkidle")
                if at:
                    other.locator(at).first.evaluate("each => each.scrollIntoView({block: 'start'})")
                made = screenshot(other, self.folder / f"{name}-{look}.png", whole=False)
                sys.stdout.write(f"{made} {made.stat().st_size // 1024} KB\n")


def owner(album: Album) -> None:
    """Data platform reads its invoice, and accepts it."""
    with album.window("data-platform") as page:
        album.take(page, "home", "light", "dark", "phone")
        page.get_by_role("main").get_by_role("link", name=re.compile("Data platform")).first.click()
        album.take(page, "document", "light", "dark", "phone")
        document = page.url
        page.get_by_role("link", name="Data lake").first.click()
        page.get_by_role("link", name="How it was worked out").first.click()
        album.take(page, "line", "light", "phone")
        page.goto(document)
        page.get_by_role("button", name="Accept all of it").click()
        page.get_by_text("is accepted. Thank you.").wait_for()


def controller(album: Album) -> None:
    """The month on one page; Search's dispute, with whose bill would move; the policy."""
    with album.window("controller") as page:
        page.goto(f"{album.address}/close/{MONTH}/")
        album.take(page, "close", "light", "dark")
        page.goto(f"{album.address}/disputes/")
        page.get_by_role("main").get_by_role("link", name=re.compile("Search")).first.click()
        page.get_by_role("link", name="Decide it").click()
        page.get_by_label("Uphold it").check()
        page.get_by_role("radio", name=re.compile("nother cost group")).first.check()
        page.get_by_label("Cost group that carries it").fill("data-platform")
        page.get_by_role("button", name="Show whose bill moves").click()
        page.get_by_role("cell", name="pays less").wait_for()
        page.goto(f"{page.url.partition('?')[0]}?outcome=upheld&settle=cost_group&settle_to=data-platform")
        album.take(page, "decision", "light", "dark", at="#counterfactual")
        page.locator("#counterfactual").get_by_label("Reason").fill("The platform's log names the day of the move.")
        page.get_by_role("button", name="Propose this decision").click()
        page.get_by_text("These can:").wait_for()
        page.goto(f"{album.address}/policies/new/?from=1")
        text = page.locator("textarea[name=text]")
        text.fill(text.input_value().replace("percent: 1%", "percent: 2%"))
        page.locator("[name=note]").fill("The fee covers less and less of what is kept central.")
        page.get_by_role("button", name="Check and keep as a draft").click()
        page.get_by_label("Period").select_option("2026-10")
        page.get_by_role("button", name="Simulate").click()
        page.get_by_role("heading", name="Who would pay more or less").wait_for()
        page.get_by_role("columnheader", name="Difference").wait_for(timeout=240_000)
        album.take(page, "policy", "light")


def second_controller(album: Album) -> None:
    """Approves what waits for a second person."""
    with album.window("second-controller") as page:
        for group in ("Search", "Assistants"):
            page.goto(f"{album.address}/disputes/")
            page.get_by_role("main").get_by_role("link", name=re.compile(group)).first.click()
            page.get_by_role("button", name="Approve the decision").click()
            page.get_by_text("The decision is taken").wait_for()


def executive(album: Album) -> None:
    """Reads one page, and accepts what still waits below."""
    with album.window("executive") as page:
        page.goto(f"{album.address}/summary/{MONTH}/?currency=USD")
        album.take(page, "summary", "light", "phone")
        while True:
            page.goto(f"{album.address}/documents/?period={MONTH}&state=awaiting_review")
            boxes = page.get_by_role("row").get_by_role("checkbox").all()
            if not boxes:
                break
            for box in boxes:
                box.check()
            page.get_by_role("button", name=re.compile("^Accept")).last.click()
            page.get_by_role("button", name="Accept those that are ticked").click()
            page.wait_for_load_state()


def seal(album: Album) -> None:
    """The journal is drawn up, approved by the other controller, exported and confirmed, and the month is sealed."""
    where = f"{album.address}/close/{MONTH}/"
    with album.window("second-controller") as page:
        page.goto(where)
        page.get_by_role("link", name="Preview").first.click()
        page.get_by_role("button", name="Draw it up").click()
        page.get_by_text("You drew it up yourself").wait_for()
    with album.window("controller") as page:
        page.goto(f"{album.address}/journals/?state=waiting")
        page.get_by_role("main").get_by_role("link", name=re.compile("^JN-")).first.click()
        page.get_by_role("button", name="Approve it").wait_for()
        album.take(page, "journal", "light", "dark", "phone")
        page.get_by_role("button", name="Approve it").click()
        page.get_by_role("button", name="Export its files").click()
        page.get_by_label("Number in the ledger").fill("GL-2026-4711")
        page.get_by_role("button", name="Confirm posted").click()
        page.get_by_text("The journal is posted.").wait_for()
    with album.window("second-controller") as page:
        page.goto(where)
        page.locator("summary", has_text="Seal the period").click()
        page.locator("details[open]").get_by_role("button").click()
        page.get_by_text(re.compile("[Ss]ealed")).first.wait_for()
        album.take(page, "sealed", "light")


def auditor(album: Album) -> None:
    """Sees who did what, and has the chain verified."""
    with album.window("auditor") as page:
        page.goto(f"{album.address}/audit/")
        page.get_by_role("button", name="Verify now").click()
        while not page.locator(".alert-success .chain-text").count():  # the worker does it
            page.wait_for_timeout(1000)
            page.goto(f"{album.address}/audit/")
        album.take(page, "audit", "light")


def walk(browser: Browser, address: str, folder: Path) -> None:
    """The month's review as the tutorial tells it."""
    album = Album(browser, address, folder)
    with visit(browser) as page:
        page.goto(f"{address}/sign-in/")
        album.take(page, "sign-in", "light", "phone")
    for part in (owner, controller, second_controller, executive, seal, auditor):
        part(album)


@contextmanager
def company(given: Path | None) -> Iterator[str]:
    """The example company, served from a copy; gives the address."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "kestrel"
        if given is None:
            subprocess.run([str(Path(sys.executable).with_name("apportion")), "demo", str(root)], check=True)
        else:
            shutil.copytree(given, root)
        with serving(root, free_port()) as address:
            yield address


def main(arguments: list[str]) -> None:
    """`FOLDER [WORKSPACE]`."""
    with company(Path(arguments[1]) if arguments[1:] else None) as address, chromium() as browser:
        walk(browser, address, Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
