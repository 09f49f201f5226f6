"""Whatever is sent to a route, it answers as its schema says, and never with a fault of the program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks

from apportion.api.site import api
from apportion.records.journals import LedgerJournal
from tests.company import Company
from tests.journals import put, transfer
from tests.web.api_calls import ROOT, Operation, key_of, operations

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

load_all_checks()
WANTED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
EXAMPLES = 12
ALL = list(operations())
# What the schema of a route says of fields does not say what the acts behind it ask: those refuse it themselves.


@pytest.fixture(name="schema", scope="module")
def schema_fixture(company: Company) -> Any:
    return schemathesis.openapi.from_wsgi(f"{ROOT}/openapi.json", get_wsgi_application())


@pytest.fixture(autouse=True)
def _no_failures_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def _known(company: Company) -> dict[str, object]:
    """Things that there are, by the name of the parameter."""
    document = company.document("red-app")
    row = LedgerJournal.objects.first() or put(transfer(), company.person("second"), company.person("controller"))
    return {
        "journal": row.pk,
        "name": "journal-2026-10.csv",
        "document": document.pk,
        "line": 1,
        "dispute": company.dispute.pk,
        "group": company.group("red").pk,
        "person": company.person("green").pk,
        "period": "2026-10",
        "grant": company.person("green").grants.get().pk,
        "entry": 1,
        "code": "NOT_FOUND",
    }


@pytest.mark.parametrize("who", ["red", "controller", "administrator"])
@pytest.mark.parametrize("operation", ALL, ids=lambda each: each.name)
def test_a_route_answers_as_its_schema_says(operation: Operation, who: str, schema: Any, company: Company) -> None:
    key = key_of(company.person(who))
    known = _known(company)
    checks = [CHECKS.get_one(name) for name in WANTED]
    strategy = schema[f"{ROOT}{operation.path}"][operation.method].as_strategy()

    @given(case=strategy)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    def answers(case: Any) -> None:
        for real in (False, True):
            if real and not case.path_parameters:
                continue
            if real:
                case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
            response = case.call(headers={"Authorization": f"Bearer {key}"})
            case.validate_response(response, checks=checks)

    answers()


def test_every_route_is_called() -> None:
    assert {(each.method, each.path) for each in ALL} == {
        (method.upper(), path.removeprefix(ROOT))
        for path, item in api.get_openapi_schema()["paths"].items()
        for method in item
    }
