"""Who may open what: for every page, the owner, a colleague, a stranger, somebody of each role, and nobody.

The cases are made from the routes and the rule that each view carries, so that a page without a rule fails here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from apportion.actions.access.people import create_token
from apportion.actions.review.attaching import Upload
from apportion.actions.review.commenting import comment
from apportion.actions.review.disputing import dispute
from apportion.records.disputes import Attachment
from apportion.records.documents import Document
from apportion.records.people import Delegation, Grant, Person
from apportion.records.policies import Claim, PolicyVersion
from apportion.records.work import Message, WebhookEndpoint, Work
from apportion.review.permission import PERMISSIONS, Permission, Role
from tests.company import OCTOBER, PEOPLE, Company
from tests.journals import put, transfer

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]


@dataclass(frozen=True)
class Route:
    """One address as it is written, its view, and the names of what stands in it."""

    address: str
    view: Any
    names: tuple[str, ...]

    @property
    def rule(self) -> Any:
        return getattr(self.view, "rule", None)

    @property
    def is_list(self) -> bool:
        return self.rule is not None and "GET" in self.rule.methods and not self.names


def routes(patterns: list[Any] | None = None, before: str = "", names: tuple[str, ...] = ()) -> Iterator[Route]:
    """Every page of the site; the API has a test of its own."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        address = before + str(pattern.pattern)
        here = (*names, *pattern.pattern.converters)
        if isinstance(pattern, URLResolver):
            if not address.startswith("api/"):
                yield from routes(pattern.url_patterns, address, here)
        elif isinstance(pattern, URLPattern) and not address.startswith("api/"):
            yield Route(address, pattern.callback, here)


ROUTES = list(routes())


def by_address(route: Route) -> str:
    return "/" + route.address


@pytest.mark.parametrize("route", ROUTES, ids=by_address)
def test_every_page_says_who_may_open_it(route: Route) -> None:
    assert route.rule is not None, f"decorate the view of /{route.address} with web.frame.page.page"


@dataclass(frozen=True)
class Things:
    """One thing of each kind, all of them the owner Red's."""

    ids: dict[str, object]

    def address(self, route: Route) -> str:
        text = "/" + route.address.replace("^", "").removesuffix("$")
        text = text.replace("(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)", "1-abcdef")  # the mailed link to a new password
        ids = {**self.ids, "format": FORMATS.get(route.address, "csv")}
        for name in set(route.names) - {"uidb36", "key"}:
            assert name in ids, f"/{route.address}: say in this test what a `{name}` is"
            for converter in ("int:", "str:", "slug:", "path:", "period:", ""):
                text = text.replace(f"<{converter}{name}>", str(ids[name]))
        assert "<" not in text, text
        return text


@pytest.fixture(name="things", scope="module")
def things_fixture(company: Company) -> Things:
    return make_things(company)


def make_things(company: Company) -> Things:
    """Put one of each kind into the books."""
    red, web = company.person("red"), company.document("red-web")
    picture = Upload("note.txt", "text/plain", BytesIO(b"Please look.\n"))
    objection = dispute(
        company.actor("red"), web.pk, line=1, reason="unclear", text="Why?", claimed_minor=1, attachments=[picture]
    )
    said = comment(company.actor("red"), web.pk, "A question.")
    today = timezone.localdate()
    stand_in = Delegation.objects.create(
        person=red, deputy=company.person("auditor"), from_on=today + timedelta(5), until_on=today + timedelta(6)
    )
    version = PolicyVersion.objects.create(
        digest="0" * 64, name="Northwind policy", text=(company.root / "policy.yaml").read_text(encoding="utf-8")
    )
    token, _ = create_token(company.actor("red"), "Reports", ["see_documents"], today + timedelta(9))
    endpoint = WebhookEndpoint.objects.create(url="https://example.com/", secret="x", created_by=red)  # noqa: S106
    journal = put(transfer(), company.person("controller"), company.person("second"))
    claim = Claim.objects.create(period="2026-10", cost_group=company.group("red-web"), by=red)
    return Things(
        {
            "document": web.pk,
            "line": 1,
            "dispute": objection.pk,
            "comment": said.pk,
            "attachment": Attachment.objects.get().pk,
            "group": company.group("red-web").pk,
            "person": red.pk,
            "grant": Grant.objects.filter(person=red).earliest("pk").pk,
            "delegation": stand_in.pk,
            "token": token.pk,
            "entry": 1,
            "endpoint": endpoint.pk,
            "message": Message.objects.earliest("pk").pk,
            "version": version.pk,
            "claim": claim.pk,
            "journal": journal.pk,
            "name": "journal-2026-10.csv",
            "work": Work.objects.create(kind="allocate", key="x", period="2026-10", state="done").pk,
            "period": OCTOBER,
            "digest": web.policy_digest,
        }
    )


