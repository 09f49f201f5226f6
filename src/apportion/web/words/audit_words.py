"""The audit chain in words: acts, subjects and faces as people call them, and what was and is side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apportion.errors import BadValueError
from apportion.web.words.figures import money

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

ACTS = {
    "accept": gettext_lazy("Accept a document"),
    "add person": gettext_lazy("Add a person"),
    "add webhook": gettext_lazy("Add a webhook"),
    "allocate": gettext_lazy("Allocate a period"),
    "approve decision": gettext_lazy("Approve a decision"),
    "approve policy": gettext_lazy("Approve a policy"),
    "approve journal": gettext_lazy("Approve a journal"),
    "attach": gettext_lazy("Add files"),
    "change password": gettext_lazy("Change a password"),
    "claim cost": gettext_lazy("Say whose a cost is"),
    "comment": gettext_lazy("Comment"),
    "confirm posted": gettext_lazy("Confirm what is posted"),
    "create token": gettext_lazy("Make a key"),
    "deactivate person": gettext_lazy("Deactivate a person"),
    "decline claim": gettext_lazy("Decline a claim"),
    "deem accepted": gettext_lazy("Take silence as acceptance"),
    "dispute": gettext_lazy("Dispute"),
    "draft policy": gettext_lazy("Begin a policy"),
    "draw up journal": gettext_lazy("Draw up a journal"),
    "draw up reversal": gettext_lazy("Draw up a reversal"),
    "edit policy draft": gettext_lazy("Edit a policy"),
    "end deputy": gettext_lazy("End a delegation"),
    "end role": gettext_lazy("Take a role away"),
    "export audit": gettext_lazy("Export the audit log"),
    "export journal": gettext_lazy("Export a journal"),
    "extend deadline": gettext_lazy("Give more time"),
    "grant role": gettext_lazy("Give a role"),
    "issue": gettext_lazy("Issue a period"),
    "journal was pushed": gettext_lazy("Note what came of a push"),
    "mark data complete": gettext_lazy("Say that data is complete"),
    "name deputy": gettext_lazy("Name a deputy"),
    "propose decision": gettext_lazy("Propose a decision"),
    "propose policy": gettext_lazy("Propose a policy"),
    "propose rules": gettext_lazy("Propose rules"),
    "push journal": gettext_lazy("Push a journal"),
    "reactivate person": gettext_lazy("Reactivate a person"),
    "reject policy": gettext_lazy("Reject a policy"),
    "remind": gettext_lazy("Remind"),
    "remove webhook": gettext_lazy("Remove a webhook"),
    "rename person": gettext_lazy("Rename a person"),
    "reopen": gettext_lazy("Reopen a review"),
    "reverse": gettext_lazy("Reverse a posting"),
    "revoke token": gettext_lazy("Revoke a key"),
    "seal": gettext_lazy("Seal a period"),
    "send again": gettext_lazy("Send a message again"),
    "set charging": gettext_lazy("Set showback or chargeback"),
    "set language": gettext_lazy("Choose a language"),
    "sign in": gettext_lazy("Sign in"),
    "sign out": gettext_lazy("Sign out"),
    "simulate policy": gettext_lazy("Simulate a policy"),
    "sync tree": gettext_lazy("Bring the tree into the books"),
    "verify audit": gettext_lazy("Verify the audit log"),
    "void": gettext_lazy("Void a document"),
    "withdraw dispute": gettext_lazy("Withdraw a dispute"),
    "withdraw journal": gettext_lazy("Withdraw a journal"),
    "withdraw proposal": gettext_lazy("Take a proposal back"),
}
SUBJECTS = {
    "audit": gettext_lazy("Audit log"),
    "apitoken": gettext_lazy("Key"),
    "claim": gettext_lazy("Claim"),
    "close": gettext_lazy("Close"),
    "costgroup": gettext_lazy("Cost group"),
    "delegation": gettext_lazy("Delegation"),
    "dispute": pgettext_lazy("thing", "Dispute"),
    "document": gettext_lazy("Document"),
    "grant": gettext_lazy("Role"),
    "ledgerjournal": gettext_lazy("Journal"),
    "message": gettext_lazy("Message"),
    "page": gettext_lazy("Page"),
    "person": gettext_lazy("Person"),
    "policyversion": gettext_lazy("Policy"),
    "webhook": gettext_lazy("Webhook"),
    "work": gettext_lazy("Work"),
}
VIA = {
    "web": gettext_lazy("web page"),
    "api": gettext_lazy("API"),
    "cli": gettext_lazy("command line"),
    "timer": gettext_lazy("by itself"),
}
_REFUSED = "refused: "
_WORD = re.compile(r"[a-z]+(_[a-z]+)+")  # a state or choice as the books write it


def act_words(act: str) -> str:
    """An act as people call it; one without words of its own as it is written."""
    if act.startswith(_REFUSED):
        return _("Refused: %s") % act_words(act.removeprefix(_REFUSED))
    found: _StrPromise | str = ACTS.get(act, act[:1].upper() + act[1:])
    return str(found)


def subject_words(kind: str) -> str:
    """What kind of thing an entry is about."""
    return str(SUBJECTS.get(kind, kind.replace("_", " ")))


def via_words(via: str) -> str:
    """How somebody acted."""
    return str(VIA.get(via, via))


@dataclass(frozen=True, slots=True)
class Side:
    """One value that was and that is, as text; None where there was or is none."""

    name: str
    before: str | None
    after: str | None

    @property
    def is_changed(self) -> bool:
        """Whether the two differ."""
        return self.before != self.after


def sides(before: str, after: str) -> list[Side]:
    """The values of two JSON texts beside each other, in the order of their names."""
    was, now = dict(_flat(_read(before))), dict(_flat(_read(after)))
    return [Side(name, was.get(name), now.get(name)) for name in dict.fromkeys([*was, *now])]


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return {"text": text}


def _flat(value: object, above: str = "") -> Iterator[tuple[str, str]]:
    """Nested values by the names on the way to them."""
    if isinstance(value, Mapping) and value:
        currency = value.get("currency")
        for key, inner in value.items():
            name = f"{above} › {key}" if above else str(key)
            if str(key).endswith("_minor") and isinstance(inner, int) and isinstance(currency, str):
                yield _named(name.removesuffix("_minor")), _amount(inner, currency)
            else:
                yield from _flat(inner, name)
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for number, each in enumerate(value, start=1):
            yield from _flat(each, f"{above} {number}")
    elif above:
        yield _named(above), _said(value)


def _named(name: str) -> str:
    return name.replace("_", " ")


def _amount(minor: int, currency: str) -> str:
    try:
        return money(minor, currency)
    except BadValueError:
        return str(minor)


def _said(value: object) -> str:
    match value:
        case True:
            return _("yes")
        case False:
            return _("no")
        case None | "" | [] | {}:
            return "–"
        case list():
            return "\n".join(_said(each) for each in value)
        case str() if _WORD.fullmatch(value):
            return value.replace("_", " ")
        case _other:
            return str(value)
