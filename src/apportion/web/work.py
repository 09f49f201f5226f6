"""The work list: cost that found no owner or has no tag, the question who owns it, and rules made of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apportion.actions.close import work_list as lists
from apportion.actions.close.work_list import Entry, WorkList
from apportion.actions.policy import claims as acts
from apportion.allocate.fields import TAG
from apportion.errors import ApportionError, InputRefusedError
from apportion.records.closes import Close
from apportion.records.groups import CostGroup
from apportion.records.policies import Claim, ClaimState
from apportion.records.work import Work
from apportion.review.permission import Permission
from apportion.web.close import period_of
from apportion.web.frame.page import Reach, Request, page
from apportion.web.words.told import told_error

_ON_A_PAGE = 25
_PERIODS = 24
_OFFERED = 1500  # cost groups that a form offers; beyond, their codes are typed
UNALLOCATED, UNTAGGED = "unallocated", "untagged"


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as it is shown. `number` is its place on the whole list; `claim` answers it already.

    `fixed` are the values that a rule for it has to look at, whatever else is chosen.
    """

    number: int
    entry: Entry
    values: tuple[tuple[str, str, str], ...]
    fixed: tuple[tuple[str, str], ...]
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class Refused:
    """What was typed into the form of an entry, and why it was refused."""

    number: int
    cost_group: str
    note: str
    sentence: str


@page(Reach.EVERYWHERE, Permission.SEE_CLOSE)
def work_list(request: Request) -> HttpResponse:
    """The list of a period, by default of the latest that is allocated."""
    return _page(request, request.GET.get("period", ""), request.GET.get("kind", UNALLOCATED))


def _page(request: Request, wanted: str, kind: str, refused: Refused | None = None) -> HttpResponse:
    closes = Close.objects.filter(allocated_at__isnull=False).order_by("-period")
    periods = list(closes.values_list("period", "run_digest", "sealed_at")[:_PERIODS])
    period = str(period_of(wanted)) if wanted else (periods[0][0] if periods else "")
    run = next((digest for name, digest, _sealed in periods if name == period), "")
    found, error = _found(period, run)
    answers = list(
        Claim.objects.filter(state__in=[ClaimState.OPEN, ClaimState.PROPOSED])
        .select_related("cost_group", "by", "policy_version")
        .order_by("-pk")[:200]
    )
    kind = UNTAGGED if kind == UNTAGGED else UNALLOCATED
    part = getattr(found, kind) if found is not None else None
    number = request.GET.get("page") if refused is None else refused.number // _ON_A_PAGE + 1
    pages = Paginator(part.entries if part is not None else (), _ON_A_PAGE).get_page(number)
    may = request.actor.rights.may(Permission.PREPARE)
    context = {
        "period": period,
        "periods": [name for name, _digest, _sealed in periods],
        "kind": kind,
        "found": found,
        "part": part,
        "page": pages,
        "entries": _shown(pages.start_index() - 1, pages.object_list, kind, answers) if part and part.entries else [],
        "answers": answers,
        "open_answers": sum(answer.state == ClaimState.OPEN for answer in answers),
        "may": may,
        "groups": _offered() if may and part and part.entries else [],
        "work": _work(run) if found is None and run else None,
        "error": error,
        "refused": refused,
        "run": run,
    }
    return render(request, "work/list.html", context, status=400 if refused else 200)


def _found(period: str, run: str) -> tuple[WorkList | None, ApportionError | None]:
    if not run:
        return None, None
    try:
        return lists.look(period_of(period), run), None
    except ApportionError as error:  # charges came since, or files are missing: the page says so
        return None, error


def _work(run: str) -> Work | None:
    return Work.objects.filter(kind=lists.WORK_LIST, key=f"{lists.WORK_LIST} {run}").order_by("-pk").first()


def _offered() -> list[tuple[str, str]]:
    rows = CostGroup.objects.filter(is_current=True).order_by("number").values_list("code", "name")
    found = list(rows[: _OFFERED + 1])
    return found if len(found) <= _OFFERED else []


