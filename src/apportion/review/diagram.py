"""The reference page of the review, made from the table of states, so that it cannot say anything else.

``python -m apportion.review.diagram docs/reference`` writes it anew; a test fails where it is not current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from apportion.review.dispute import REASON_WORDS, DisputeError
from apportion.review.permission import PERMISSIONS, Role
from apportion.review.settlement import SettlementError
from apportion.review.states import STATE_WORDS, TABLE, Act, Issue, Posting, Review, State, Transition

PAGE = "review.md"

_INTRO = """\
# The review

A document is in three states at once: whether it is out, what its recipient says, and whether it is in the ledger. One
table says which act moves which of them, who may do it and what must hold. Pages, API, timers and rights all go by it.
This page is made from it.

In showback nothing is ever posted, and that goes for a credit or debit note to somebody in showback as well. A voided
document has no way back, and its number is never used again: another document takes its place. What is wrong on a
posted document is put right by credit and debit notes. These are documents of their own, with the same three states.
"""

_TITLES: dict[type[State], str] = {
    Issue: "Is it out?",
    Review: "What does its recipient say?",
    Posting: "Is it in the ledger?",
}

_FIRST: dict[type[State], State] = {Issue: Issue.OPEN, Review: Review.NONE, Posting: Posting.UNPOSTED}

# What an act changes beside its own row (see `states.step`), for the diagram.
_CARRIED: tuple[tuple[State, Act, State], ...] = (
    (Review.NONE, Act.ISSUE, Review.AWAITING),
    *((state, Act.VOID, Review.NONE) for state in Review if state is not Review.NONE),
)

_ALSO = """\
*Second person*: whoever prepared it may not do it. What nobody has a right to is done by a timer, or as a step of
another act. Issuing a document also brings it from *not in review* to *awaiting review*; voiding it takes it out of
review.
"""

_DISPUTES = """\
## Disputes

A dispute is about one line, or about the whole document as far as it is in one currency. It says a reason, an
explanation, and the amount that should not be on the document: from zero (nobody knows yet) up to what remains of the
line after earlier credit notes; of a credit, from what remains of it up to zero. It can be raised while the document
awaits review, and beside another dispute until the review deadline. A line has at most one undecided dispute, and none
after one was decided. What was withdrawn can be raised again.

One person proposes the decision, another approves it, and neither of them raised the dispute. It is upheld, partly
upheld (more than nothing, less than what is claimed) or rejected; the latter two need a reason. Until then, those who
raised it can withdraw it. With the last open dispute gone, the document awaits review again, and its recipient has at
least `review.after_decision` working days.
"""

_SETTLEMENT = """\
## Where the money goes

What is upheld moves, and not a cent is lost or made: the moves cancel out on every line, so every provider invoice adds
up as before. It goes to another cost group; to the other recipients of the same pool on the same provider invoice, in
proportion of what they carry of it; or it is kept central, or left unallocated. A part of a whole document is taken
from its lines in proportion, by largest remainder.

A line that is stated in another currency than it was billed in moves in both. Taken whole, it takes the whole of both
amounts. Of a part, the billed amount is divided by the stated parts, and what remains stays. Recipients whose documents
are in the line's own currency take their part of the stated amount; the others take their part of the billed amount at
the rate that their own document was frozen with. What is kept central or unallocated is in the currency billed.

Before deciding, the counterfactual says whose bill would move by how much.

## Credit and debit notes

The disputing holder gets a credit note, and each cost group that takes a part a debit note; of a disputed credit it is
the other way round. What is kept central or unallocated has no note. Each line names the line that it is about
(`KES-1000-FY2026-000017:3`). A credit note never takes more of a line than remains of it; a full one takes exactly what
remains, so that a document and its notes come to zero. A note to somebody in showback says so and is never posted.

## Numbers

`KES-1000-FY2026-C-000017` is the prefix of the settings, the legal entity, the fiscal year, the kind of document and a
number that counts from 1 without gap in each such series:

| Kind | In chargeback | In showback |
|---|---|---|
| statement | | `S` |
| invoice | none | |
| credit note | `C` | `SC` |
| debit note | `D` | `SD` |

