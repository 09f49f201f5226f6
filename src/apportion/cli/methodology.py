"""``apportion methodology``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.arguments import OnlyPeriod
from apportion.cli.face import Face, shown_path

if TYPE_CHECKING:
    from apportion.methodology.document import Document
    from apportion.periods import BillingPeriod

VERSION = 1
FOLDER = "methodology"
FORMATS = ("html", "md", "pdf")


def _read_format(text: str) -> str:
    if text not in FORMATS:
        raise typer.BadParameter(f"'{text}' is not one of {', '.join(FORMATS)}.")
    return text


def run(
    face: Face,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            parser=_read_format,
            metavar="FORMAT",
            help="html, md or pdf; else what --out ends with, or html.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to write; else the folder methodology of the workspace."),
    ] = None,
    period: OnlyPeriod = None,
) -> None:
    """Write the policy as a document that people read: how cloud cost is charged, in plain words.

    Every rule is a sentence, every pool says what goes in, how it is shared and among whom, with small examples; at the
    beginning stands the digest that statements carry. With --period it is the policy that this period was allocated
    with, and the organization of that month; else the files of the workspace as they are now.
    The same policy gives the same file.

    \b
    Examples:
      apportion methodology
      apportion methodology --period 2026-10 --out how-we-charge.pdf
    """
    from apportion.invoice.export import write_files
    from apportion.warehouse import outside

    form = form or _ending(out) or FORMATS[0]
    path = out.absolute() if out is not None else _path(face, period, form)
    outside.require_outside(face.root(), path)
    document, digest = _document(face, period)
    write_files({path.name: _rendered(document, form)}, path.parent)
    face.give(
        {
            "document": "methodology",
            "version": VERSION,
            "file": str(path),
            "format": form,
            "period": str(period) if period is not None else None,
            "policy": document.subtitle,
            "policy_digest": digest,
            "sections": [section.title for section in document.sections],
        }
    )
    face.say(f"Written to {shown_path(path)}: {document.subtitle}, digest {digest[:12]}.")


def _ending(out: Path | None) -> str | None:
    """The format that a file name asks for; none without an ending. Raises `BadParameter` for that of another."""
    if out is None or not out.suffix:
        return None
    ending = out.suffix.removeprefix(".").lower()
    form = {"htm": "html", "markdown": "md"}.get(ending, ending)
    if form not in FORMATS:
        raise typer.BadParameter(
            f"'{out.name}' ends in none of {', '.join(FORMATS)}. Name another file, or say the --format."
        )
    return form


def _path(face: Face, period: BillingPeriod | None, form: str) -> Path:
    return face.root() / FOLDER / f"{period or 'methodology'}.{form}"


def _document(face: Face, period: BillingPeriod | None) -> tuple[Document, str]:
    """The document, and the digest of the policy that it is made from."""
    from apportion.close import run as runs
    from apportion.methodology.compiled import compiled

    if period is not None:
        settings, policy, organization = runs.frozen(face.workspace(), period)
    else:
        inputs = runs.read_inputs(face.root())
        settings, policy, organization = inputs.settings, inputs.policy, inputs.organization
    on = period if period is not None else datetime.now(UTC).date()
    made = compiled(policy, organization, on, company=settings.company, exchange=settings.exchange)
    return made, policy.digest


def _rendered(document: Document, form: str) -> bytes:
    from apportion.methodology.render import html, markdown, pdf

    if form == "pdf":
        return pdf.render(document)
    text = markdown.render(document) if form == "md" else html.render(document)
    return text.encode("utf-8")
