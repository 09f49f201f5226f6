"""Versions of the policy, and answers to "who owns this?": proposed, approved by a second person, put into the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import transaction

from apportion.actions import working
from apportion.actions.acting import SamePersonError
from apportion.actions.close import work_list
from apportion.actions.close.closing import allocate
from apportion.actions.policy import claims, policies, policy_simulation, policy_text
from apportion.errors import ConservationError, DocumentError, InputRefusedError, StorageError
from apportion.methodology.difference import Kind, differences
from apportion.records.audit import AuditEntry
from apportion.records.closes import Close
from apportion.records.documents import Document
from apportion.records.policies import Claim, ClaimState, PolicyState, PolicyVersion
from apportion.records.rights import ForbiddenError
from apportion.review.states import StateError
from apportion.warehouse.store import Workspace
from tests.company import (  # noqa: F401 - fixtures
    OCTOBER,
    POLICY,
    SEPTEMBER,
    Company,
    company_fixture,
    delivered_fixture,
    own_company_fixture,
)

pytestmark = pytest.mark.django_db

COMPUTE = {"ServiceName": "Compute", "tags.team": ""}


def _file(company: Company) -> Path:
    return company.root / "policy.yaml"


def _even(text: str) -> str:
    return text.replace("proportional to direct cost", "even")


def _proposed(company: Company, text: str = "") -> PolicyVersion:
    made = policies.draft(company.actor("analyst"), text or _even(POLICY), "Support follows nobody.")
    return policies.propose(company.actor("analyst"), made.pk)


# Putting rules into a text


def _rule(number: int = 1, before: str = "") -> policy_text.NewRule:
    return policy_text.NewRule(f"claim-{number}", "A name: with, signs", {"ServiceName": "Qu\"eues", "tags.a b": ""},
                               "0010", before)  # fmt: skip


_HEAD = "policy: p\ncost_basis: effective\n"
_A = "when: {ServiceName: A}"
_B = "{id: b, charge_to: {tag: team}}"
LAYOUTS = {
    "block": f"{_HEAD}rules:\n  - id: a\n    {_A}\n    charge_to: kept_central   # why\n\n  # about b\n"
    f"  # more about b\n  - {_B}\n# after\n\npools: []\n",
    "not indented": f"{_HEAD}rules:\n- id: a\n  {_A}\n  charge_to: kept_central\n- id: b\n  charge_to:\n    tag: team",
    "windows": f"{_HEAD}rules:\n  - id: a\n    {_A}\n    charge_to: kept_central\n  # about b\n  - {_B}\n".replace(
        "\n", "\r\n"
    ),
    "in one line": f"{{policy: p, cost_basis: effective, rules: [{{id: a, {_A}, charge_to: kept_central}}, {_B}]}}",
    "a dash alone": f"{_HEAD}rules:\n  -\n    id: a\n    {_A}\n    charge_to: kept_central\n  - # here\n    id: b\n"
    "    charge_to: {tag: team}\n",
    "conditions in blocks": f"{_HEAD}rules:\n  - id: a\n    when:\n      any:\n      - ServiceName: A\n"
    "      - ServiceName: B\n    charge_to: kept_central\n  - id: b\n    name: >\n      a text\n      of lines\n\n"
    "    charge_to: {tag: team}\n",
    "text last": f"rules:\n  - id: a\n    {_A}\n    charge_to: kept_central\n  - id: b\n    charge_to: {{tag: team}}\n"
    f"    name: |\n      a text\n      of lines\n{_HEAD}",
}


@pytest.mark.parametrize("before", ["", "a", "b", "no such rule"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_rule_is_put_in_and_every_other_byte_stays(layout: str, before: str) -> None:
    text = LAYOUTS[layout]
    made = policy_text.with_rules(text, [_rule(before=before)])
    place = {"a": 0, "b": 1}.get(before, 2)
    rules = policy_text.parsed(made).rules
    assert [rule.id for rule in rules] == ["claim-1" if at == place else "ab"[at - (at > place)] for at in range(3)]
    assert str(rules[place].target) == "0010"
    inserted = next(
        made[at : at + len(made) - len(text)]
        for at in range(len(text) + 1)
        if made[:at] + made[at + len(made) - len(text) :] == text
    )
    assert "claim-1" in inserted
    if "\r\n" in text:
        assert "\n" not in made.replace("\r\n", "")


def test_a_comment_stays_with_the_rule_below_it() -> None:
    made = policy_text.with_rules(LAYOUTS["block"], [_rule(before="b")])
    assert made.index("claim-1") < made.index("# about b") < made.index("# more about b") < made.index("id: b")
    assert policy_text.with_rules(LAYOUTS["block"], [_rule()]).index("claim-1") < made.index("# after") + 200


def test_several_rules_stand_in_their_order() -> None:
    made = policy_text.with_rules(POLICY, [_rule(1), _rule(2), _rule(3, "by-team")])
    assert [rule.id for rule in policy_text.parsed(made).rules] == [
        "support", "claim-3", "by-team", "claim-1", "claim-2"
    ]  # fmt: skip


def test_a_rule_that_would_change_more_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_text, "_with", lambda text, rule: _even(text))
    with pytest.raises(ConservationError, match="something else"):
        policy_text.with_rules(POLICY, [_rule()])


def test_mistakes_have_their_place_in_the_text() -> None:
    with pytest.raises(DocumentError) as caught:
        policy_text.parsed(POLICY.replace("ServiceName", "ServiceNam"))
    assert (caught.value.mistakes[0].place.file, caught.value.mistakes[0].place.line) == ("policy.yaml", 4)
    with pytest.raises(DocumentError, match="says nothing"):
        policy_text.parsed("# nothing\n")


# From draft to file


def test_what_stands_in_the_file_is_adopted_once(own_company: Company) -> None:
    first = policies.adopt().version
    assert first is not None
    assert (first.text, first.state, first.author) == (POLICY, PolicyState.ACTIVE, None)
    assert policies.adopt().version == first
    _file(own_company).write_text(_even(POLICY), encoding="utf-8")
    second = policies.adopt().version
    first.refresh_from_db()
    assert second is not None
    assert (second.based_on, first.state) == (first, PolicyState.REPLACED)
    assert AuditEntry.objects.filter(act="adopt policy").count() == 2


def test_a_file_with_mistakes_is_not_adopted(own_company: Company) -> None:
    first = policies.adopt().version
    for content in (b"policy: [", b"\xff\xfe", b""):
        _file(own_company).write_bytes(content)
        found = policies.adopt()
        assert found.version == first
        assert found.error is not None
    _file(own_company).unlink()
    assert policies.adopt().error is not None
    assert PolicyVersion.objects.count() == 1


def test_a_version_goes_from_draft_to_the_file(own_company: Company) -> None:
    made = _proposed(own_company)
    with pytest.raises(ForbiddenError):
        policies.approve(own_company.actor("analyst"), made.pk)
    done = policies.approve(own_company.actor("controller"), made.pk, "Agreed in the board.")
    assert (done.state, done.decided_by) == (PolicyState.ACTIVE, own_company.person("controller"))
    assert _file(own_company).read_text(encoding="utf-8") == _even(POLICY)
    assert policies.adopt().version == done
    assert PolicyVersion.objects.filter(state=PolicyState.ACTIVE).count() == 1
    entries = AuditEntry.objects.count()
    assert policies.approve(own_company.actor("controller"), made.pk) == done
    assert AuditEntry.objects.count() == entries
    assert [path.name for path in own_company.root.iterdir() if path.name.startswith(".policy")] == []


def test_nobody_approves_what_they_wrote(own_company: Company) -> None:
    made = policies.draft(own_company.actor("controller"), _even(POLICY), "Mine")
    policies.propose(own_company.actor("controller"), made.pk)
    with pytest.raises(SamePersonError):
        policies.approve(own_company.actor("controller"), made.pk)
    assert _file(own_company).read_text(encoding="utf-8") == POLICY
    assert policies.approve(own_company.actor("second"), made.pk).state == PolicyState.ACTIVE


def test_a_file_that_was_edited_meanwhile_is_not_overwritten(own_company: Company) -> None:
    made = _proposed(own_company)
    by_hand = POLICY.replace("Tag team", "The tag team")
    _file(own_company).write_text(by_hand, encoding="utf-8")
    with pytest.raises(StateError, match="has changed since"):
        policies.approve(own_company.actor("controller"), made.pk)
    assert _file(own_company).read_text(encoding="utf-8") == by_hand
    made.refresh_from_db()
    assert made.state == PolicyState.PROPOSED


def test_an_approval_that_was_killed_after_writing_can_be_pressed_again(own_company: Company) -> None:
    made = _proposed(own_company)
    _file(own_company).write_text(made.text, encoding="utf-8")
    assert policies.approve(own_company.actor("controller"), made.pk).state == PolicyState.ACTIVE
    assert PolicyVersion.objects.filter(state=PolicyState.ACTIVE).get() == made


def test_a_disk_that_refuses_leaves_everything_as_it_was(own_company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _proposed(own_company)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("apportion.actions.policy.policies.os.fsync", full)
    with pytest.raises(StorageError), transaction.atomic():
        policies.approve(own_company.actor("controller"), made.pk)
    made.refresh_from_db()
    assert made.state == PolicyState.PROPOSED
    assert _file(own_company).read_text(encoding="utf-8") == POLICY


def test_drafts_are_edited_by_their_author_and_sent_twice_are_one(own_company: Company) -> None:
    analyst = own_company.actor("analyst")
    made = policies.draft(analyst, _even(POLICY).replace("\n", "\r\n"), "Why")
    assert made.text == _even(POLICY)
    assert policies.draft(analyst, _even(POLICY), "Why") == made
    with pytest.raises(InputRefusedError, match="nothing was changed"):
        policies.draft(analyst, POLICY)
    with pytest.raises(DocumentError):
        policies.draft(analyst, POLICY.replace("pool: support", "pool: suport"))
    with pytest.raises(StateError, match="somebody else's"):
        policies.edit(own_company.actor("controller"), made.pk, made.text, "")
    renamed = policies.edit(analyst, made.pk, made.text.replace("Northwind policy", "New policy"), "Why")
    assert renamed.name == "New policy"
    with pytest.raises(StateError, match="somebody else's"):
        policies.propose(own_company.actor("controller"), made.pk, "Why")
    policies.propose(analyst, made.pk)
    with pytest.raises(StateError, match="cannot be edited"):
        policies.edit(analyst, made.pk, _even(POLICY), "")


def test_a_version_is_proposed_with_a_reason_and_rejected_with_one(own_company: Company) -> None:
    analyst = own_company.actor("analyst")
    made = policies.draft(analyst, _even(POLICY))
    with pytest.raises(InputRefusedError):
        policies.propose(analyst, made.pk)
    policies.propose(analyst, made.pk, "Because.")
    assert policies.propose(analyst, made.pk) == made
    with pytest.raises(InputRefusedError):
        policies.reject(own_company.actor("controller"), made.pk, " ")
    policies.reject(own_company.actor("controller"), made.pk, "Not now.")
    made.refresh_from_db()
    assert (made.state, made.decision) == (PolicyState.REJECTED, "Not now.")
    with pytest.raises(StateError):
        policies.approve(own_company.actor("controller"), made.pk)
    active = policies.adopt().version
    assert active is not None
    with pytest.raises(StateError, match="Only a draft"):
        policies.reject(own_company.actor("controller"), active.pk, "No.")


def test_a_simulation_is_kept_with_the_version(own_company: Company) -> None:
    made = _proposed(own_company)
    work = policy_simulation.ask_to_simulate(own_company.actor("analyst"), made.pk, OCTOBER)
    assert policy_simulation.ask_to_simulate(own_company.actor("controller"), made.pk, OCTOBER) == work
    done = working.run_next()
    assert done is not None
    assert (done.pk, done.state, done.error) == (work.pk, "done", {})
    made.refresh_from_db()
    assert made.simulated_period == "2026-10"
    changes = made.simulation["changes"]
    assert sum(each["after"] - each["before"] for each in changes) == 0
    for each in changes:
        parts = sum(part["minor"] for part in each["parts"]) + each["more"]["minor"]
        assert parts == each["after"] - each["before"] != 0
    with pytest.raises(ForbiddenError):
        policy_simulation.ask_to_simulate(own_company.actor("auditor"), made.pk, OCTOBER)


# Who owns this?


def test_the_work_list_shows_what_has_no_owner_and_what_has_no_tag(own_company: Company) -> None:
    run = Close.objects.get(period="2026-10").run_digest
    found = work_list.look(OCTOBER, run)
    assert found is not None
    assert found.tags == ("team",)
    (nobodys,) = found.unallocated.entries
    assert (nobodys.minor, nobodys.rows, nobodys.rule) == (2399, 1, "")
    assert nobodys.match["ServiceName"] == "Compute"
    assert nobodys.match["tags.team"] == ""
    (untagged,) = found.untagged.entries
    assert (untagged.minor, untagged.rule, untagged.holder, untagged.went_to) == (35000, "support", "pool", "support")
    document = Document.objects.get(holder="unallocated", period="2026-10", issue_state="issued")
    assert found.unallocated.totals == {"USD": document.totals.get().amount_minor}
    assert found.tagged["red-web"] == (91040 + 10105, 91040 + 10105)


def test_a_large_month_is_read_in_the_background(own_company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Close.objects.get(period="2026-10").run_digest
    inline = work_list.read(Workspace.open(own_company.root), OCTOBER)
    monkeypatch.setattr(work_list, "AT_ONCE", 1)
    monkeypatch.setattr(work_list, "_known", {})
    assert work_list.look(OCTOBER, run) is None
    work_list.ask(own_company.actor("analyst"), OCTOBER, run)
    done = working.run_next()
    assert done is not None
    assert done.state == "done"
    monkeypatch.setattr(work_list, "_known", {})
    assert work_list.look(OCTOBER, run) == inline


def test_an_answer_becomes_a_rule_that_brings_the_cost_to_its_owner(own_company: Company) -> None:
    analyst = own_company.actor("analyst")
    made = claims.claim(analyst, OCTOBER, {"ServiceName": "Compute"}, "green", "Theirs since May.")
    assert claims.claim(analyst, OCTOBER, {"ServiceName": "Compute"}, "green") == made
    with pytest.raises(InputRefusedError, match="Division Green"):
        claims.claim(analyst, OCTOBER, {"ServiceName": "Compute"}, "red")
    version = claims.propose_rules(analyst, [made.pk])
    assert claims.propose_rules(analyst, [made.pk]) == version
    made.refresh_from_db()
    assert (made.state, made.policy_version) == (ClaimState.PROPOSED, version)
    assert version.text.replace(POLICY.partition("pools:")[0], "").startswith("  - id: ")
    (change,) = differences(policy_text.parsed(POLICY), policy_text.parsed(version.text))
    assert (change.kind, change.id) == (Kind.ADDED, f"claim-{made.pk}")
    policies.propose(analyst, version.pk)
    policies.approve(own_company.actor("controller"), version.pk)
    close = allocate(analyst, OCTOBER)
    assert close.summary["unallocated"] == {}
    assert close.tie_out["holds"]


def test_an_answer_about_untagged_cost_stands_before_the_rule_that_decided(own_company: Company) -> None:
    analyst = own_company.actor("analyst")
    made = claims.claim(analyst, OCTOBER, {"ServiceName": "Support", "tags.team": ""}, "green")
    version = claims.propose_rules(analyst, [made.pk])
    assert [rule.id for rule in policy_text.parsed(version.text).rules] == [f"claim-{made.pk}", "support", "by-team"]


def test_answers_are_open_again_when_their_version_is_rejected(own_company: Company) -> None:
    analyst = own_company.actor("analyst")
    made = claims.claim(analyst, OCTOBER, COMPUTE, "green")
    version = claims.propose_rules(analyst, [made.pk])
    with pytest.raises(StateError, match="has a rule"):
        claims.decline(analyst, made.pk, "No.")
    policies.reject(analyst, version.pk, "I was wrong.")
    made.refresh_from_db()
    assert (made.state, made.policy_version) == (ClaimState.OPEN, None)
    assert claims.decline(analyst, made.pk, "No.").state == ClaimState.DECLINED
    with pytest.raises(StateError, match="not open"):
        claims.propose_rules(analyst, [made.pk])


@pytest.mark.parametrize(
    ("match", "group"),
    [
        ({}, "green"),
        ({"ServiceName": ""}, "green"),
        ({"Servicename": "x"}, "green"),
        ({"ServiceName": "x" * 501}, "green"),
        ({"ServiceName": "a\x00b"}, "green"),
        ({f"x_{number}": "1" for number in range(9)}, "green"),
        ({"ServiceName": "Compute"}, "nobody"),
        ({"ServiceName": "Compute"}, ""),
    ],
)
def test_answers_that_no_rule_could_follow_are_refused(own_company: Company, match: dict[str, str], group: str) -> None:
    with pytest.raises(InputRefusedError):
        claims.claim(own_company.actor("analyst"), SEPTEMBER, match, group)
    assert not Claim.objects.exists()


@pytest.mark.parametrize("who", ["red", "executive", "auditor", "administrator", "stranger"])
def test_only_those_who_prepare_the_close_touch_the_policy(own_company: Company, who: str) -> None:
    actor = own_company.actor(who)
    made = _proposed(own_company)
    waiting = claims.claim(own_company.actor("analyst"), OCTOBER, COMPUTE, "green")
    for act in (
        lambda: policies.draft(actor, _even(POLICY)),
        lambda: policies.edit(actor, made.pk, POLICY, ""),
        lambda: policies.propose(actor, made.pk),
        lambda: policies.approve(actor, made.pk),
        lambda: policies.reject(actor, made.pk, "No."),
        lambda: claims.claim(actor, OCTOBER, COMPUTE, "red"),
        lambda: claims.decline(actor, waiting.pk, "No."),
        lambda: claims.propose_rules(actor, [waiting.pk]),
    ):
        with pytest.raises(ForbiddenError):
            act()
