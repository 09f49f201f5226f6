"""Printing documents: statements of three pages as PDF, and beside them the least that three pages cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from apportion.errors import ConservationError
from apportion.invoice.paper import (
    Change,
    MonthTotal,
    Paper,
    PaperBudget,
    PaperKind,
    PaperLine,
    PaperLineKind,
    Part,
    totals,
)
from apportion.invoice.papers.pdf import pdf, pdfs
from apportion.organization.coding import Coding
from apportion.organization.ownership import Owners
from bench.meter import Meter

LINES = 26
_PLAIN = b"""#set document(title: sys.inputs.d)
#set text(lang: "en")
= #sys.inputs.d
#table(
  columns: (1fr,) * 4, table.header[A][B][C][D],
  ..range(110).map(row => range(4).map(column => sys.inputs.d + " " + str(row * column))).flatten(),
)"""


def paper(number: int) -> Paper:
    """A statement of three pages, different for every number: direct and shared cost, a chart, a change, a budget."""
    lines = tuple(_line(place, number) for place in range(1, LINES + 1))
    found = totals(lines)
    before, usage = found[0].minor * 9 // 10, found[0].minor // 30
    after = found[0].minor
    parts = ((Part.PRICE, 1_200), (Part.USAGE, usage), (Part.NEW, after - before - usage - 1_200))
    return Paper(
        kind=PaperKind.STATEMENT,
        label=f"ST-2026-10-{number:04d}",
        statement=f"ST-2026-10-{number:04d}",
        company="Brightwater Group",
        period="2026-10",
        issued_on=date(2026, 11, 5),
        review_until=date(2026, 11, 19),
        holder="cost_group",
        code=f"cg-{number:04d}",
        name=f"Product team {number}",
        path=(("group", "Brightwater Group"), ("products", "Products"), (f"cg-{number:04d}", f"Product team {number}")),
        owners=Owners("finance@brightwater.example", f"tech-{number}@brightwater.example", "owner@brightwater.example"),
        coding=Coding("1000", f"{number:04d}", "D1", "600100"),
        cost_basis="billed",
        lines=lines,
        totals=found,
        policy_name="Brightwater 2026",
        policy_digest="ab" * 32,
        organization_digest="cd" * 32,
        snapshot_digest="ef" * 32,
        run_digest="01" * 32,
        changes=(Change("USD", before, after, parts),),
        history=tuple(MonthTotal(f"2026-{month:02d}", "USD", after - 30_000 * (10 - month)) for month in range(1, 10)),
        budgets=(PaperBudget("USD", 1_000_000),),
    )


def pdf_floor(meter: Meter, *, documents: int) -> dict[str, Any]:
    """The floor: the typesetter makes a plain table of three pages, tagged and to keep like ours."""
    import typst

    compiler = typst.Compiler(ignore_system_fonts=True)

    def made(number: int) -> bytes:
        found = compiler.compile(
            input=_PLAIN,
            format="pdf",
            sys_inputs={"d": f"Document {number}"},
            pdf_standards=["a-3a", "ua-1"],
            timestamp=0,
        )
        if not isinstance(found, bytes):
            raise TypeError("A PDF is one file.")
        return found

    _three_pages(made(0))
    with meter.running():
        sizes = [len(made(number)) for number in range(1, documents + 1)]
    return {"documents": documents, "kb": sum(sizes) // documents // 1000}


def pdf_alone(meter: Meter, *, documents: int) -> dict[str, Any]:
    """Documents one after the other in one process, its fonts read before."""
    papers = [paper(number) for number in range(1, documents + 1)]
    _three_pages(pdf(paper(0)))
    with meter.running():
        sizes = [len(pdf(each)) for each in papers]
    return {"documents": documents, "kb": sum(sizes) // documents // 1000}


def pdf_workers(meter: Meter, *, documents: int, workers: int) -> dict[str, Any]:
    """Documents by fresh processes, their start and end included, as when all of a month are wanted."""
    papers = [paper(number) for number in range(1, documents + 1)]
    with meter.running():
        made = list(_counted(pdfs(papers, workers=workers)))
    _three_pages(made[-1])
    return {"documents": len(made), "a_second": round(len(made) / meter.wall_s, 1)}


def _counted(made: Iterator[bytes]) -> Iterator[bytes]:
    for each in made:
        if not each.startswith(b"%PDF"):
            raise ConservationError("A document is no PDF.")
        yield each


def _three_pages(content: bytes) -> None:
    if b"/Type/Pages/Count 3/" not in content:
        raise ConservationError("A document that was measured has not three pages.")


def _line(place: int, number: int) -> PaperLine:
    shared = place > 21
    minor = 1_000 * place + 37 * number + (60_000 if place < 6 else 0)
    return PaperLine(
        number=place,
        kind=PaperLineKind.SHARE if shared else PaperLineKind.DIRECT,
        service=f"Nimbus Service {place // 3}",
        charge_category="Purchase" if place % 7 == 0 else "Usage",
        pool_id=f"pool-{place}" if shared else "",
        pool_name=f"Shared platform {place}" if shared else "",
        method="metered" if shared else "",
        reason=(
            f"Shared platform {place}: {number + place} of 98,210 CPU hours, as delivered by the platform team"
            if shared
            else f"By rule “Product {number} by tag”"
        ),
        invoice_issuer="Nimbus Cloud",
        invoice_id=f"NC-2026-10-{70 + place % 3}",
        billing_account_id="nimbus-main",
        billed_currency="USD",
        billed_minor=minor,
        currency="USD",
        minor=minor,
        rows=0 if shared else 100 * place + number,
    )
