"""A version of the policy on its way into the workspace's file, through the pages."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apportion.actions import working
from apportion.records.work import Work
from tests.company import (  # noqa: F401 - fixtures
    POLICY,
    Company,
    delivered_fixture,
    own_company_fixture,
)
from tests.web.test_policy_pages import EVEN, _draft, _sent, client, text

pytestmark = pytest.mark.django_db


def test_a_version_is_written_simulated_proposed_and_approved(own_company: Company) -> None:
    made = _draft(own_company)
    page = reverse("policy", args=[made.pk])
    shown = text(client(own_company, "analyst").get(page))
    assert "Pools Support support shared: in proportion to direct cost → even" in shown
    assert "Propose" in shown
    assert "Proposed." in text(_sent(own_company, "analyst", "propose_policy", made.pk))
    assert Work.objects.get(kind="simulate policy").state == "waiting"
    done = working.run_next()
    assert done is not None
    assert done.state == "done"
    shown = text(client(own_company, "controller").get(page))
    assert "another share of pool support" in shown
    assert "the same" in shown
    assert "A controller does this." in text(client(own_company, "analyst").get(page))
    refused = _sent(own_company, "analyst", "approve_policy", made.pk)
    assert refused.status_code == 403
    assert "It is in use" in text(_sent(own_company, "controller", "approve_policy", made.pk, reason="Agreed."))
    assert (own_company.root / "policy.yaml").read_text(encoding="utf-8") == EVEN
    assert _sent(own_company, "controller", "approve_policy", made.pk).status_code == 200


def test_a_file_edited_by_hand_is_noticed(own_company: Company) -> None:
    made = _draft(own_company)
    (own_company.root / "policy.yaml").write_text(POLICY + "# by hand\n", encoding="utf-8")
    shown = text(client(own_company, "controller").get(reverse("policy", args=[made.pk])))
    assert "The policy has changed since this version was written." in shown
    (own_company.root / "policy.yaml").write_text("rules: [", encoding="utf-8")
    assert "cannot be used as it is" in text(client(own_company, "controller").get(reverse("policies")))
