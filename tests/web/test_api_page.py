"""The page of the API's schema works from this server alone, under the strict Content-Security-Policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from tests.browser import axe, visit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_the_page_shows_every_group_of_routes(browser: Browser, live_server: LiveServer, look: str) -> None:
    with visit(browser, look) as page:  # type: ignore[arg-type]
        page.goto(f"{live_server.url}/api/v1/docs")
        for tag in ("people", "periods", "documents", "review", "disputes", "audit", "webhooks"):
            assert page.locator(f"#{tag}").count() == 1, tag
        page.locator("#accept_document summary").click()
        assert page.locator("#accept_document").get_by_text("Needs the permission accept.").is_visible()
        assert axe(page) == []