# What somebody who has not set it up does not have, whoever they are; the tests of signing in set it up.
NOT_SET_UP = {
    "sign-in/company/",
    "sign-in/company/back/",
    "me/second-factor/off/",
    "me/second-factor/codes/",
}
FORMATS = {  # the others can be had as CSV
    "policies/<int:version>/file/<str:format>/": "yaml",
    "documents/<int:document>/e-invoice/<str:format>/": "pdf",
}
# Others than the person themselves who may do it: the deputy, and whoever manages people.
ALSO = {
    "me/deputies/<int:delegation>/end/": {"auditor", "administrator"},
    "me/tokens/<int:token>/revoke/": {"administrator"},
}

SIGN_IN = "/sign-in/"
REFUSED = {403, 404}


def opened(route: Route, things: Things, person: Person | None) -> Any:
    """What a person gets: by GET where the page has it, else by a form that says no more than the
    period. Nothing it did stays."""
    client = Client(raise_request_exception=True)
    if person is not None:
        client.force_login(person)
    address = things.address(route)
    answer = client.get(address) if "GET" in route.rule.methods else client.post(address, {"period": str(OCTOBER)})
    assert answer.status_code < 500, (address, answer.status_code)
    return answer


def is_sent_to_sign_in(answer: Any) -> bool:
    return bool(answer.status_code == 302 and answer["Location"].startswith(SIGN_IN))


@pytest.mark.parametrize("route", [each for each in ROUTES if each.rule], ids=by_address)
def test_nobody_gets_in_without_signing_in(route: Route, things: Things) -> None:
    answer = opened(route, things, None)
    if route.rule.reach == "public":
        assert (answer.status_code in REFUSED) == (route.address in NOT_SET_UP)
    else:
        assert is_sent_to_sign_in(answer), answer.status_code


def roles_of(name: str) -> set[Role]:
    given = PEOPLE[name]
    if name in {"red", "green"}:
        return {Role.OWNER}
    return {Role.EXECUTIVE} if name == "executive" else {given} if given else set()


def allowed(route: Route, name: str) -> bool:
    """What the rule says of somebody: the one expectation that everything here is held against."""
    rule = route.rule
    if route.address in NOT_SET_UP:
        return False
    if rule.reach == "public":
        return True
    if rule.reach == "self":
        return name == "red" or not set(route.names) - {"format"} or name in ALSO.get(route.address, ())
    permissions: set[Permission] = set().union(*(PERMISSIONS[role] for role in roles_of(name)))
    if rule.permission is not None and rule.permission not in permissions:
        return False
    if rule.reach == "object":
        return name != "green" and bool(permissions)
    return not (rule.reach == "everywhere" and name in {"red", "green", "executive"})


@pytest.mark.slow
@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("route", [each for each in ROUTES if each.rule], ids=by_address)
def test_everybody_opens_what_the_rule_says_and_no_more(
    route: Route, name: str, things: Things, company: Company
) -> None:
    answer = opened(route, things, company.person(name))
    assert not is_sent_to_sign_in(answer) or route.rule.reach == "public"
    if allowed(route, name):
        assert answer.status_code not in REFUSED, answer.status_code
    else:
        assert answer.status_code in REFUSED, answer.status_code


@pytest.mark.parametrize("name", ["green", "stranger"])
@pytest.mark.parametrize("route", [each for each in ROUTES if each.is_list], ids=by_address)
def test_no_list_tells_of_what_others_answer_for(route: Route, name: str, things: Things, company: Company) -> None:
    client = Client()
    client.force_login(company.person(name))
    secrets = ["Red web shop", "Red app", "red-web", "red-app"]
    secrets += [str(row) for row in Document.objects.filter(cost_group__code__startswith="red")]
    for query in ({}, {"q": "Red"}, {"q": "ST-"}, {"group": str(company.group("red-web").pk)}):
        text = client.get("/" + route.address, query).content.decode(errors="replace")
        for secret in secrets:
            assert secret not in text, (secret, query)
