"""Documents that tests of several rooms print: a statement, an invoice in three currencies and a credit note."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any

from apportion.invoice.paper import (
    Change,
    Driver,
    MonthTotal,
    Paper,
    PaperBudget,
    PaperKind,
    PaperLine,
    PaperLineKind,
    Part,
    totals,
)
from apportion.organization.coding import Coding
from apportion.organization.ownership import Owners

MONTHS = ("2025-11", "2025-12", *(f"2026-{month:02d}" for month in range(1, 10)))
NASTY = "=1+2 #strong[x] <b>&amp;</b> $x$ \\u{41} *Vision* @ref // [k]"


def line(number: int, minor: int, **other: Any) -> PaperLine:
    """A line of direct cost in USD, changed by what is given."""
    plain = PaperLine(
        number=number,
        kind=PaperLineKind.DIRECT,
        service="Nimbus Compute",
        charge_category="Usage",
        pool_id="",
        pool_name="",
        method="",
        reason="By rule “Shop by tag”",
        invoice_issuer="Nimbus Cloud",
        invoice_id="NC-2026-10-77",
        billing_account_id="nimbus-main",
        billed_currency=other.get("currency", "USD"),
        billed_minor=minor,
        currency="USD",
        minor=minor,
        rows=4120,
    )
    return replace(plain, **other)


def share(number: int, minor: int, pool: str, method: str, reason: str, **other: Any) -> PaperLine:
    """A share of a pool in USD."""
    return line(
        number,
        minor,
        kind=PaperLineKind.SHARE,
        service=other.pop("service", "Nimbus Support"),
        pool_id=pool.split(maxsplit=1)[0].lower(),
        pool_name=pool,
        method=method,
        reason=reason,
        rows=0,
        **other,
    )


def paper(lines: tuple[PaperLine, ...], **other: Any) -> Paper:
    """An issued statement of October 2026 with these lines, changed by what is given."""
    plain = Paper(
        kind=PaperKind.STATEMENT,
        label="KES-2026-10-0004",
        statement="KES-2026-10-0004",
        company="Brightwater Group",
        period="2026-10",
        issued_on=date(2026, 11, 5),
        review_until=date(2026, 11, 19),
        holder="cost_group",
        code="shop",
        name="Web shop",
        path=(("group", "Brightwater Group"), ("retail", "Retail"), ("shop", "Web shop")),
        owners=Owners("lena.fischer@brightwater.example", "tom.adeyemi@brightwater.example", "mia@brightwater.example"),
        coding=Coding("1000", "0010", "D1", "600100"),
        cost_basis="billed",
        lines=lines,
        totals=totals(lines),
        policy_name="Brightwater 2026",
        policy_digest=sha256(b"policy").hexdigest(),
        organization_digest=sha256(b"organization").hexdigest(),
        snapshot_digest=sha256(b"snapshot").hexdigest(),
        run_digest=sha256(b"run").hexdigest(),
    )
    return replace(plain, **other)


def statement() -> Paper:
    """Showback of three pages: direct and shared cost, a late correction and a converted line."""
    services = (
        ("Nimbus Compute", (412_077, 88_415, 20_391, -25_000)),
        ("Nimbus Storage", (87_110, 14_522, 3_907)),
        ("Nimbus Database", (151_840, 62_033)),
        ("Nimbus Network", (23_418, 9_950, 1_204)),
        ("Nimbus Search", (64_033, 4_216)),
        ("Nimbus Queue", (7_725, 1_190)),
        ("Nimbus Monitoring", (18_866, 2_431)),
        ("Nimbus Functions", (11_842, 3_380)),
        ("", (-4_501,)),
    )
    rules = ("Shop by tag", "Shop by sub account", "Checkout by resource name", "Data platform by tag")
    lines = [(service, minor, place) for service, amounts in services for place, minor in enumerate(amounts)]
    made = [
        line(
            number,
            minor,
            service=service,
            charge_category="Credit" if minor < 0 else ("Usage", "Usage", "Purchase", "Usage")[place],
            reason=f"By rule “{rules[place]}”",
            invoice_id=("NC-2026-10-77", "NC-2026-10-78", "", "NC-2026-10-77")[place],
            rows=1 if minor < 0 else 4120 // (place + 1),
        )
        for number, (service, minor, place) in enumerate(lines, start=1)
    ]
    made[3] = replace(
        made[3],
        corrects="2026-08",
        charge_category="Usage",
        reason=(
            "Correction of August 2026: by rule “Shop by tag”, as the policy was then; "
            "corrects statement ST-2026-08-0004"
        ),
    )
    made[6] = replace(
        made[6],
        billed_currency="EUR",
        billed_minor=3_600,
        invoice_issuer="Hoshi Europe GmbH",
        rate=("1 EUR = 1.0852 USD, 2026-10-30, eurofxref.csv"),
    )
    count = len(made)
    made += [
        share(
            count + 1,
            18_320,
            "Enterprise support",
            "proportional",
            "Enterprise support: your direct cost 9,567.58 USD of 24,401.10 USD in total",
            charge_category="Purchase",
        ),
        share(count + 2, 21_554, "Taxes", "even", "Taxes: one of 2 equal parts", service="", charge_category="Tax"),
        share(
            count + 3,
            44_999,
            "Platform team",
            "fixed",
            "Platform team: 45 % of 999.99 USD, as agreed",
            service="Nimbus Kubernetes",
        ),
        share(
            count + 4,
            12_730,
            "Platform team",
            "metered",
            "Platform team: 1,250 of 98,210 CPU hours; not by requests, because no usage of 'requests' was delivered",
            service="Nimbus Registry",
        ),
        share(
            count + 5,
            -3_007,
            "Savings plan",
            "commitment",
            "Savings plan: one rate for all eligible usage: 812.00 USD to carry, where the provider applied 842.07 USD",
            service="Nimbus Compute",
        ),
    ]
    total = sum(each.minor for each in made)
    amounts = (702_110, 731_404, 718_877, 760_020, 801_951, 799_140, 845_332, 861_007, 910_415, 955_870, 972_316)
    before = amounts[-1]
    parts = (
        (Part.PRICE, 14_208),
        (Part.USAGE, 39_411),
        (Part.NEW, 64_033),
        (Part.GONE, -18_002),
        (Part.POOL, 8_940),
        (Part.ALLOCATION, -3_112),
        (Part.CORRECTION, -25_000),
        (Part.EXCHANGE, 77),
    )
    rest = total - before - sum(minor for _, minor in parts)
    return paper(
        tuple(made),
        changes=(
            Change(
                "USD",
                before,
                total,
                (*parts, (Part.ROUNDING, rest)),
                (
                    Driver(Part.NEW, "Nimbus Search · domain product-search-eu", 58_811),
                    Driver(Part.NEW, "Nimbus Search · arn:nimbus:search:eu-1:4471:index/catalogue-2026-autumn", 5_222),
                    Driver(Part.USAGE, "Nimbus Compute · checkout-api", 31_250),
                    Driver(Part.GONE, "Nimbus Database · orders-replica-2", -18_002),
                ),
            ),
        ),
        history=tuple(MonthTotal(month, "USD", minor) for month, minor in zip(MONTHS, amounts, strict=True)),
        budgets=(PaperBudget("USD", 1_000_000),),
    )


def invoice() -> Paper:
    """Chargeback in yen, dollars and dinars: 0, 2 and 3 decimals, other scripts, and text that looks like code."""
    lines = (
        line(1, 296_025, service="Nimbus GPU", reason="By rule “Labs by sub account”"),
        line(
            2,
            150_401,
            currency="JPY",
            service="Hoshi Render",
            invoice_issuer="Hoshi K.K.",
            invoice_id="",
            billing_account_id="hoshi-tokyo",
            rows=9,
        ),
        line(
            3, 1_234_567, currency="KWD", service=NASTY, invoice_issuer="Gulf Cloud W.L.L.", invoice_id="GC/2026/1009"
        ),
        line(
            4,
            -45_006,
            currency="KWD",
            service=NASTY,
            charge_category="Credit",
            reason="By rule “<script>alert(1)</script>”",
        ),
        share(
            5,
            1_000,
            "Platform team",
            "fixed",
            "Platform team: 20 % of 5,000 JPY",
            currency="JPY",
            invoice_issuer="Hoshi K.K.",
            service="Hoshi Kubernetes",
        ),
        share(
            6,
            9_344,
            "Enterprise support",
            "proportional",
            "Enterprise support: your direct cost 2,960.25 USD of 4,922.21 USD",
        ),
    )
    return paper(
        lines,
        kind=PaperKind.INVOICE,
        label="BLK-2026-000017",
        statement="KES-2026-10-0007",
        code="vision",
        name="Vision & Ωmega Łódź – Forschungs- und Entwicklungsabteilung für Bildverarbeitung",
        path=(("group", "Brightwater Group"), ("labs", "Brightwater Labs KK"), ("vision", "Vision & Ωmega Łódź")),
        owners=Owners("finance+labs@brightwater.example", "", "=cmd|'/c calc'!A1"),
        coding=Coding("2000", "0300", "", "600150"),
        cost_basis="effective",
        changes=(
            Change("USD", 280_000, 305_369, ((Part.USAGE, 16_025), (Part.POOL, 9_344))),
            Change("JPY", 151_401, 151_401, ()),
        ),
        history=(
            *(MonthTotal(month, "USD", 180_000 + 9_000 * place) for place, month in enumerate(MONTHS)),
            *(MonthTotal(month, "JPY", 90_000 * (-1) ** place) for place, month in enumerate(MONTHS)),
        ),
        budgets=(PaperBudget("JPY", 140_000), PaperBudget("USD", 305_369)),
    )


def credit_note() -> Paper:
    """What an upheld dispute gives back."""
    lines = (
        line(
            1,
            -58_811,
            kind=PaperLineKind.ADJUSTMENT,
            service="Nimbus Search",
            charge_category="Adjustment",
            rows=0,
            reason="Dispute upheld: the domain belongs to the data platform",
            of_line="BLK-2026-000017:3",
        ),
        line(
            2,
            -1_170,
            kind=PaperLineKind.ADJUSTMENT,
            service="Nimbus Support",
            charge_category="Adjustment",
            rows=0,
            reason="Its part of enterprise support",
            of_line="BLK-2026-000017:6",
        ),
    )
    return paper(
        lines,
        kind=PaperKind.CREDIT_NOTE,
        label="BLK-2026-000021",
        statement="",
        issued_on=date(2026, 11, 17),
        review_until=None,
        about="BLK-2026-000017",
        note="The search domain was tagged with the wrong team from 3 October; see the dispute of line 3.",
        run_digest="",
    )


PAPERS = {"statement": statement, "invoice": invoice, "credit-note": credit_note}
