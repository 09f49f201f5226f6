"""The largest bill: Amazon Web Services, FOCUS 1.2, one invoice a month and one for marketplace products."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from apportion.demo import commitments
from apportion.demo.bill import Part, Workload, flat_line, parts, quantity_for, steps_line, tags_of, usage_columns
from apportion.demo.catalogue import AWS, Sku
from apportion.demo.commitments import Commitment, Use
from apportion.demo.line import CENTRAL, NOBODY, Line, Prices, billed_steps, percent_of, pool
from apportion.demo.numbers import drawn
from apportion.demo.story import LEGACY_ENDS, RETAGGED, Month

CURRENCY = "USD"
ISSUER = "Amazon Web Services EMEA SARL"
ISSUER_SHORT = "AWS EMEA SARL"  # how the first months spell it
DISCOUNT = 7  # percent, by agreement
PAYER = "210000000100"

_FRANKFURT, _STOCKHOLM = ("eu-central-1", "EU (Frankfurt)"), ("eu-north-1", "EU (Stockholm)")

ACCOUNTS: dict[str, tuple[str, tuple[str, str]]] = {
    "kestrel-management": (PAYER, _FRANKFURT),
    "shop-production": ("210000000101", _FRANKFURT),
    "shop-staging": ("210000000102", _FRANKFURT),
    "parcels-production": ("210000000103", _FRANKFURT),
    "rides-production": ("210000000104", _STOCKHOLM),
    "fleet-production": ("210000000105", _STOCKHOLM),
    "nordic-parcels-production": ("210000000106", _STOCKHOLM),
    "engineering-tools": ("210000000107", _FRANKFURT),
    "network-hub": ("210000000108", _FRANKFURT),
    "security-audit": ("210000000109", _FRANKFURT),
    "log-archive": ("210000000110", _FRANKFURT),
    "data-lake": ("210000000111", _FRANKFURT),
    "backup-vault": ("210000000112", _FRANKFURT),
    "cloud-foundation": ("210000000113", _FRANKFURT),
    "platform-engineering": ("210000000114", _FRANKFURT),
    "experiments": ("210000000115", _STOCKHOLM),
    "edge": ("210000000116", _FRANKFURT),
}

PROFILES: dict[str, Mapping[str, int]] = {
    "web": {"ec2": 420, "ebs": 80, "aurora": 240, "cloudfront": 160, "redis": 100},
    "service": {"ec2": 520, "ebs": 90, "dynamodb": 260, "sqs": 130},
    "stream": {"ec2": 380, "kinesis": 240, "dynamodb": 200, "s3": 180},
    "app": {"lambda": 480, "dynamodb": 340, "sqs": 180},
    "search": {"ec2": 380, "opensearch": 480, "ebs": 140},
    "legacy": {"ec2": 560, "ebs": 140, "aurora": 300},
    "small": {"ec2-small": 1000},
    "spare": {"ec2": 700, "ebs": 300},
    "builds": {"codebuild": 640, "s3": 360},
    "hub": {"gateway": 580, "direct": 420},
    "guard": {"guardduty": 620, "waf": 380},
    "logs": {"logs": 760, "metrics": 240},
    "lake": {"s3": 640, "glue": 360},
    "vault": {"backup": 1000},
    "landing": {"config": 450, "s3": 550},
    "edge": {"apigateway": 1000},
}

WORKLOADS = (
    Workload("storefront", "shop-production", 5400, "web", "peak"),
    Workload("search", "shop-production", 4200, "search", "peak"),
    Workload("checkout", "shop-production", 4700, "web", "peak", "typo=chekout"),
    Workload("catalogue", "shop-production", 3100, "service", "peak", "case"),
    Workload("recommendations", "shop-production", 2900, "stream", "peak", "typo=recomendations"),
    Workload("sellers", "shop-production", 2400, "app", "peak"),
    Workload(NOBODY, "shop-production", 1200, "spare", "peak", "none", "batch"),
    Workload("storefront", "shop-staging", 420, "small", "steady", "case", "storefront-staging"),
    Workload("search", "shop-staging", 310, "small", "steady", "", "search-staging"),
    Workload("checkout", "shop-staging", 380, "small", "steady", "", "checkout-staging"),
    Workload("routing", "parcels-production", 5200, "service", "peak", "bare"),
    Workload("sorting", "parcels-production", 6200, "legacy", "retired", "none", "legacy-wms"),
    Workload("sorting", "parcels-production", 2800, "stream", "growth"),
    Workload("tracking", "parcels-production", 3900, "search", "peak", "case"),
    Workload("returns", "parcels-production", 1800, "app", "peak", "application"),
    Workload("lockers", "parcels-production", 2200, "service", "growth", "typo=locker"),
    Workload(NOBODY, "parcels-production", 900, "spare", "peak", "unknown=tbd", "importer"),
    Workload("dispatch", "rides-production", 6100, "stream", "summer"),
    Workload("pricing", "rides-production", 3800, "service", "summer", "typo=surge-pricing"),
    Workload("driver-app", "rides-production", 2500, "app", "summer", "case"),
    Workload("rider-app", "rides-production", 2900, "web", "summer"),
    Workload("maps", "rides-production", 4300, "service", "growth", "bare"),
    Workload(NOBODY, "rides-production", 800, "app", "summer", "unknown=growth-squad", "campaign"),
    Workload("telematics", "fleet-production", 4800, "stream", "growth", "typo=telematic"),
    Workload("charging", "fleet-production", 1900, "app", "growth"),
    Workload("maintenance", "fleet-production", 1100, "service", "steady"),
    Workload("nordic-routing", "nordic-parcels-production", 1900, "service", "peak"),
    Workload("nordic-lockers", "nordic-parcels-production", 1100, "app", "growth", "case"),
    Workload("nordic-hubs", "nordic-parcels-production", 1300, "service", "peak", "application"),
    Workload(pool("developer-tools"), "engineering-tools", 3900, "builds", "growth", "none"),
    Workload(pool("network-backbone"), "network-hub", 4200, "hub", "growth", "none"),
    Workload(pool("security-tooling"), "security-audit", 2600, "guard", "growth", "none"),
    Workload(pool("observability"), "log-archive", 3400, "logs", "peak", "none"),
    Workload(pool("data-lake"), "data-lake", 4500, "lake", "growth", "none"),
    Workload(pool("backup"), "backup-vault", 1900, "vault", "growth", "none"),
    Workload(pool("cloud-foundation"), "cloud-foundation", 1500, "landing", "steady", "none"),
    Workload(pool("api-gateway"), "edge", 1400, "edge", "growth", "none"),
    Workload("platform-engineering", "platform-engineering", 900, "service", "steady"),
    Workload("site-reliability", "platform-engineering", 700, "app", "steady"),
    Workload("developer-experience", "platform-engineering", 600, "small", "steady"),
    Workload("security-team", "platform-engineering", 450, "small", "steady"),
    Workload("network-team", "platform-engineering", 380, "small", "steady"),
    Workload(NOBODY, "experiments", 1700, "spare", "growth", "none", "trial"),
    Workload("machine-learning", "experiments", 600, "small", "steady", "case", "notebooks"),
)

_PLAN = Commitment(
    "sp", "Compute Savings Plan, no upfront", "Savings Plan", "ec2", rate=2_800_000, units=1, first=0,
    covered_rate=165_600,
    uses=(
        Use("storefront", "shop-production", 230),
        Use("checkout", "shop-production", 210),
        Use("search", "shop-production", 190),
        Use("routing", "parcels-production", 150),
        Use("sorting", "parcels-production", 160, until=LEGACY_ENDS - 1),  # its servers go with the monolith
        Use("tracking", "parcels-production", 130, since=8),  # who took over what was left unused
    ),
)  # fmt: skip
_AURORA = Commitment(
    "ri-aurora", "Aurora reserved instances, all upfront", "Reserved Instance", "aurora", rate=219_000, units=6,
    first=0, upfront=1000,
    uses=(
        Use("storefront", "shop-production", 500),
        Use("sorting", "parcels-production", 330, until=LEGACY_ENDS - 1),
        Use("rider-app", "rides-production", 300, since=7),
    ),
)  # fmt: skip
_SEARCH = Commitment(
    "ri-search", "OpenSearch reserved instances, half upfront", "Reserved Instance", "opensearch", rate=130_000,
    units=4, first=6, upfront=500,
    uses=(Use("search", "shop-production", 520), Use("tracking", "parcels-production", 440)),
)  # fmt: skip
COMMITMENTS = (_PLAN, _AURORA, _SEARCH)


def lines(month: Month, seed: int) -> list[Line]:
    """Every line of the month's bill."""
    usage = [_usage_line(part, month) for part in parts(WORKLOADS, PROFILES, AWS, month, seed)]
    for commitment in COMMITMENTS:
        sku = AWS[commitment.sku_key]
        usage += commitments.lines(
            commitment, month, sku, DISCOUNT, CURRENCY, lambda use, sku, key: _covered(use, sku, key, month),
            {**_bill(month), **_account("kestrel-management"), **sku.columns()},
        )  # fmt: skip
    market = list(_marketplace(month))
    return [*usage, *_rest(usage, month), *market]


