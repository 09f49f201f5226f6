"""The pages of the policy, the work list and the cost groups: forms, refusals, and who sees what."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apportion.actions.close.charging import known_figures
from apportion.records.closes import Close
from apportion.records.groups import Charging, CostGroup, Mode
from apportion.records.policies import Claim, PolicyState, PolicyVersion
from tests.company import (  # noqa: F401 - fixtures
    POLICY,
    Company,
    company_fixture,
    delivered_fixture,
)

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]
TAG = re.compile(r"<[^>]*>")
EVEN = POLICY.replace("proportional to direct cost", "even")


def client(company: Company, who: str) -> Client:
    made = Client()
    made.force_login(company.person(who))
    return made


def text(response: Any) -> str:
    return " ".join(TAG.sub(" ", response.content.decode()).replace("\xa0", " ").split())


def _sent(company: Company, who: str, name: str, *arguments: object, **typed: object) -> Any:
    return client(company, who).post(reverse(name, args=arguments), typed, follow=True)


def _draft(company: Company, who: str = "analyst", **typed: object) -> PolicyVersion:
    answer = _sent(company, who, "new_policy", **{"text": EVEN, "note": "Support is for everybody.", **typed})
    assert answer.status_code == 200, text(answer)
    return PolicyVersion.objects.latest("pk")


# The policy


def test_mistakes_are_shown_at_line_and_column_with_what_was_typed(company: Company) -> None:
    wrong = POLICY.replace("pool: support}", "pool: suport}").replace("ServiceName", "Servicename")
    for typed in ({"text": wrong}, {"file": SimpleUploadedFile("policy.yaml", wrong.encode())}):
        answer = _sent(company, "analyst", "new_policy", note="<b>why</b>", **typed)
        assert answer.status_code == 400
        content = answer.content.decode()
        assert '<a href="#L4">Line 4, column' in content
        assert '<li id="L4" class="is-wrong">' in content
        assert "pool: suport" in content
        assert "&lt;b&gt;why" in content
    assert not PolicyVersion.objects.filter(state=PolicyState.DRAFT).exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"text": ""}, "There is no text."),
        ({"text": POLICY}, "nothing was changed"),
        ({"file": SimpleUploadedFile("p.yaml", b"\xff\xfe\x00")}, "not UTF-8"),
        ({"file": SimpleUploadedFile("p.yaml", b"#" * 1_000_001)}, "larger than 1 MB"),
        ({"text": "a: &a [*a]"}, "mistake"),
    ],
)
def test_texts_that_cannot_be_kept_are_refused(company: Company, typed: dict[str, object], said: str) -> None:
    answer = _sent(company, "analyst", "new_policy", **typed)
    assert answer.status_code == 400
    assert said in text(answer)


def test_the_author_edits_a_draft_and_proposes_it_with_a_reason(company: Company) -> None:
    made = _draft(company, note="")
    assert _sent(company, "analyst", "propose_policy", made.pk).status_code == 400
    changed = _sent(company, "analyst", "edit_policy", made.pk, text=EVEN.replace("Tag team", "By tag"), note="Why")
    assert changed.status_code == 200
    made.refresh_from_db()
    assert "By tag" in made.text
    assert _sent(company, "controller", "edit_policy", made.pk, text=EVEN).status_code == 409
    assert _sent(company, "analyst", "propose_policy", made.pk).status_code == 200
    assert _sent(company, "controller", "reject_policy", made.pk, reason="").status_code == 400
    assert "rejected" in text(_sent(company, "controller", "reject_policy", made.pk, reason="No."))


@pytest.mark.parametrize("kind", ["yaml", "html", "pdf", "md"])
def test_a_version_is_read_as_text_and_as_methodology(company: Company, kind: str) -> None:
    made = _draft(company)
    answer = client(company, "auditor").get(reverse("policy_file", args=[made.pk, kind]))
    assert answer.status_code == 200
    assert len(answer.content) > 100
    if kind == "yaml":
        assert answer.content.decode() == EVEN
    if kind == "html":
        assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_versions_that_do_not_exist_are_not_found(company: Company) -> None:
    browser = client(company, "controller")
    assert browser.get(reverse("policy", args=[987654])).status_code == 404
    assert browser.post(reverse("approve_policy", args=[987654])).status_code == 404
    assert browser.post(reverse("simulate_policy", args=[987654]), {"period": "2026-10"}).status_code == 404
    made = _draft(company)
    assert browser.get(reverse("policy_file", args=[made.pk, "exe"])).status_code == 404
    assert browser.post(reverse("simulate_policy", args=[made.pk]), {"period": "x"}).status_code == 404


def test_the_pages_of_the_policy_ask_little(company: Company) -> None:
    made = _draft(company)
    for name in ("policies", "policy", "edit_policy"):
        browser = client(company, "analyst")
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(reverse(name, args=[] if name == "policies" else [made.pk])).status_code == 200
        assert len(queries) <= 15


# The work list


def test_an_answer_is_given_and_becomes_a_draft(company: Company) -> None:
    shown = client(company, "analyst").get(reverse("work_list"))
    assert "Compute" in text(shown)
    assert "23.99 USD" in text(shown)
    typed = {
        "period": "2026-10",
        "kind": "unallocated",
        "number": "0",
        "use": ["ServiceName"],
        "value:ServiceName": "Compute",
        "cost_group": "green",
        "note": "Theirs.",
    }
    refused = _sent(company, "analyst", "claim", **{**typed, "cost_group": "nobody"})
    assert refused.status_code == 400
    assert "There is no cost group" in text(refused)
    assert 'value="Theirs."' in refused.content.decode()
    for _ in range(2):
        assert "it belongs to Division Green" in text(_sent(company, "analyst", "claim", **typed))
    made = Claim.objects.get()
    answer = _sent(company, "analyst", "propose_rules", claim=[made.pk])
    assert "A draft with 1 new rule" in text(answer)
    assert f"claim-{made.pk}" in text(answer)
    assert "in a version of the policy" in text(client(company, "auditor").get(reverse("work_list")))


def test_answers_are_declined_with_a_reason(company: Company) -> None:
    typed = {"period": "2026-10", "use": "ServiceName", "value:ServiceName": "Compute", "cost_group": "red"}
    _sent(company, "analyst", "claim", **typed)
    made = Claim.objects.get()
    assert _sent(company, "analyst", "decline_claim", claim=made.pk, reason="").status_code == 400
    assert "declined" in text(_sent(company, "analyst", "decline_claim", claim=made.pk, reason="It is shared."))
    assert _sent(company, "analyst", "propose_rules", claim=[made.pk]).status_code == 409
    assert _sent(company, "analyst", "propose_rules").status_code == 400
    assert _sent(company, "analyst", "decline_claim", claim="x", reason="No").status_code == 404


def test_untagged_cost_says_where_it_goes(company: Company) -> None:
    shown = text(client(company, "auditor").get(reverse("work_list") + "?kind=untagged"))
    assert "pool support" in shown
    assert "by rule support" in shown
    assert "350.00 USD" in shown


def test_a_large_month_is_asked_for(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apportion.actions.close.work_list.AT_ONCE", 0)
    monkeypatch.setattr("apportion.actions.close.work_list._known", {})
    assert "Read the charges" in text(client(company, "analyst").get(reverse("work_list")))
    answer = _sent(company, "analyst", "make_work_list", period="2026-10")
    assert "The charges are being read" in text(answer)
    assert '<meta http-equiv="refresh"' in answer.content.decode()


@pytest.mark.parametrize("who", ["red", "executive", "auditor", "administrator", "stranger"])
def test_only_those_who_prepare_answer_or_write(company: Company, who: str) -> None:
    made = _draft(company)
    for name, arguments in (
        ("claim", ()),
        ("decline_claim", ()),
        ("propose_rules", ()),
        ("make_work_list", ()),
        ("new_policy", ()),
        ("edit_policy", (made.pk,)),
        ("propose_policy", (made.pk,)),
        ("approve_policy", (made.pk,)),
        ("reject_policy", (made.pk,)),
        ("simulate_policy", (made.pk,)),
        ("set_charging", (company.group("green").pk,)),
    ):
        assert _sent(company, who, name, *arguments).status_code == 403, name


# Cost groups


def test_an_owner_sees_their_part_of_the_tree_alone(company: Company) -> None:
    shown = text(client(company, "red").get(reverse("groups")))
    assert "3 cost groups that you see" in shown
    assert "Red web shop" in shown
    assert "Division Green" not in shown
    assert "Northwind north" not in shown
    assert "Division Green" not in text(client(company, "red").get(reverse("groups") + "?q=green"))
    under = reverse("groups") + f"?under={company.group('north').pk}"
    assert "Division Green" not in text(client(company, "red").get(under))
    page = text(client(company, "red").get(reverse("group", args=[company.group("red").pk])))
    assert "Red app" in page
    assert "Move to chargeback" not in page
    for code in ("green", "north"):
        assert client(company, "red").get(reverse("group", args=[company.group(code).pk])).status_code == 404
    assert client(company, "stranger").get(reverse("groups")).status_code == 403


def test_totals_are_added_up_the_tree(company: Company) -> None:
    shown = text(client(company, "controller").get(reverse("groups")))
    own = {code: company.document(code).totals.get().amount_minor for code in ("red-web", "red-app", "green")}
    whole = sum(own.values())
    assert f"{whole // 100:,}.{whole % 100:02d} USD" in shown
    reds = own["red-web"] + own["red-app"]
    assert f"{reds // 100:,}.{reds % 100:02d} USD" in text(client(company, "red").get(reverse("groups")))


def test_a_large_tree_is_shown_by_levels(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apportion.web.groups._WHOLE", 2)
    shown = text(client(company, "controller").get(reverse("groups")))
    assert "Red web shop" not in shown
    assert "2 below" in shown
    below = text(client(company, "controller").get(reverse("groups") + f"?under={company.group('red').pk}"))
    assert "Below Division Red" in below
    assert "Red web shop" in below


def test_a_group_is_moved_to_chargeback_with_a_reason(company: Company) -> None:
    group = company.group("green")
    page = text(client(company, "controller").get(reverse("group", args=[group.pk])))
    assert "Ready for chargeback?" in page
    typed = {"charging": "chargeback", "from_period": "2026-11", "reason": "Agreed with the division."}
    for wrong, said in (({"reason": ""}, "required"), ({"from_period": "soon"}, "is not a billing period")):
        answer = _sent(company, "controller", "set_charging", group.pk, **{**typed, **wrong})
        assert answer.status_code == 400
        assert said in text(answer)
    issued = _sent(company, "controller", "set_charging", group.pk, **{**typed, "from_period": "2026-10"})
    assert issued.status_code == 409
    for _ in range(2):
        assert "is in chargeback from 2026-11" in text(_sent(company, "controller", "set_charging", group.pk, **typed))
    mode = Mode.objects.get(cost_group=group)
    assert (mode.charging, mode.from_period) == (Charging.CHARGEBACK, "2026-11")
    assert len(mode.readiness["rows"]) == 4
    history = text(client(company, "green").get(reverse("group", args=[group.pk])))
    assert "from November 2026" in history
    assert "Agreed with the division." in history


def test_the_tagged_share_of_a_group_comes_from_the_run(company: Company) -> None:
    page = text(client(company, "controller").get(reverse("group", args=[company.group("red-web").pk])))
    assert "carries its tags 100.0 %" in page
    above = text(client(company, "controller").get(reverse("group", args=[company.group("north").pk])))
    assert "carries its tags – of" in above
    close = Close.objects.get(period="2026-10")
    assert close.tagged["USD"]["red-web"] == [91_040 + 10_105, 91_040 + 10_105]
    close.tagged["USD"]["red-web"][0] = 50_000  # as if half of it had no tag
    close.save(update_fields=["tagged"])
    less = text(client(company, "controller").get(reverse("group", args=[company.group("red-web").pk])))
    assert "carries its tags 49.4 %" in less
    said = client(company, "controller").get(f"/api/v1/cost-groups/{company.group('red-web').pk}/readiness").json()
    (row,) = [row for row in said["rows"] if row["measure"] == "tagged_share"]
    assert (row["value"], row["met"]) == (494_340, False)


def test_a_group_that_left_the_tree_says_so(company: Company) -> None:
    group = company.group("green")
    CostGroup.objects.filter(pk=group.pk).update(is_current=False)
    assert "not in the tree any more" in text(client(company, "green").get(reverse("group", args=[group.pk])))
    assert "Division Green" not in text(client(company, "controller").get(reverse("groups")))


def test_the_currency_with_the_lowest_share_decides_readiness(company: Company) -> None:
    close = Close.objects.get(period="2026-10")
    close.summary |= {"totals": {"SEK": 1_000_000, "USD": 500}, "unallocated": {"SEK": 10_000, "USD": 100}}
    close.save(update_fields=["summary"])
    found = known_figures(company.group("green"))
    assert (found.allocated, found.cost) == (400, 500)
