"""What pages and documents carry along is there and whole, and the processes that tests lean on do their part."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import psycopg
import pytest
import typst

from tests import openid, postgres
from tests.browser import LOOKS, axe, screenshot, screenshots, visit
from vendoring import FONTS, ICONS, PAGES, RECORD, VendoringError, listed, vendor

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
PACKAGES = json.loads((ROOT / RECORD).read_text(encoding="utf-8"))["packages"]
PINS = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package["name"]))
def test_what_was_brought_in_is_what_the_lock_pins(package: dict[str, str | dict[str, str]]) -> None:
    assert package["version"] == PINS["packages"][f"node_modules/{package['name']}"]["version"]
    files = package["files"]
    assert isinstance(files, dict)
    for name, digest in files.items():
        assert hashlib.sha256((ROOT / name).read_bytes()).hexdigest() == digest, name


def test_nothing_else_lies_in_the_folders_of_what_was_brought_in() -> None:
    recorded = {name for package in PACKAGES for name in package["files"]} | {RECORD.as_posix()}
    found = {path.relative_to(ROOT).as_posix() for folder in (PAGES, FONTS) for path in (ROOT / folder).iterdir()}
    assert found == recorded


def test_no_script_or_style_points_to_a_source_map_or_loads_from_elsewhere() -> None:
    for path in [*(ROOT / PAGES).glob("*.js"), *(ROOT / PAGES).glob("*.css")]:
        text = path.read_text(encoding="utf-8")
        assert "sourceMappingURL" not in text, path.name
        assert not re.search(r"(?:url\(|@import )['\"]?(?:https?:)?//", text), path.name


def test_the_lock_names_no_registry_and_pins_every_digest() -> None:
    assert PINS["lockfileVersion"] == 3
    for name, package in PINS["packages"].items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-"), name


def test_the_sprite_holds_the_listed_icons() -> None:
    names = listed(ROOT / ICONS)
    sprite = ElementTree.parse(ROOT / PAGES / "icons.svg").getroot()  # noqa: S314 - our own file
    assert names == sorted(set(names))
    assert [symbol.get("id") for symbol in sprite] == names
    assert all(len(symbol) for symbol in sprite)


def test_every_icon_that_a_page_names_is_listed() -> None:
    """By name in ``{% icon "name" %}`` or in ``icons.svg#name``."""
    named = re.compile(r"""(?:\{%\s*icon\s+["']|icons\.svg#)([a-z0-9-]+)""")
    assert named.findall("""{% icon "check" %} {% icon 'x' class="big" %} href="icons.svg#a-b\"""") == [
        "check",
        "x",
        "a-b",
    ]
    for path in (ROOT / "src" / "apportion" / "web").rglob("*.html"):
        missing = set(named.findall(path.read_text(encoding="utf-8"))) - set(listed(ROOT / ICONS))
        assert not missing, f"{path.name}: add {sorted(missing)} to {ICONS}"


