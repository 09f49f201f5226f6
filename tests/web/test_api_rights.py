"""Every route of the API: who may call it. A new route is here by itself, and fails without a rule."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core.cache import cache

from apportion.records.rights import rights_of
from apportion.records.rule import Reach
from apportion.review.permission import PERMISSIONS, Permission, Role
from tests.company import Company
from tests.web.api_calls import Caller, Operation, key_of, operations

pytestmark = pytest.mark.django_db

ALL = list(operations())
PEOPLE = ("red", "analyst", "controller", "auditor", "administrator", "stranger")
READS = [each for each in ALL if each.method == "GET"]
OF_THE_TREE = [each for each in ALL if each.rule is not None and each.rule.reach is Reach.OBJECT]


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def _address(operation: Operation, company: Company, code: str = "red-app") -> str:
    """The route at things of a cost group."""
    document = company.document(code)
    dispute = company.dispute.pk if code == "red-app" else 10**6
    known = {
        "document": document.pk,
        "line": 1,
        "dispute": dispute,
        "group": company.group(code).pk,
        "period": "2026-10",
        "person": company.person("green").pk,
        "entry": 1,
        "code": "NOT_FOUND",
    }
    return re.sub(r"\{(\w+)\}", lambda found: str(known.get(found[1], 10**6)), operation.path)


def _call(caller: Caller, operation: Operation, address: str) -> int:
    if operation.method == "GET":
        more = {"get_counterfactual": "?outcome=rejected", "list_rows": "?token=x"}.get(operation.name, "")
        return int(caller.get(address + more).status_code)
    return int((caller.post if operation.method == "POST" else caller.delete)(address).status_code)


def test_every_route_declares_its_rule() -> None:
    assert [each.name for each in ALL if each.rule is None] == []
    assert len({each.name for each in ALL}) == len(ALL)


@pytest.mark.thorough
@pytest.mark.parametrize("operation", ALL, ids=lambda each: each.name)
def test_nobody_gets_in_without_a_key(operation: Operation, company: Company) -> None:
    assert operation.rule is not None
    expected = 200 if operation.rule.reach is Reach.PUBLIC else 401
    assert _call(Caller(), operation, _address(operation, company)) == expected
    if operation.rule.reach is not Reach.PUBLIC:
        assert _call(Caller("apt_wrong"), operation, _address(operation, company)) == 401


@pytest.mark.thorough
@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("operation", ALL, ids=lambda each: each.name)
def test_rights_decide(operation: Operation, name: str, company: Company) -> None:
    """403 exactly for those who lack the permission; who has it gets an answer or a refusal of another kind."""
    rule = operation.rule
    assert rule is not None
    person = company.person(name)
    rights = rights_of(person)
    scopes = tuple(str(each) for each in Permission if rights.may_somewhere(each)) or ("see_documents",)
    caller = Caller(key_of(person) if rights.roles else _bare(company, name, scopes))
    status = _call(caller, operation, _address(operation, company))
    allowed = rule.permission is None or (
        rights.may(rule.permission) if rule.reach is Reach.EVERYWHERE else rights.may_somewhere(rule.permission)
    )
    if not allowed:
        assert status == 403
    elif operation.method == "GET" and rule.reach is not Reach.OBJECT:
        assert status in {200, 404, 422}
    else:
        assert status < 500


def _bare(company: Company, name: str, scopes: tuple[str, ...]) -> str:
    """A key of somebody without any role, which they cannot make themselves any more."""
    from datetime import timedelta

    from django.utils import timezone

    from apportion.actions.access.people import token_digest
    from apportion.records.people import ApiToken

    until = timezone.now() + timedelta(days=1)
    ApiToken.objects.create(
        person=company.person(name),
        name="Old",
        prefix=f"old-{name}"[:12],
        digest=token_digest(f"apt_{name}"),
        scopes=[*scopes],
        expires_at=until,
    )
    return f"apt_{name}"


@pytest.mark.thorough
@pytest.mark.parametrize("operation", OF_THE_TREE, ids=lambda each: each.name)
def test_another_group_does_not_exist(operation: Operation, company: Company) -> None:
    """Green gets the same answer for what is Red's as for what there is not; Red's own is there."""
    assert operation.rule is not None
    assert operation.rule.permission is not None
    green, red = Caller(key_of(company.person("green"))), Caller(key_of(company.person("red")))
    if not rights_of(company.person("green")).may_somewhere(operation.rule.permission):
        assert _call(green, operation, _address(operation, company)) == 403
        return
    own = _address(operation, company)
    nothing = re.sub(r"\d{1,5}(?=/|$)", "999999", own.replace("2026-10", "PERIOD")).replace("PERIOD", "2026-10")
    if operation.method == "GET":
        there, absent = green.get(own), green.get(nothing)
        assert (there.status_code, there.json()["detail"]) == (absent.status_code, absent.json()["detail"])
        if operation.name in {"download_factur_x", "download_ubl"}:  # Red is no other company than the payer's
            assert red.get(own).json()["code"] == "EINVOICE_REFUSED"
        elif operation.name not in {"download_attachment", "list_rows"}:
            assert red.get(own).status_code == 200
    elif operation.name not in {"open_dispute", "add_comment", "add_attachments"}:  # these look at their body first
        assert _call(green, operation, own) == 404


def test_lists_hold_only_what_one_may_see(company: Company) -> None:
    green = Caller(key_of(company.person("green")))
    for path in ("/documents", "/lines", "/disputes", "/cost-groups"):
        items = green.get(f"{path}?limit=200").json()["items"]
        groups = {item["code"] if path == "/cost-groups" else item["cost_group"]["code"] for item in items}
        assert groups <= {"green"}, path
    assert green.get("/documents?search=Red").json()["total"] == 0
    assert green.get(f"/documents?below={company.group('red').pk}").status_code == 404


def test_a_scope_narrows_and_never_widens(company: Company) -> None:
    document = company.document("red-web").pk
    reading = Caller(key_of(company.person("red"), "see_documents"))
    assert reading.get(f"/documents/{document}").status_code == 200
    assert reading.get(f"/documents/{document}").json()["may"] == []
    refused = reading.post(f"/documents/{document}/accept")
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    wide = Caller(_bare(company, "stranger", tuple(str(each) for each in Permission)))
    assert wide.get("/documents").status_code == 403


def test_a_narrow_key_gives_nobody_its_persons_rights(company: Company) -> None:
    narrow = Caller(key_of(company.person("red"), "see_documents"))
    body = {"deputy": company.person("stranger").pk, "from_on": "2026-11-01", "until_on": "2099-12-31"}
    assert narrow.post("/delegations", body).status_code == 403
    token = {"name": "x", "scopes": ["see_documents"], "expires_on": "2099-01-01"}
    assert narrow.post("/me/tokens", token).status_code == 403


def test_an_ended_or_revoked_key_is_nobodys(company: Company) -> None:
    from django.utils import timezone

    from apportion.records.people import ApiToken

    caller = Caller(key_of(company.person("red")))
    assert caller.get("/me").status_code == 200
    ApiToken.objects.update(expires_at=timezone.now())
    refused = caller.get("/me")
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"].startswith("Bearer")
    assert refused["Content-Type"] == "application/problem+json"
    person = company.person("green")
    other = Caller(key_of(person))
    person.is_active = False
    person.save()
    assert other.get("/me").status_code == 401


def test_who_guesses_keys_has_to_wait(company: Company) -> None:
    for _ in range(20):
        assert Caller("apt_guess").get("/me").status_code == 401
    refused = Caller("apt_guess").get("/me")
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert Caller().get("/problems").status_code == 200


def test_every_role_has_the_permissions_that_routes_ask_for() -> None:
    asked = {each.rule.permission for each in ALL if each.rule is not None} - {None}
    assert asked <= set().union(*(PERMISSIONS[role] for role in Role))
