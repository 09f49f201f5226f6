"""``apportion e-invoice``: the files of one document between two companies of the group."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

import typer

from apportion.cli import site
from apportion.cli.face import Face, shown_path
from apportion.cli.statements import Out, folder
from apportion.errors import NotFoundError

VERSION = 1
FOLDER = "e-invoices"


def run(
    face: Face,
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="The number of an issued document.", show_default=False)
    ],
    out: Out = None,
    locale: Annotated[
        str, typer.Option("--locale", metavar="LOCALE", help="In which language the PDF is, such as de.")
    ] = "en",
    acting: site.As = "",
) -> None:
    """Write the e-invoice of a document.

    As Factur-X (a PDF for people, with XML for machines inside) and as UBL for Peppol, for an invoice or note that goes
    to another company of the group; a document in several currencies gives both for each. Every file is checked by the
    rules of EN 16931 before it is written. What is missing is listed all at once, and then there is no file.

    They go to e-invoices/PERIOD in the workspace unless --out says otherwise. Nothing is changed in the books.

    \b
    Examples:
      apportion e-invoice KES-2026-000017 --as ada@example.com
      apportion e-invoice KES-2026-000017 --locale de --out /tmp/out --as ada@example.com
    """
    place = site.boot(face)
    from apportion.actions.post import e_invoices
    from apportion.invoice.export import write_files
    from apportion.periods import BillingPeriod
    from apportion.records import reach

    actor = site.actor(acting)
    row = reach.documents(actor.rights).filter(label=number.strip()).first()
    if row is None:
        raise NotFoundError(
            f"There is no issued document {number} for you.", advice="Look for its number on its page or in its PDF."
        )
    made = e_invoices.files(actor, row.pk, locale)
    directory = folder(place, FOLDER, BillingPeriod.parse(row.period), out)
    written = write_files(made, directory)
    face.give(
        {
            "document": "e_invoice",
            "version": VERSION,
            "number": str(row),
            "period": row.period,
            "directory": str(directory),
            "files": [
                {"name": path.name, "bytes": len(made[path.name]), "sha256": sha256(made[path.name]).hexdigest()}
                for path in written
            ],
        }
    )
    face.say(f"Written to {shown_path(directory)}:")
    for path in written:
        face.say(f"  {path.name}")
    face.say("Every rule of EN 16931 that was run holds.")