def test_a_package_with_another_digest_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of npm stands a program that answers with an archive of its own."""
    lock = json.dumps(PINS).replace('"integrity": "sha512-', '"integrity": "sha512-0')
    (tmp_path / "package-lock.json").write_text(lock, encoding="utf-8")
    (tmp_path / ICONS).parent.mkdir()
    (tmp_path / ICONS).write_text("check\n", encoding="utf-8")
    answer = (
        "import json, pathlib, sys; folder = pathlib.Path(sys.argv[sys.argv.index('--pack-destination') + 1]);"
        "(folder / 'htmx.org.tgz').write_bytes(b'other');"
        "print(json.dumps([{'name': 'htmx.org', 'filename': 'htmx.org.tgz'}]))"
    )
    monkeypatch.setattr("vendoring._npm", lambda: (sys.executable, "-c", answer))
    with pytest.raises(VendoringError, match=r"htmx\.org is not the package"):
        vendor(tmp_path)
    assert not (tmp_path / RECORD).exists()


def _set(text: str, font: str = "Source Sans 3", features: str = "") -> list[str]:
    """What the typesetter warns of when it sets a text in our fonts alone, and fails for want of a letter."""
    source = f'#set document(title: "x")\n#set text(font: "{font}", fallback: false, lang: "en"{features})\n{text}'
    ours = typst.Fonts(include_system_fonts=False, font_paths=[ROOT / FONTS])
    compiler = typst.Compiler(source.encode(), font_paths=ours)
    _, warnings = compiler.compile_with_warnings(format="pdf", pdf_standards=["ua-1"], timestamp=0)
    return [warning.message for warning in warnings]


@pytest.mark.parametrize(
    "letters",
    [
        "Größe, Çanakkale, Łódź, Ştefan, Ærø, Tiếng Việt",
        "Τιμολόγιο, Ελληνικά, Ώρα",
        "Счёт-фактура, Україна ІЇЄҐ, Българија Љубљана",
        "0123456789 .,’ −±×→≤≥ΔΣ€£¥₹₽₺₴№§%‰–—…•",
    ],
)
def test_the_fonts_have_the_letters_of_latin_greek_and_cyrillic(letters: str) -> None:
    for style in ("{}", "*{}*", "_{}_", "*_{}_*", '#text(weight: "semibold")[{}]'):
        assert not _set(style.format(letters))


def test_a_letter_or_a_font_that_is_not_there_is_noticed() -> None:
    with pytest.raises(typst.TypstError):
        _set("漢")
    assert _set("", font="No Such Font")


def test_figures_stand_below_each_other() -> None:
    """With tabular figures every amount of as many figures is as wide, in each weight."""
    for weight in ("regular", "semibold", "bold"):
        one, two = (
            f'measure(text(weight: "{weight}", number-width: "tabular")[{figures}]).width'
            for figures in ("1,111.11", "8,048.90")
        )
        assert not _set(f"#context assert.eq({one}, {two})")
    with pytest.raises(typst.TypstError):  # the probe can fail: these are of different width
        _set("#context assert.eq(measure[1].width, measure[11].width)")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A folder with one page and what was brought in, served on loopback."""
    (tmp_path / "vendor").symlink_to(ROOT / PAGES)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


PAGE = """<!doctype html><html lang="en" data-bs-theme="{theme}"><head><title>Surroundings</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'self'; style-src-attr 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><link rel="icon" href="vendor/icons.svg">
<meta name="htmx-config" content='{{"includeIndicatorStyles": false, "allowEval": false}}'>
<link rel="stylesheet" href="vendor/tabler.min.css"><script src="vendor/htmx.min.js"></script>
<script src="vendor/echarts.min.js"></script><script src="vendor/echarts-de.js"></script></head>
<body><main class="container"><h1>Surroundings</h1>{body}</main></body></html>"""


@pytest.mark.slow
def test_chromium_shows_a_page_with_what_was_brought_in_and_axe_judges_it(
    site: str, tmp_path: Path, browser: Browser
) -> None:
    icons = "".join(
        f'<svg class="icon" aria-hidden="true"><use href="vendor/icons.svg#{name}"/></svg>'
        for name in listed(ROOT / ICONS)
    )
    (tmp_path / "part.html").write_text("<b>swapped</b>", encoding="utf-8")
    swapped = '<p hx-get="part.html" hx-trigger="load">before</p><div id="chart" style="width:20rem;height:9rem"></div>'
    for look in LOOKS:
        theme = "dark" if look == "dark" else "light"
        (tmp_path / "index.html").write_text(PAGE.format(theme=theme, body=icons + swapped), encoding="utf-8")
        with visit(browser, look) as page:
            page.goto(site)
            page.get_by_text("swapped").wait_for()
            page.evaluate(
                "() => echarts.init(document.getElementById('chart'), null, {renderer: 'svg', locale: 'DE'})"
                ".setOption({series: [{type: 'sankey', data: [{name: 'a'}, {name: 'b'}],"
                " links: [{source: 'a', target: 'b', value: 1}]}]})"
            )
            assert page.locator("#chart path").count() > 0
            assert not axe(page)
            assert screenshot(page, tmp_path / f"{look}.png").stat().st_size > 10_000

    (tmp_path / "index.html").write_text(PAGE.format(theme="light", body="<img src='vendor/icons.svg'>"), "utf-8")
    with visit(browser) as page:
        page.goto(site)
        assert [line.split()[0] for line in axe(page)] == ["image-alt"]


