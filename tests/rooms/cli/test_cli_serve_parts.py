"""``apportion serve`` says before it begins what is not there: packages, scripts, styles, languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from apportion.cli import serve, site
from apportion.errors import WorkspaceError


def test_all_parts_are_there() -> None:
    serve._check_parts()


def test_missing_scripts_and_languages_are_named(tmp_path: Path, settings: Settings) -> None:
    vendor = tmp_path / "static" / "vendor"
    vendor.mkdir(parents=True)
    settings.STATICFILES_DIRS = [tmp_path / "static"]
    for name in ("htmx.min.js", "tabler.min.css", "icons.svg"):
        (vendor / name).touch()
    with pytest.raises(serve.IncompleteError, match=r"complete: static/vendor/echarts\.min\.js is missing") as caught:
        serve._check_parts()
    assert "pip install '.[web]'" in caught.value.advice
    (vendor / "icons.svg").unlink()
    with pytest.raises(serve.IncompleteError, match="and 1 more"):
        serve._check_parts()


def test_a_language_that_was_not_compiled_is_missed(tmp_path: Path, settings: Settings) -> None:
    compiled = tmp_path / "web" / "locale" / "de" / "LC_MESSAGES"
    compiled.mkdir(parents=True)
    settings.LOCALE_PATHS = [tmp_path / "web" / "locale"]
    with pytest.raises(serve.IncompleteError, match=r"django\.mo is missing"):
        serve._check_parts()
    (compiled / "django.mo").touch()
    serve._check_parts()


def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apportion.cli.site._PACKAGES", ("django", "no_such_package"))
    with pytest.raises(WorkspaceError, match="not installed") as caught:
        site.boot_at(tmp_path)
    assert caught.value.advice.endswith("pip install '.[web]'")