def _bill(month: Month) -> dict[str, str]:
    early = month.place < 2
    return {
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "InvoiceIssuerName": ISSUER_SHORT if early else ISSUER,
        "InvoiceId": f"EUINDE{month.period.year % 100}-{drawn(1_000_000, 9_999_999, 'aws invoice', month.place)}",
        "BillingAccountId": PAYER,
        "BillingAccountName": "Kestrel Group",
        "BillingAccountType": "Management Account",
    }


def _account(name: str) -> dict[str, str]:
    number, (region, region_name) = ACCOUNTS[name]
    return {
        "SubAccountId": number, "SubAccountName": name, "SubAccountType": "Member Account",
        "RegionId": region, "RegionName": region_name, "AvailabilityZone": f"{region}a",
    }  # fmt: skip


def _usage_line(part: Part, month: Month) -> Line:
    workload, sku = part.workload, part.sku
    account = _account(workload.account)
    contracted = sku.after_discount(DISCOUNT)
    service = sku.service.removeprefix("Amazon ").removeprefix("AWS ").replace(" ", "")
    kind, _, path = sku.path.partition(":")
    prefix = f"arn:aws:{kind}:{account['RegionId']}:{account['SubAccountId']}:{path}" if sku.path else ""
    staging = "staging" in workload.account
    return Line(
        key=part.key,
        intended=workload.owner,
        columns={
            **_bill(month), **account, **usage_columns(sku), "x_ServiceCode": service,
            "x_UsageType": f"EUC1-{sku.meter}",
        },
        quantity=quantity_for(part.aimed, contracted),
        prices=Prices.on_demand(sku.listed, contracted),
        first=month.start,
        hours=month.hours,
        tags=tags_of(part, "team", workload.owner, {
            "application": f"{workload.label}-api", "env": "staging" if staging else "production",
        }),
        weight=workload.budget * 2,
        resources=2 + part.place,
        resource_id=prefix,
        resource_name=f"{workload.label}-{part.sku_key}" if sku.path else "",
    )  # fmt: skip


