"""The documents that are measured are what the figures say: three pages, each different; and limits are judged."""

import io

import pytest
from pypdf import PdfReader

from apportion.invoice.papers.pdf import pdf
from bench import limits, report
from bench.meter import Meter
from bench.papers import LINES, paper, pdf_alone, pdf_floor, pdf_workers
from bench.results import Results


def test_a_measured_document_has_three_pages_and_a_number_of_its_own() -> None:
    first, second = pdf(paper(1)), pdf(paper(2))
    assert [len(PdfReader(io.BytesIO(content)).pages) for content in (first, second)] == [3, 3]
    assert first != second
    assert len(paper(1).lines) == LINES


def test_floor_and_documents_are_measured() -> None:
    floor, alone = Meter(), Meter()
    assert pdf_floor(floor, documents=2)["documents"] == pdf_alone(alone, documents=2)["documents"] == 2
    assert floor.cpu_s > 0
    assert alone.cpu_s > 0


@pytest.mark.slow
def test_documents_by_processes_are_measured_with_their_start() -> None:
    meter = Meter()
    facts = pdf_workers(meter, documents=4, workers=2)
    assert facts["documents"] == 4
    assert facts["a_second"] == round(4 / meter.wall_s, 1)


def test_documents_are_judged_by_their_floor_and_by_the_second() -> None:
    found = Results(1, 1, {"about": "", "versions": ""})
    for name, cpu, wall in (("papers floor", 4.0, 4.0), ("papers", 6.0, 6.0), ("papers by 2", 8.0, 12.0)):
        facts = {"documents": 200}
        found.add(name, {"cpu_s": cpu, "wall_s": wall, "peak_mb": 1.0, "parts": {}, "facts": facts})
    assert [(round(each.measured, 6), each.reached) for each in limits.verdicts(found)] == [
        (1.5, True),
        (60.0, False),
        (40.0, True),
    ]
    assert "| Statements of three pages as PDF, one process | " in report.figures(found)
    assert " 1.50 × |" in report.figures(found)
