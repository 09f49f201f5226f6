"""Answers to "who owns this?": somebody names the cost group, and a draft of the policy gets a rule for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apportion.actions.acting import Actor, Record, locked, person_of, recorded
from apportion.actions.close import work_list
from apportion.actions.policy import policies, policy_text
from apportion.actions.policy.policy_text import NewRule
from apportion.actions.words import cleaned, one_line, said
from apportion.allocate.fields import check_key
from apportion.errors import InputRefusedError, NotFoundError, Place
from apportion.periods import BillingPeriod
from apportion.records.closes import Close
from apportion.records.groups import CostGroup
from apportion.records.kinds import NAME_LENGTH
from apportion.records.policies import Claim, ClaimState, PolicyVersion
from apportion.review.permission import Permission
from apportion.review.states import StateError

_MOST_KEYS = 8
_MOST_VALUE = 500
_MOST_RULES = 100


def claim(actor: Actor, period: BillingPeriod, match: Mapping[str, str], cost_group: str, note: str = "") -> Claim:
    """Say that charges with these values belong to a cost group (its code). Said again, it is one claim.

    Keys of `match` are columns or ``tags.KEY``; an empty value means that there is none. Raises `ForbiddenError`, and
    `InputRefusedError` for values that no rule could look at, an unknown group, or another answer that is waiting.
    """
    actor.rights.require(Permission.PREPARE)
    person = person_of(actor)
    asked = _checked(match)
    with recorded(actor, "claim cost") as record:
        group = CostGroup.objects.filter(code=cost_group.strip(), is_current=True).first()
        if group is None:
            raise InputRefusedError(
                f"There is no cost group '{one_line(cost_group, 60)}'.",
                place=Place(field="cost_group"),
                advice="Write its code, as in the list of cost groups.",
            )
        waiting = Claim.objects.select_for_update().filter(state__in=[ClaimState.OPEN, ClaimState.PROPOSED])
        same = next((each for each in waiting.select_related("cost_group") if each.match == asked), None)
        if same is not None and same.cost_group_id == group.pk:
            return same
        if same is not None:
            raise InputRefusedError(
                f"Somebody has said already that this belongs to {same.cost_group.name}.",
                place=Place(field="cost_group"),
                advice="Decline that answer first, if it is wrong.",
            )
        made = Claim.objects.create(period=str(period), match=asked, cost_group=group, note=cleaned(note), by=person)
        _about(record, made)
        record.changed({}, {"match": asked, "cost_group": group.code, "period": str(period)})
    return made


def decline(actor: Actor, number: int, reason: str) -> Claim:
    """Say that an answer is not followed.

    Raises `ForbiddenError`, `NotFoundError`, `StateError`, and `InputRefusedError` without a reason.
    """
    actor.rights.require(Permission.PREPARE)
    person_of(actor)
    words = said(reason, "reason", "Say why: who gave the answer reads it.")
    with recorded(actor, "decline claim", reason=words) as record:
        row = locked(Claim, number)
        if row.state == ClaimState.DECLINED:
            return row
        if row.state != ClaimState.OPEN:
            raise StateError("A version of the policy has a rule for it already.", advice="Reject that version.")
        row.state = ClaimState.DECLINED
        row.save(update_fields=["state"])
        _about(record, row)
        record.changed({"state": "open"}, {"state": "declined"})
    return row


def propose_rules(actor: Actor, numbers: Sequence[int]) -> PolicyVersion:
    """A draft of the policy with a rule for each of these claims; nothing else in it changes.

    A rule for cost that found no owner stands last; one for cost that another rule decides about, right before that
    rule. Pressed again, it is the same draft. Raises `ForbiddenError`, `NotFoundError`, `InputRefusedError` without
    claims, `StateError` where they are not open, and `DocumentError` where the policy does not take the rules.
    """
    actor.rights.require(Permission.PREPARE)
    base = policies.adopt()
    if base.error is not None:
        raise base.error
    if base.version is None:
        raise NotFoundError("There is no policy to put rules into.", advice="Write the workspace's policy file first.")
    chosen = sorted(set(numbers))
    if not chosen or len(chosen) > _MOST_RULES:
        raise InputRefusedError(
            f"Choose between 1 and {_MOST_RULES} answers.", place=Place(field="claim"), advice="Tick those to follow."
        )
    with recorded(actor, "propose rules") as record:
        rows = list(Claim.objects.select_for_update(of=("self",)).filter(pk__in=chosen).select_related("cost_group"))
        if len(rows) != len(chosen):
            raise NotFoundError("One of these answers does not exist.", advice="Load the work list again.")
        first = rows[0].policy_version_id
        if first is not None and all(row.policy_version_id == first for row in rows):
            return PolicyVersion.objects.get(pk=first)
        if any(row.state != ClaimState.OPEN for row in rows):
            raise StateError("One of these answers is not open any more.", advice="Load the work list again.")
        text = policy_text.with_rules(base.version.text, _rules(base.version.text, rows))
        made = policies.draft(actor, text, _note(rows))
        for row in rows:
            row.state, row.policy_version = ClaimState.PROPOSED, made
            row.save(update_fields=["state", "policy_version"])
        record.about(made)
        record.changed({}, {"claims": chosen})
    return made


def _rules(text: str, rows: Sequence[Claim]) -> list[NewRule]:
    policy = policy_text.parsed(text)
    taken = [rule.id for rule in policy.rules]
    runs = dict(Close.objects.filter(period__in={row.period for row in rows}).values_list("period", "run_digest"))
    found = []
    for row in rows:
        period = BillingPeriod.parse(row.period)
        known = work_list.look(period, runs[row.period]) if runs.get(row.period) else None
        code = policy_text.fresh_id(f"claim-{row.pk}", taken)
        taken.append(code)
        name = one_line(f"{described(row.match)} belongs to {row.cost_group.name}", 120)
        before = work_list.before(known, row.match, policy)
        found.append(NewRule(code, name, row.match, row.cost_group.code, before))
    return found


def described(match: Mapping[str, str]) -> str:
    """What a claim is about, in a few words: ``Compute, 1234``."""
    return ", ".join(value for key, value in match.items() if value) or "This"


def _note(rows: Sequence[Claim]) -> str:
    lines = [f"- {described(row.match)}: {row.cost_group.name} ({row.cost_group.code})" for row in rows]
    return "\n".join(["Answers from the work list:", *lines])


def _checked(match: Mapping[str, str]) -> dict[str, str]:
    if not match or len(match) > _MOST_KEYS or not any(match.values()):
        raise InputRefusedError(
            "Nothing says which charges these are.", place=Place(field="match"), advice="Tick at least one value."
        )
    for key, value in match.items():
        try:
            check_key(key)
        except ValueError as error:
            raise InputRefusedError(f"'{one_line(key, 60)}' is nothing that a rule can look at.") from error
        if len(value) > _MOST_VALUE or cleaned(value) != value.strip():
            raise InputRefusedError("A value is not one of the work list's.", advice="Load the work list again.")
    return dict(sorted(match.items()))


def _about(record: Record, row: Claim) -> None:
    record.subject_kind, record.subject_id = "claim", str(row.pk)
    record.subject = one_line(described(row.match), NAME_LENGTH)