def _covered(use: Use, sku: Sku, key: str, month: Month) -> Line:
    workload = Workload(use.owner, use.account, 700, "web", name="legacy-wms" if use.owner == "sorting" else "")
    part = Part(workload, f"{key}-covered", sku, 0, 0)
    return _usage_line(part, month)


def _rest(usage: list[Line], month: Month) -> Iterator[Line]:
    """What is not metered: support, tax, credits, a refund and a correction."""
    bill = {**_bill(month), **_account("kestrel-management")}
    support = {
        **bill, "ChargeCategory": "Purchase", "ChargeFrequency": "Recurring", "ServiceName": "AWS Support (Business)",
        "ServiceCategory": "Management and Governance", "ServiceSubcategory": "Support",
        "ChargeDescription": "Business support, 4.2 % of the month's usage",
    }  # fmt: skip
    yield steps_line("support", pool("support"), support, percent_of(billed_steps(usage), 42), month)
    other = {"ServiceCategory": "Other", "ServiceSubcategory": "Other (Other)"}
    tax = {**bill, **other, "ChargeCategory": "Tax", "ServiceName": "VAT", "ChargeDescription": "VAT, reverse charge"}
    yield flat_line("tax", CENTRAL, tax, 0, month)
    if month.place < 6:
        credit = {
            **bill, **other, "ChargeCategory": "Credit", "ServiceName": "AWS Credits",
            "ChargeDescription": "Migration programme credit",
        }  # fmt: skip
        yield flat_line("credit", pool("credits"), credit, -150_000, month)
    shop = {**_bill(month), **_account("shop-production")}
    if month.place == 1:
        refund = {
            **shop, **AWS["cloudfront"].columns(), "ChargeCategory": "Usage",
            "ChargeDescription": "Refund: data transfer charged twice on 28 November",
        }  # fmt: skip
        yield flat_line("refund", pool("refunds"), refund, -31_275, month)
    if month.place == RETAGGED:
        yield from _correction(shop, month)