@pytest.mark.slow
def test_a_page_that_asks_elsewhere_or_breaks_its_policy_fails(site: str, tmp_path: Path, browser: Browser) -> None:
    pages = {
        "asked for beyond": "<title>x</title><img alt='' src='http://192.0.2.1/pixel.png'>",
        "nothing is not defined": "<title>x</title><script>nothing.there()</script>",
        "Content Security Policy": PAGE.format(theme="light", body="<script>1</script>"),
    }
    for complaint, text in pages.items():
        (tmp_path / "index.html").write_text(text, encoding="utf-8")
        with pytest.raises(AssertionError, match=complaint), visit(browser) as page:
            page.goto(site)
    paths = screenshots(browser, f"{site}/vendor/icons.LICENSE.txt", tmp_path, "licence")
    assert [path.name for path in paths] == ["licence-light.png", "licence-dark.png", "licence-phone.png"]


@pytest.mark.slow
def test_postgresql_answers_and_is_gone_afterwards() -> None:
    with postgres.server() as running:
        with psycopg.connect(running.url) as connection:
            assert connection.execute("SELECT 1, current_setting('fsync')").fetchone() == (1, "off")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(running.url.replace(running.password, "guessed"))
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(running.url)
    assert not running.socket_folder.exists()


@pytest.mark.slow
def test_the_openid_provider_describes_itself_and_sends_people_back() -> None:
    with openid.provider() as running:
        with urllib.request.urlopen(running.discovery) as answer:  # noqa: S310 - loopback
            described = json.load(answer)
        assert described["issuer"] == running.issuer
        start = _start(running, described["authorization_endpoint"], "http://localhost:8123")
        olivia = running.account("olivia")
        back = openid.came_back(running, start, olivia)
        assert back.startswith(f"http://localhost:8123{openid.CALLBACK}?code=")
        token = _token(running, described["token_endpoint"], back)
        with urllib.request.urlopen(  # noqa: S310 - loopback
            urllib.request.Request(described["userinfo_endpoint"], headers={"Authorization": f"Bearer {token}"})  # noqa: S310
        ) as answer:
            told = json.load(answer)
        assert (told["sub"], told["email"], told["email_verified"]) == ("olivia", olivia.email, True)
        assert "error=access_denied" in openid.came_back(running, start, olivia, act="cancel")
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(running.discovery)  # noqa: S310 - loopback


@pytest.mark.slow
def test_a_person_signs_in_on_the_page_of_the_openid_provider(site: str, browser: Browser) -> None:
    with openid.provider() as running, visit(browser) as page:
        page.goto(_start(running, f"{running.issuer}/auth", site))
        openid.sign_in(page, dataclasses.replace(running.account("carl"), password="guessed"))  # noqa: S106
        page.get_by_role("alert").wait_for()
        openid.sign_in(page, running.account("carl"))
        page.wait_for_url(f"{site}{openid.CALLBACK}?code=*")


def _start(running: openid.Provider, endpoint: str, site: str) -> str:
    """Where a site sends a person who wants to sign in."""
    asked = {
        "client_id": running.client_id,
        "redirect_uri": f"{site}{openid.CALLBACK}",
        "response_type": "code",
        "scope": "openid email profile",
        "state": "our-state",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    return f"{endpoint}?{urllib.parse.urlencode(asked)}"


def _token(running: openid.Provider, endpoint: str, back: str) -> str:
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back.partition("?")[0],
        "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",  # the example of RFC 7636
    }
    manager = urllib.request.HTTPPasswordMgrWithPriorAuth()
    manager.add_password(None, endpoint, running.client_id, running.client_secret, is_authenticated=True)
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
    with opener.open(endpoint, urllib.parse.urlencode(form).encode()) as answer:
        token = json.load(answer)["access_token"]
    assert isinstance(token, str)
    return token


@pytest.mark.slow
def test_what_tests_start_ends_with_them_even_when_they_are_killed() -> None:
    """A Python that starts both processes and is then killed leaves none of them running."""
    program = (
        "import sys; from tests import openid, postgres\n"
        "with openid.provider() as one, postgres.server() as two:\n"
        "    print(one.issuer, two.url, two.socket_folder, flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as killed:
        assert killed.stdout is not None
        said = killed.stdout.readline().split()
        if not said:
            pytest.skip("PostgreSQL or oidc-provider is not there: `make tools` installs them")
        killed.kill()
    issuer, url, left_behind = said
    try:
        end = time.monotonic() + 20
        while _answers(issuer, url) or (Path(left_behind) / "data" / "postmaster.pid").exists():
            assert time.monotonic() < end, "something goes on running"
            time.sleep(0.05)
    finally:
        shutil.rmtree(left_behind)


def _answers(issuer: str, url: str) -> bool:
    try:
        urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration").close()  # noqa: S310 - loopback
    except OSError:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return False
    return True
