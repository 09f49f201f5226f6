"""The page of one line: why it is there, and what is behind it, down to the delivered rows.

Its views are in the address, so that "back" works. Of a shared line, an owner sees the pool, its basis, its total and
their exact share; the resources and rows in the pool belong to other people, and are only for those who see the close.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apportion.actions.workspace import workspace
from apportion.close import drill
from apportion.errors import ApportionError, NotFoundError
from apportion.invoice.paper import PaperLine, PaperLineKind
from apportion.money.amount import ONE, plain
from apportion.money.currency import units_per_minor
from apportion.money.split import to_step
from apportion.records import convert
from apportion.records.documents import Document
from apportion.records.rights import Rights
from apportion.review.permission import Permission
from apportion.web import document as document_page
from apportion.web import document_view, explaining
from apportion.web.frame.page import Reach, Request, page
from apportion.web.words.figures import spoken

_ON_A_PAGE = 50
VIEWS = {
    "": _("Overview"),
    "working": _("How it was worked out"),
    "resources": _("Resources"),
    "days": _("By day"),
}


@dataclass(frozen=True, slots=True)
class Pager:
    """A page of many, for templates."""

    number: int
    pages: int
    first: int
    last: int
    count: int

    @property
    def previous(self) -> int:
        """The page before."""
        return self.number - 1

    @property
    def next(self) -> int:
        """The page after."""
        return self.number + 1


@page(Reach.OBJECT, Permission.SEE_DOCUMENTS)
def line(request: Request, document: int, line: int) -> HttpResponse:
    """One line, in the view that the address names."""
    row = document_page.found(request, document)
    paper = convert.paper(row)
    here = next((each for each in paper.lines if each.number == line), None)
    if here is None:
        raise NotFoundError(
            gettext("%s has no such line.") % row, advice=gettext("Open the document, and choose one of its lines.")
        )
    disputes = list(row.disputes.select_related("opened_by").order_by("-opened_at"))
    about = [each for each in disputes if each.line in {None, line}]
    now = document_page.standing(row, disputes)
    may = document_page.allowed(request, row, now)
    free = document_page.free_lines(row, paper, disputes, document_page.notes_of(request, row)) if may.dispute else ()
    view = document_view.view(row, paper, disputes=disputes, free=free)
    wanted = request.GET.get("view", "")
    sees_all = _sees_all(request.actor.rights, here)
    context = {
        "document": row,
        "view": view,
        "line": here,
        "shown": view.by_number[line],
        "disputes": about,
        "may": may,
        "views": _views(here, sees_all=sees_all),
        "wanted": wanted if wanted in VIEWS else "",
        "sees_all": sees_all,
        "comments": document_page.comments(row, line=line),
        "comment_form": document_page.CommentForm(),
        "before_number": line - 1 if line > 1 else None,
        "after_number": line + 1 if line < len(paper.lines) else None,
        "is_share": here.kind is PaperLineKind.SHARE,
        **_months(view, view.by_number[line]),
        **_below(request, row, here, wanted, sees_all=sees_all),
    }
    return render(request, "documents/line.html", context)


def _months(view: document_view.PaperView, shown: document_view.LineView) -> dict[str, object]:
    """Its twelve months, where more than one is known."""
    if sum(month is not None for month in shown.beside.months) < 2:
        return {"has_months": False}
    said = spoken()
    return {
        "has_months": True,
        "month_labels": [said.short_month(period) for period in view.periods],
        "month_rows": list(zip(view.periods, shown.beside.months, strict=True)),
    }


def _sees_all(rights: Rights, here: PaperLine) -> bool:
    """Whether resources are shown: one's own, or those of a pool to people who see the whole close."""
    return here.kind is PaperLineKind.DIRECT or rights.may(Permission.SEE_CLOSE)


def _views(here: PaperLine, *, sees_all: bool) -> list[tuple[str, object]]:
    if here.kind is PaperLineKind.ADJUSTMENT:
        return []
    return [(name, label) for name, label in VIEWS.items() if sees_all or name not in {"resources"}]


