"""The words for what a paper says in codes: kinds, notices, parts of a change, methods and charge categories."""

from __future__ import annotations

from apportion.invoice.paper import Paper, PaperKind, PaperLine, PaperLineKind, Part
from apportion.invoice.papers.content import Section
from apportion.invoice.papers.words import Words

_KINDS = {
    PaperKind.STATEMENT: "Statement (showback)",
    PaperKind.INVOICE: "Internal invoice",
    PaperKind.CREDIT_NOTE: "Credit note",
    PaperKind.DEBIT_NOTE: "Debit note",
}

_LINE_KINDS = {
    PaperLineKind.DIRECT: "Direct cost",
    PaperLineKind.SHARE: "Shared cost",
    PaperLineKind.ADJUSTMENT: "Adjustments",
}

PARTS = {
    Part.PRICE: ("Price", "the same resources at another unit price"),
    Part.USAGE: ("Usage", "the same resources, more or less of them"),
    Part.NEW: ("New resources", "resources that the month before did not have"),
    Part.GONE: ("Gone resources", "resources that this month does not have any more"),
    Part.POOL: ("Shared cost itself", "what is shared grew or fell"),
    Part.ALLOCATION: ("Allocation", "another share of it, or another rule"),
    Part.CORRECTION: ("Late corrections", "corrections of closed months"),
    Part.EXCHANGE: ("Rate of exchange", "the same amounts at another rate"),
    Part.ROUNDING: ("Rounding", "what settling to whole minor units leaves"),
}

_METHODS = {
    "even": "shared evenly",
    "fixed": "fixed shares",
    "proportional": "in proportion to cost",
    "metered": "by metered usage",
    "mixed": "by several bases",
    "priced": "at internal prices",
    "following": "follows other charges",
    "kept_central": "kept central",
    "commitment": "commitment",
    "uplift": "uplift",
}

_BASES = {
    "billed": "Billed cost: what the providers invoice for this period.",
    "effective": "Effective cost: a prepaid commitment counts when it is used.",
}


def kind(paper: Paper, words: Words) -> str:
    """What the document is: ``Internal invoice``, ``Credit note about KES-2026-000017``."""
    said = words.say(_KINDS[paper.kind])
    if not paper.about:
        return said
    about = words.say("about {label}", label=paper.about)
    return f"{said} {about}"


def title(paper: Paper, words: Words) -> str:
    """The document by kind, number and name, with the mark of a draft: for the window and for bookmarks."""
    draft = f" ({words.say('DRAFT')})" if paper.issued_on is None else ""
    return f"{words.say(_KINDS[paper.kind])} {paper.label}{draft} – {paper.name}"


def notices(paper: Paper, words: Words) -> list[str]:
    """What happens with the document, in the order in which a reader needs it."""
    said = []
    if paper.issued_on is None:
        said.append(words.say("Draft: not issued, and without effect. Names and amounts may still change."))
    showback = paper.kind is PaperKind.STATEMENT
    if showback:
        said.append(words.say("For information: nothing of it will be posted."))
    if paper.review_until is None:
        return said if showback else [*said, words.say("It will be posted to the ledger.")]
    day = words.day(paper.review_until)
    if showback:
        return [*said, words.say("Please say by {day} whether you agree, or which lines puzzle you.", day=day)]
    return [
        *said,
        words.say("Please accept it or dispute its lines by {day}.", day=day),
        words.say("Where the policy says so, silence after that day counts as acceptance."),
        words.say("Once it is accepted, it will be posted to the ledger."),
    ]


def heading(section: Section, paper: Paper, words: Words) -> str:
    """A section's name, with the currency where there are several."""
    what = line_kind(section.kind, words)
    if len(paper.totals) == 1:
        return what
    return words.say("{what} in {currency}", what=what, currency=section.currency)


def line_kind(of: PaperLineKind, words: Words) -> str:
    """``Direct cost``, ``Shared cost`` or ``Adjustments``."""
    return words.say(_LINE_KINDS[of])


def category(line: PaperLine, words: Words) -> str:
    """The FOCUS charge category in words; one that is not known stays as it is."""
    return words.say(line.charge_category)


def method(line: PaperLine, words: Words) -> str:
    """How a pool is shared in words; one that is not known stays as it is."""
    return words.say(_METHODS.get(line.method, line.method))


def basis(paper: Paper, words: Words) -> str:
    """The cost basis in a sentence; one that is not known stays as it is."""
    return words.say(_BASES.get(paper.cost_basis, paper.cost_basis))


def provider_document(line: PaperLine, words: Words) -> str:
    """``Invoice NC-2026-10-77``, or the billing account where the provider has given no number yet."""
    if line.invoice_id:
        return words.say("Invoice {number}", number=line.invoice_id)
    if line.billing_account_id:
        return words.say("Billing account {number}", number=line.billing_account_id)
    return ""


def charges(line: PaperLine, words: Words) -> str:
    """``4,120 charges``; nothing where no charges are counted."""
    if not line.rows:
        return ""
    return words.say("1 charge") if line.rows == 1 else words.say("{count} charges", count=words.count(line.rows))