def _shown(first: int, entries: Iterable[Entry], kind: str, answers: list[Claim]) -> list[Shown]:
    made = []
    for number, entry in enumerate(entries, start=first):
        missing = tuple(
            key for key, value in entry.match.items() if kind == UNTAGGED and key.startswith(TAG) and not value
        )
        values = tuple((key, value, _label(key)) for key, value in entry.match.items() if value)
        claim = next((each for each in answers if _answers(each, entry, missing)), None)
        made.append(Shown(number, entry, values, tuple((key, _label(key)) for key in missing), claim))
    return made


def _answers(claim: Claim, entry: Entry, missing: tuple[str, ...]) -> bool:
    """Whether a claim is about this entry: all that it asks for holds, and it is about the same kind of cost."""
    asked: Mapping[str, str] = claim.match
    if any(key.startswith(TAG) and not value for key, value in asked.items()) != bool(missing):
        return False
    return all(entry.match.get(key, "") == value for key, value in asked.items())


def _label(key: str) -> str:
    """A column in a word that people say."""
    if key.startswith(TAG):
        return _("tag %s") % key.removeprefix(TAG)
    return {
        "ServiceProviderName": _("provider"),
        "ProviderName": _("provider"),
        "SubAccountId": _("sub account"),
        "ServiceName": _("service"),
    }.get(key, key)


@page(Reach.EVERYWHERE, Permission.PREPARE, methods="POST")
def make_work_list(request: Request) -> HttpResponse:
    """Have the list of a large month made."""
    period = period_of(request.POST.get("period", ""))
    run = Close.objects.filter(period=str(period)).values_list("run_digest", flat=True).first()
    if run:
        lists.ask(request.actor, period, run)
        messages.info(request, _("The charges are being read. Come back in a moment."))
    return redirect(_address(str(period)))


def _address(period: str, kind: str = UNALLOCATED) -> str:
    return f"{reverse('work_list')}?period={period}&kind={kind}"


@page(Reach.EVERYWHERE, Permission.PREPARE, methods="POST")
def claim(request: Request) -> HttpResponse:
    """Somebody says who owns it."""
    said = request.POST
    period, kind = period_of(said.get("period", "")), said.get("kind", UNALLOCATED)
    match = {key: said.get(f"value:{key}", "") for key in said.getlist("use")}
    group, note = said.get("cost_group", ""), said.get("note", "")
    try:
        made = acts.claim(request.actor, period, match, group, note)
    except InputRefusedError as error:
        number = said.get("number", "")
        place = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 0
        refused = Refused(place, group, note, told_error(error))
        return _page(request, str(period), kind, refused)
    messages.success(request, _("Noted: it belongs to %s. Now write a rule of it.") % made.cost_group.name)
    return redirect(f"{_address(str(period), kind)}#answers")


@page(Reach.EVERYWHERE, Permission.PREPARE, methods="POST")
def decline_claim(request: Request) -> HttpResponse:
    """An answer that is not followed."""
    row = acts.decline(request.actor, _number(request.POST.get("claim", "")), request.POST.get("reason", ""))
    messages.success(request, _("The answer is declined."))
    return redirect(_address(row.period))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


@page(Reach.EVERYWHERE, Permission.PREPARE, methods="POST")
def propose_rules(request: Request) -> HttpResponse:
    """Make a draft of the policy with a rule for each chosen answer."""
    chosen = [_number(text) for text in request.POST.getlist("claim")]
    made = acts.propose_rules(request.actor, chosen)
    count = len(set(chosen))
    said = ngettext("A draft with %d new rule. Look at it, then propose it.",
                    "A draft with %d new rules. Look at it, then propose it.", count)  # fmt: skip
    messages.success(request, said % count)
    return redirect("policy", made.pk)


urlpatterns = [
    path("work-list/", work_list, name="work_list"),
    path("work-list/make/", make_work_list, name="make_work_list"),
    path("work-list/claim/", claim, name="claim"),
    path("work-list/decline/", decline_claim, name="decline_claim"),
    path("work-list/propose/", propose_rules, name="propose_rules"),
]