def _below(request: Request, row: Document, here: PaperLine, wanted: str, *, sees_all: bool) -> dict[str, object]:
    """What the wanted view shows; with `gone` instead where the charges behind the line are not there any more."""
    if wanted not in {"working", "resources", "days"} or (wanted == "resources" and not sees_all):
        return {}
    try:
        made = explaining.found(row, here)
        if wanted == "working":
            return {"steps": explaining.steps(made)}
        reference = explaining.reference(row, here)
        if wanted == "days":
            return _days(reference, here.billed_currency)
        number = _number(request)
        if token := request.GET.get("resource", ""):
            return _rows(reference, token, number, here.billed_currency)
        return _resources(reference, number, here.billed_currency)
    except explaining.GoneError as error:
        return {"gone": error}
    except NotFoundError:
        raise
    except ApportionError as error:
        return {"gone": error}


def _number(request: Request) -> int:
    text = request.GET.get("page", "1")
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < 7 else 1


def _minor(units: int | None, currency: str) -> int | None:
    """Units to the nearest minor unit, for reading; sums are shown exact."""
    return None if units is None else to_step(units, units_per_minor(currency))


def _resources(reference: str, number: int, currency: str) -> dict[str, object]:
    found = drill.resources(workspace(), reference, page=number, size=_ON_A_PAGE)
    rows = [
        {
            "each": each,
            "minor": _minor(each.part_units, currency),
            "whole": _minor(each.units, currency) if found.pools else None,
            "before": _minor(each.last_units, currency) if not found.pools else None,
            "change": _minor(each.part_units - each.last_units, currency)
            if each.last_units is not None and not found.pools
            else None,
            "quantity": _quantity(each.quantity),
            "unnamed": gettext("without a name"),
        }
        for each in found.resources
    ]
    return {
        "resources": rows,
        "pools": [
            {
                "pool": pool,
                "whole": _minor(pool.units, currency),
                "part": _minor(pool.part_units, currency),
                "share": explaining.exact_share(pool.fraction.numerator, pool.fraction.denominator),
            }
            for pool in found.pools
        ],
        "charges": found.rows,
        "pager": _pager(found.page, found.pages, found.size, found.count),
    }


def _quantity(units: int | None) -> str:
    """A quantity to three decimals."""
    if units is None:
        return ""
    step = ONE // 1000
    return plain(to_step(units, step) * step)


def _rows(reference: str, token: str, number: int, currency: str) -> dict[str, object]:
    found = drill.rows(workspace(), reference, token[:80], page=number, size=_ON_A_PAGE)
    pages = max(1, -(-found.count // found.size))
    return {
        "rows": [{"each": each, "amount": plain(each.units), "about": _about(each.columns)} for each in found.rows],
        "rows_sum": plain(found.units),
        "token": token,
        "pager": _pager(found.page, pages, found.size, found.count),
    }


def _about(columns: Mapping[str, str]) -> str:
    """What a row is for, in a line."""
    found = [columns.get(name, "") for name in ("ChargePeriodStart", "ChargeDescription", "SkuId")]
    return ", ".join(text for text in (found[0][:10], found[1] or found[2]) if text) or gettext("Its columns")


def _pager(number: int, pages: int, size: int, count: int) -> Pager:
    return Pager(number, pages, (number - 1) * size + 1, min(number * size, count), count)


def _days(reference: str, currency: str) -> dict[str, object]:
    found = drill.days(workspace(), reference)
    rows = [{"day": each.day, "charges": each.rows, "minor": _minor(each.part_units, currency)} for each in found]
    return {
        "days": rows,
        "day_values": [row["minor"] for row in rows],
        "day_labels": [str(each.day)[-2:] for each in found],
    }


urlpatterns = [path("documents/<int:document>/lines/<int:line>/", line, name="line")]
