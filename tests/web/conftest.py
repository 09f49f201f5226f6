"""For every test of pages: quick password digests, and counters of attempts that begin at zero."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.utils import translation
from pytest_django.fixtures import Settings

from apportion.records.stamp import forget
from tests.browser import browser_fixture, page_fixture
from tests.company import company_fixture, delivered_fixture, own_company_fixture
from tests.openid import openid_fixture
from tests.postgres import postgres_fixture
from tests.web.served import filled_fixture

__all__ = [
    "browser_fixture",
    "company_fixture",
    "delivered_fixture",
    "filled_fixture",
    "openid_fixture",
    "own_company_fixture",
    "page_fixture",
    "postgres_fixture",
]


@pytest.fixture(autouse=True)
def _quick_and_forgetful(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    forget()  # a test that is taken back leaves the stamp of the books as it was
    translation.activate("en")  # whatever language the test before was left in