The fiscal year is that of the document's billing period, named for the calendar year that it ends in: where it starts
in April (`fiscal_year_starts: 4`), April 2026 to March 2027 is FY2027. Letters and digits of a legal entity's code
stand as they are, any other character as its code point in hexadecimal between underscores (`DE 01` is `DE_20_01`). No
entity is `0`, and one that is really called 0 is `_30_`. A draft has no number.
"""

_CLOSE = """\
## Deadlines

The review deadline is `review.days` working days after the day of issue, and that day itself still counts. Reminders go
out `review.remind` working days before. After it, silence is acceptance (`review.silence: accepts`), or it is escalated
`review.escalate` working days after (`escalates`). Of several that are due at once, because the timer was not running,
only the latest goes out.

## The calendar of a close

Each step is due so many working days after the end of the period: working day 1 is the first one of the next month.
Posting and sealing are never due before the review deadline. A step is *done*; or *blocked* by something; or *later*,
because a step before it is not done; or it *waits* for somebody; or it is *next*. See
[the settings](settings.md#close_calendar) for the days.

## Ready for chargeback?

Before a cost group moves from showback to chargeback, four measures are set against the thresholds of
[the settings](settings.md#readiness): how much of the company's cost has an owner, how much of the group's direct cost
carries its tags, how many months in a row passed without a dispute and with little change, and open disputes. Shares
are compared exactly; what is shown is rounded to millionths, and never up to a threshold that is not reached.
"""


def page() -> str:
    """The whole page."""
    sections = [_INTRO, "## States and acts\n", _table(TABLE), _ALSO]
    for dimension, title in _TITLES.items():
        sections += [f"## {title}\n", _diagram(dimension)]
    sections += ["## Roles\n", _roles(), _DISPUTES, _codes(), _SETTLEMENT, _CLOSE]
    return "\n".join(sections)


def _table(rows: Iterable[Transition]) -> str:
    lines = ["| From | Act | To | Right | Only if | It is told as |", "|---|---|---|---|---|---|"]
    for row in rows:
        right = f"`{row.permission}`" if row.permission else "nobody"
        person = ", second person" if row.second_person else ""
        needs = "; ".join(str(guard.__doc__) for guard in row.guards) or "–"
        states = [STATE_WORDS[row.before], f"`{row.act}`", STATE_WORDS[row.after]]
        lines.append(f"| {' | '.join(states)} | {right}{person} | {needs} | {row.sentence} |")
    return "\n".join(lines) + "\n"


def _diagram(dimension: type[State]) -> str:
    """One of the three states, as Mermaid draws it."""
    edges = [(row.before, row.act, row.after) for row in TABLE if isinstance(row.before, dimension)]
    edges = [*(edge for edge in _CARRIED if isinstance(edge[0], dimension)), *edges]
    lines = [f"    {state} : {STATE_WORDS[state]}" for state in dimension]
    lines.append(f"    [*] --> {_FIRST[dimension]}")
    lines += [f"    {before} --> {after} : {str(act).replace('_', ' ')}" for before, act, after in edges]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```", ""])


def _roles() -> str:
    used = {row.permission for row in TABLE if row.permission}
    lines = ["| Role | Acts of this table |", "|---|---|"]
    for role in Role:
        allowed = [row.act for row in TABLE if row.permission in PERMISSIONS[role] & used]
        lines.append(f"| {role} | {', '.join(f'`{act}`' for act in dict.fromkeys(allowed)) or '–'} |")
    return "\n".join(lines) + "\n"


def _codes() -> str:
    reasons = [f"| `{reason}` | {words} |" for reason, words in REASON_WORDS.items()]
    kinds = [
        kind
        for base in (DisputeError, SettlementError)
        for kind in (base, *sorted(base.__subclasses__(), key=lambda each: each.code))
    ]
    refusals = [f"| `{kind.code}` | {(kind.__doc__ or '').strip()} |" for kind in kinds]
    return "\n".join(["| Reason | Says |", "|---|---|", *reasons, "", "| Refusal | Of |", "|---|---|", *refusals, ""])


def write(directory: Path) -> None:
    """Write the page."""
    (directory / PAGE).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
