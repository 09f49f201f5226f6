"""Real pages in Debian's Chromium: a browser, its three looks, the gate against stray requests, axe and screenshots."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Route, StorageState

ROOT = Path(__file__).parents[1]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
OURS = re.compile(r"(?:https?|wss?)://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:/|$)|(?:data|blob|file|about):")
Look = Literal["light", "dark", "phone"]
LOOKS: tuple[Look, ...] = ("light", "dark", "phone")
ARGUMENTS = [
    "--no-sandbox",  # tests may run as root, for whom Chromium has none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-features=Translate,OptimizationHints,MediaRouter,AutofillServerCommunication",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
]


@dataclass
class Watch:
    """What went wrong on a page without anybody looking: each is a failure when the page is closed."""

    stray: list[str] = field(default_factory=list)  # requests that would have left the machine
    scripts: list[str] = field(default_factory=list)  # errors of scripts, and what the page's policy refused

    def gate(self, route: Route) -> None:
        """Let through what is ours; stop and note everything else."""
        if OURS.match(route.request.url):
            route.continue_()
        else:
            self.stray.append(route.request.url)
            route.abort()

    def heard(self, message: ConsoleMessage) -> None:
        """Note what the browser says of the Content-Security-Policy; a refused page (403) is not an error of its."""
        if message.type == "error" and "Content Security Policy" in message.text:
            self.scripts.append(message.text)

    def failed(self, error: Error) -> None:
        """Note a script's error."""
        self.scripts.append(str(error))


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, closed with the block; half a second to start, so share one."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("Chromium is not there: `make tools` installs it")
    # Playwright keeps an event loop in this thread, whose mere presence Django takes for asynchronous code.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="session", name="browser")
def browser_fixture() -> Iterator[Browser]:
    """One browser for a whole session of tests."""
    with chromium() as browser:
        yield browser


@contextmanager
def visit(
    browser: Browser,
    look: Look = "light",
    *,
    locale: str = "en-GB",
    javascript: bool = True,
    storage_state: StorageState | None = None,
) -> Iterator[Page]:
    """A page of a person of its own, with no cookies but those of ``storage_state``.

    At the end of the block it fails if the page asked for anything beyond this machine, if a script failed, or if the
    page did what its Content-Security-Policy refuses. What other pages of the same person do (``page.context``) is
    watched too.
    """
    phone = look == "phone"
    context = browser.new_context(
        color_scheme="dark" if look == "dark" else "light",
        viewport={"width": 390, "height": 844} if phone else {"width": 1360, "height": 900},
        device_scale_factor=2 if phone else 1,
        is_mobile=phone,
        has_touch=phone,
        locale=locale,
        timezone_id="UTC",
        reduced_motion="reduce",
        java_script_enabled=javascript,
        storage_state=storage_state,
    )
    watch = Watch()
    try:
        context.route("**/*", watch.gate)
        context.on("console", watch.heard)
        context.on("weberror", lambda each: watch.failed(each.error))
        context.set_default_timeout(30_000)  # where many tests run at once, a page may take its time
        yield context.new_page()
    finally:
        context.close()
    assert not watch.stray, f"asked for beyond this machine: {watch.stray}"
    assert not watch.scripts, f"scripts failed or were refused: {watch.scripts}"


@pytest.fixture(name="page")
def page_fixture(browser: Browser) -> Iterator[Page]:
    """A desktop page in the light look."""
    with visit(browser) as page:
        yield page


def axe(page: Page, *, within: str | None = None, only: Sequence[str] = RULES) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA, one line for each place; empty is good.

    ``within`` is a CSS selector, for a part of the page alone; ``only`` names rules or their tags. Works under a strict
    Content-Security-Policy.
    """
    if not AXE.is_file():
        pytest.skip("axe-core is not there: `make tools` installs it")
    if not page.evaluate("() => typeof window.axe === 'object'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "([within, tags]) => axe.run(within || document, {runOnly: tags, resultTypes: ['violations']})",
        [within, list(only)],
    )
    return [
        f"{rule['id']} ({rule['impact']}): {' '.join(map(str, node['target']))} - {rule['help']}: {node['html'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def screenshot(page: Page, path: Path, *, whole: bool = True) -> Path:
    """The page as PNG, once its fonts are there, with nothing that blinks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page.evaluate("() => document.fonts.ready.then(() => true)")
    page.screenshot(path=path, full_page=whole, animations="disabled", caret="hide")
    return path


def screenshots(
    browser: Browser,
    address: str,
    folder: Path,
    name: str,
    *,
    looks: Sequence[Look] = LOOKS,
    storage_state: StorageState | None = None,
    before: Callable[[Page, Look], object] | None = None,
) -> list[Path]:
    """One address in each look, as ``<name>-<look>.png``; ``before`` may click about first."""
    made = []
    for look in looks:
        with visit(browser, look, storage_state=storage_state) as page:
            page.goto(address)
            page.wait_for_load_state("networkidle")
            if before is not None:
                before(page, look)
            made.append(screenshot(page, folder / f"{name}-{look}.png"))
    return made
