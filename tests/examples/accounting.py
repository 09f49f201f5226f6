"""The accounting examples of the general ledger: one company's accounts, and the entries of each example.

Source: our own worked examples S and A to J, and W13 and W14. Debits are above zero, EUR where nothing else is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from apportion.allocate.rule import UNALLOCATED, Holder, Target
from apportion.invoice.paper import PaperTotal
from apportion.ledger.account import LedgerAccount
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.money.currency import minor_text
from apportion.organization.coding import Coding
from apportion.periods import BillingPeriod
from apportion.post import accrual, foreign, intercompany, prepaid, provider_credit, remainder, rounding
from apportion.post.document import DocumentLine, PostableDocument
from apportion.post.journal import Journal, NotPosted, journal, of_entries
from apportion.post.mapping import PostingAccounts
from apportion.post.passing_on import Head, Share, pass_on
from apportion.post.showback import showback
from apportion.post.tax import Tax
from apportion.post.voucher import ProviderBill, voucher

OCTOBER = BillingPeriod(2026, 10)
END, FIRST, FIFTH = date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 5)

ACCOUNTS = PostingAccounts(
    payer=Coding("1000", "9900", "", "600100"),
    transferred_out="600199",
    intercompany_receivable="140000",
    intercompany_payable="160000",
    rounding="699900",
    payables="330000",
    accrued="339000",
    prepaid="190000",
    input_tax="157700",
    output_tax="177700",
    intercompany_revenue="820000",
    intercompany_expense="600150",
    intercompany_input_tax="157600",
    intercompany_output_tax="177600",
    exchange_gain="266000",
    exchange_loss="216000",
    statistical="950100",
    suspense_cost_center="9990",
    elimination_company="ELIM",
)

USAGE = (("0010", 5123711), ("0020", 3011107), ("0030", 1865182))
REVERSE = Tax("19", "RC19", reverse_charge=True)
GERMAN = Tax("19", "V19")
COMMITMENT = prepaid.Commitment("RI-7", "Reserved instances", date(2026, 10, 15), date(2027, 10, 14), "EUR", 12_000_00)


def center(code: str) -> LedgerAccount:
    return LedgerAccount("1000", "600100", code)


def by_usage() -> list[Share]:
    return [Share(center(code), weight) for code, weight in USAGE]


def head(entry_id: str, day: date, text: str = "Example") -> Head:
    return Head(entry_id, day, day, text)


def document(count: int, code: str, minor: int, *, showback: bool = False) -> PostableDocument:
    return PostableDocument(
        number=f"KES-1000-FY2026-{count:06d}",
        period=OCTOBER,
        holder=Target(Holder.COST_GROUP, code),
        name=f"Team {code}",
        coding=Coding("1000", code, "", "600100"),
        totals=(PaperTotal("EUR", minor, minor, 0),),
        policy_digest="p",
        organization_digest="o",
        snapshot_digest="s",
        lines=(DocumentLine(1, "Compute", "Usage", "EUR", minor, "Compute"),),
        is_showback=showback,
    )


def documents(*, showback: bool = False) -> list[PostableDocument]:
    amounts = (512371, 301111, 186518)
    return [
        document(count, code, minor, showback=showback)
        for count, ((code, _), minor) in enumerate(zip(USAGE, amounts, strict=True), start=1)
    ]


def s_showback() -> Journal:
    counted = showback(documents(showback=True), "S-1", ACCOUNTS)
    return of_entries(OCTOBER, (), [counted] if counted else [])


def a_voucher() -> Entry:
    bill = ProviderBill("Nimbus", "N-77", FIFTH, "EUR", ((10_000_00, REVERSE),))
    return voucher(bill, "A-1", FIFTH, ACCOUNTS)


def b_transfer() -> Journal:
    return journal(documents(), ACCOUNTS)


def c_accrual() -> list[Entry]:
    accrued = accrual.accrue(OCTOBER, [accrual.Expected("N-77", "EUR", 9_850_00, "Nimbus")], "C-1", ACCOUNTS)
    bill = ProviderBill("Nimbus", "N-77", FIFTH, "EUR", ((10_000_00, None),))
    true_up = accrual.true_up(
        head("C-4", date(2026, 11, 30), "True-up 2026-10"), 9_850_00, 10_000_00, "EUR", by_usage(), ACCOUNTS
    )
    return [
        accrued,
        accrual.reverse(accrued),
        voucher(bill, "C-3", FIFTH, ACCOUNTS),
        *([true_up] if true_up else []),
    ]


def d_shares() -> list[Share]:
    return [Share(center("0010"), 60), Share(center("0020"), 25), Share(center("9900"), 15, "unused")]


def d_prepaid() -> list[Entry]:
    found = [
        prepaid.purchase(COMMITMENT, "D-1", date(2026, 10, 15), ACCOUNTS),
        prepaid.amortise(COMMITMENT, OCTOBER, d_shares(), "D-2", ACCOUNTS),
    ]
    return [each for each in found if each]


def e_credit() -> list[Entry]:
    bill = ProviderBill("Nimbus", "N-78C", FIFTH, "EUR", ((-250_00, None),))
    passed = provider_credit.credit(
        head("E-2", FIFTH), -250_00, "EUR", provider_credit.CreditGoes.PASSED_ON, by_usage(), ACCOUNTS
    )
    return [voucher(bill, "E-1", FIFTH, ACCOUNTS), *([passed] if passed else [])]


def f_intercompany(tax: Tax | None = GERMAN) -> Entry:
    amounts = intercompany.charged(1_000_00, "5", tax)
    buyer = LedgerAccount("2000", "600100", "0300")
    return intercompany.charge(head("F-1", END, "Cloud cost 2026-10"), amounts, "EUR", buyer, ACCOUNTS)


def f_elimination() -> Entry:
    return intercompany.eliminate(head("F-2", END, "Elimination 2026-10"), [f_intercompany()], ACCOUNTS)


def dollars(rate: str, day: date) -> foreign.Quote:
    """What the European Central Bank quotes: one EUR in USD."""
    return foreign.Quote("EUR", rate, day, "ECB", inverted=True)


def h_bill() -> Entry:
    bill = ProviderBill("Nimbus", "N-90", END, "USD", ((11_000_00, None),))
    return foreign.in_own_currency(
        voucher(bill, "H-1", END, ACCOUNTS), {("1000", "USD"): dollars("1.1000", END)}, ACCOUNTS
    )


def h_payment() -> Entry:
    bank = LedgerAccount("1000", "180000")
    return foreign.settle(
        head("H-2", FIFTH, "Payment N-90"), h_bill().postings[-1], bank, dollars("1.0800", FIFTH), ACCOUNTS
    )


def h_cent(account: str = "") -> Entry:
    parts = (3_333_33, 3_333_33, 3_333_34)
    entry = head("H-3", END).entry(
        EntryKind.VOUCHER,
        [
            *(Posting.at(center(code), "USD", minor, "Part") for (code, _), minor in zip(USAGE, parts, strict=True)),
            Posting.at(ACCOUNTS.at("payables"), "USD", -10_000_00, "All"),
        ],
    )
    accounts = replace(ACCOUNTS, exchange_rounding=account)
    return foreign.in_own_currency(entry, {("1000", "USD"): dollars("1.0873", END)}, accounts)


def i_rounding() -> Entry:
    """Three lines of a third of 100.00 each, rounded on their own: a cent is missing."""
    lines = [Posting.at(center(code), "EUR", 33_33, "A third") for code, _ in USAGE]
    contra = Posting.at(ACCOUNTS.contra, "EUR", -100_00, "All")
    return head("I-1", END).entry(EntryKind.ROUNDING, rounding.rounded([*lines, contra], ACCOUNTS))


@dataclass(frozen=True)
class Stays:
    rows: tuple[NotPosted, ...] = (
        NotPosted("ST-2026-10-0004", UNALLOCATED.holder, "EUR", 120_00, "nobody owns this cost yet"),
        NotPosted("ST-2026-10-0005", Holder.KEPT_CENTRAL, "EUR", 80_00, "the policy keeps this cost"),
    )


def j_suspense() -> Entry | None:
    return remainder.set_apart(head("J-1", END, "Unallocated 2026-10"), Stays().rows, ACCOUNTS)


def passed_on(minor: int) -> list[int]:
    entry = pass_on(head("X", END), EntryKind.TRUE_UP, minor, "EUR", by_usage(), ACCOUNTS.contra)
    return [posting.amount_minor for posting in entry.postings]


def months() -> list[prepaid.Instalment]:
    return list(prepaid.schedule(COMMITMENT))


def amortisations() -> list[Entry]:
    """The whole life of the commitment of W14, month by month."""
    found = [
        prepaid.amortise(COMMITMENT, month.period, d_shares(), f"W-{month.period}", ACCOUNTS) for month in months()
    ]
    return [each for each in found if each]


def every_journal() -> dict[str, Journal]:
    """The journal of each example, for the judges: hledger, beancount, and our own exact check."""
    suspense = j_suspense()
    return {
        "S": s_showback(),
        "A": of_entries(OCTOBER, [a_voucher()]),
        "B": b_transfer(),
        "C": of_entries(OCTOBER, c_accrual()),
        "D": of_entries(OCTOBER, d_prepaid()),
        "E": of_entries(OCTOBER, e_credit()),
        "F": of_entries(OCTOBER, [f_intercompany(), f_elimination()]),
        "G": of_entries(OCTOBER, [g_tax()]),
        "H": of_entries(OCTOBER, [h_bill(), h_payment(), h_cent()]),
        "I": of_entries(OCTOBER, [i_rounding()]),
        "J": of_entries(OCTOBER, [suspense] if suspense else []),
        "W14": of_entries(OCTOBER, [d_prepaid()[0], *amortisations()]),
    }


def g_tax() -> Entry:
    bill = ProviderBill("Nimbus", "N-91", END, "EUR", ((10_03, GERMAN), (10_03, GERMAN), (10_03, GERMAN)))
    return voucher(bill, "G-1", END, ACCOUNTS)


def shown(name: str) -> str:
    """The entries of an example as a table of docs/reference/journal.md."""
    own = any(posting.local for entry in every_journal()[name].entries for posting in entry.postings)
    columns = ["Day", "Company", "Account", "Cost center", "Amount", *(["In EUR"] if own else [])]
    lines = ["| " + " | ".join(columns) + " |", "|---|---|---|---|--:|" + "--:|" * own]
    for entry in every_journal()[name].entries:
        for each in entry.postings:
            amount = f"{minor_text(each.amount_minor, each.currency)} {each.currency}"
            cells = [str(entry.posting_on), each.company, each.account, each.cost_center, amount]
            if own:
                cells.append(minor_text(each.local.amount_minor, each.local.currency) if each.local else "")
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines).replace("|  |", "| |") + "\n"