def _correction(shop: dict[str, str], month: Month) -> Iterator[Line]:
    """Instances that carried the wrong team in April, moved with the bill for June; and a row that names nobody."""
    april = Month(RETAGGED - 2)
    columns = {
        **shop, **AWS["ec2"].columns(), "ChargeCategory": "Usage", "ChargeClass": "Correction",
    }  # fmt: skip
    for owner, cents, text in (("storefront", -124_050, "Removed"), ("search", 124_050, "Added")):
        moved = {**columns, "ChargeDescription": f"{text}: instances of April 2026, tag corrected"}
        line = flat_line(f"correction/{owner}", owner, moved, cents, month, tags={"team": owner})
        yield _charged_in(line, april)
    late = {**columns, "ChargeDescription": "Adjustment of April 2026, rounding of metered hours"}
    yield _charged_in(flat_line("correction/late", NOBODY, late, -8_640, month), april)


def _charged_in(line: Line, month: Month) -> Line:
    return replace(line, first=month.start, hours=month.hours)


def _marketplace(month: Month) -> Iterator[Line]:
    """Products of others, on an invoice of their own, with VAT."""
    bill = {
        **_bill(month),
        "InvoiceId": f"AWSMP{month.period.year % 100}-{drawn(100_000, 999_999, 'market', month.place)}",
    }
    watch = {
        **bill, **_account("log-archive"), "PublisherName": "Lumenwatch, Inc.", "ServiceName": "Lumenwatch Tracing",
        "ServiceCategory": "Management and Governance", "ServiceSubcategory": "Observability",
        "ChargeCategory": "Purchase", "ChargeFrequency": "Recurring",
        "ChargeDescription": "Lumenwatch Tracing, monthly contract",
    }  # fmt: skip
    tiles = {
        **bill, **_account("rides-production"), "PublisherName": "Routefinder AB",
        "ServiceName": "Routefinder Map Tiles", "ServiceCategory": "Other", "ServiceSubcategory": "Other (Other)",
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based", "ChargeDescription": "Routefinder Map Tiles, tiles served",
    }  # fmt: skip
    sold = [
        flat_line("market/watch", pool("marketplace-software"), watch, 240_000, month),
        flat_line(
            "market/tiles", "maps", tiles, drawn(90_000, 112_000, "tiles", month.place), month, tags={"team": "maps"}
        ),
    ]
    yield from sold
    vat = {
        **bill, **_account("kestrel-management"), "ChargeCategory": "Tax", "ServiceName": "VAT",
        "ServiceCategory": "Other", "ServiceSubcategory": "Other (Other)",
        "ChargeDescription": "VAT on marketplace products, 19 %",
    }  # fmt: skip
    yield steps_line("market/vat", CENTRAL, vat, percent_of(billed_steps(sold), 190), month)
