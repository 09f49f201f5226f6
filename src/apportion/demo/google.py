"""Google Cloud: the data teams, FOCUS 1.4 with its invoice lines, rounded to whole cents by a row of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from apportion.demo import commitments
from apportion.demo.bill import Part, Workload, flat_line, parts, quantity_for, steps_line, tags_of, usage_columns
from apportion.demo.catalogue import GOOGLE, Sku
from apportion.demo.commitments import Commitment, Use
from apportion.demo.line import CENT_STEPS, NOBODY, Line, Prices, billed_steps, percent_of, pool
from apportion.demo.numbers import drawn
from apportion.demo.story import LATE_USAGE, Month
from apportion.money.split import to_step

CURRENCY = "USD"
ISSUER = "Google Cloud EMEA Limited"
DISCOUNT = 6
BILLING_ACCOUNT = "01A2B3-C4D5E6-F70819"

_FRANKFURT, _HAMINA = ("europe-west3", "Frankfurt"), ("europe-north1", "Finland")

PROJECTS: dict[str, tuple[str, str]] = {
    "kestrel-data-platform": _FRANKFURT,
    "kestrel-analytics": _FRANKFURT,
    "kestrel-ml-training": _FRANKFURT,
    "kestrel-ml-serving": _FRANKFURT,
    "kestrel-shared-lake": _FRANKFURT,
    "kestrel-maps": _HAMINA,
    "kestrel-mobility-data": _HAMINA,
    "kestrel-playground": _FRANKFURT,
}

PROFILES: dict[str, Mapping[str, int]] = {
    "warehouse": {"query": 520, "warehouse": 230, "run": 130, "pubsub": 120},
    "reports": {"query": 760, "warehouse": 240},
    "training": {"vertex": 640, "storage": 120, "compute": 240},
    "serving": {"predict": 720, "run": 280},
    "cluster": {"compute": 700, "disk": 300},
    "lake": {"storage": 560, "warehouse": 440},
}

WORKLOADS = (
    Workload("data-platform", "kestrel-data-platform", 7200, "warehouse", "growth"),
    Workload("analytics", "kestrel-analytics", 5200, "reports", "peak", "bare"),
    Workload("machine-learning", "kestrel-ml-training", 5400, "training", "growth", "typo=ml"),
    Workload("recommendations", "kestrel-ml-serving", 2600, "serving", "peak"),
    Workload("search", "kestrel-ml-serving", 1900, "serving", "peak", "case"),
    Workload("assistants", "kestrel-ml-serving", 2400, "serving", "launched"),
    Workload("maps", "kestrel-maps", 2800, "cluster", "growth"),
    Workload("telematics", "kestrel-mobility-data", 2100, "warehouse", "growth", "typo=telematic"),
    Workload("pricing", "kestrel-mobility-data", 1500, "reports", "summer"),
    Workload(pool("data-lake"), "kestrel-shared-lake", 2600, "lake", "growth", "none"),
    Workload(NOBODY, "kestrel-playground", 900, "cluster", "growth", "none", "playground"),
    Workload(NOBODY, "kestrel-ml-serving", 500, "serving", "growth", "unknown=hackathon", "hackathon"),
)

COMMITMENT = Commitment(
    "cud", "Compute flexible commitment", "Flexible Committed Use Discount", "compute", 1_900_000, 1, 0,
    (Use("data-platform", "kestrel-data-platform", 520), Use("machine-learning", "kestrel-ml-training", 430)),
    covered_rate=30_100,
)  # fmt: skip


def lines(month: Month, seed: int) -> list[Line]:
    """Every line of the month's bill; the last one rounds it to whole cents."""
    usage = [_usage_line(part, month) for part in parts(WORKLOADS, PROFILES, GOOGLE, month, seed)]
    usage += commitments.lines(
        COMMITMENT, month, GOOGLE["compute"], DISCOUNT, CURRENCY, lambda use, sku, key: _covered(use, sku, key, month),
        {**_bill(month), **_project("kestrel-shared-lake"), **GOOGLE["compute"].columns()},
    )  # fmt: skip
    bill = [*usage, *_rest(usage, month)]
    return [*bill, _rounding(bill, month)]


def _bill(month: Month) -> dict[str, str]:
    invoice_id = f"{drawn(5_000_000_000, 5_999_999_999, 'google invoice', month.place)}"
    return {
        "ServiceProviderName": "Google Cloud",
        "HostProviderName": "Google Cloud",
        "InvoiceIssuerName": ISSUER,
        "InvoiceId": invoice_id,
        "BillingAccountId": BILLING_ACCOUNT,
        "BillingAccountName": "Kestrel Group",
        "BillingAccountType": "Billing Account",
    }


def _project(name: str) -> dict[str, str]:
    region, region_name = PROJECTS[name]
    return {
        "SubAccountId": name, "SubAccountName": name, "SubAccountType": "Project",
        "RegionId": region, "RegionName": region_name, "AvailabilityZone": f"{region}-b",
    }  # fmt: skip


def _usage_line(part: Part, month: Month) -> Line:
    workload, sku = part.workload, part.sku
    contracted = sku.after_discount(DISCOUNT)
    api, _, kind = sku.path.partition("/")
    return Line(
        key=part.key,
        intended=workload.owner,
        columns={
            **_bill(month), **_project(workload.account), **usage_columns(sku),
        },
        quantity=quantity_for(part.aimed, contracted),
        prices=Prices.on_demand(sku.listed, contracted),
        first=month.start,
        hours=month.hours,
        tags=tags_of(part, "cost_group", workload.owner, {"service": workload.label}),
        weight=workload.budget * 2,
        resources=1 + part.place,
        resource_id=f"//{api}.googleapis.com/projects/{workload.account}/{kind}/{workload.label}-",
        resource_name=f"{workload.label}-{part.sku_key}",
    )  # fmt: skip


def _covered(use: Use, sku: Sku, key: str, month: Month) -> Line:
    return _usage_line(Part(Workload(use.owner, use.account, 600, "cluster"), f"{key}-covered", sku, 0, 0), month)


def _rest(usage: list[Line], month: Month) -> Iterator[Line]:
    """Support, a credit for half a year, and usage of July that came with the bill for August."""
    bill = {**_bill(month), **_project("kestrel-shared-lake")}
    support = {
        **bill, "ChargeCategory": "Purchase", "ChargeFrequency": "Recurring", "ServiceName": "Cloud Support",
        "ServiceCategory": "Management and Governance", "ServiceSubcategory": "Support",
        "ChargeDescription": "Enhanced support, 3 % of the month's usage",
    }  # fmt: skip
    yield steps_line("support", pool("support"), support, percent_of(billed_steps(usage), 30), month)
    if 3 <= month.place < 9:
        credit = {
            **bill, "ChargeCategory": "Credit", "ServiceName": "Promotion", "ServiceCategory": "Other",
            "ServiceSubcategory": "Other (Other)", "ChargeDescription": "Data migration incentive",
        }  # fmt: skip
        yield flat_line("credit", pool("credits"), credit, -60_000, month)
    if month.place == LATE_USAGE:
        july = Month(LATE_USAGE - 1)
        late = {
            **_bill(month), **_project("kestrel-analytics"), **GOOGLE["query"].columns(), "ChargeCategory": "Usage",
            "ChargeClass": "Correction", "ChargeDescription": "Queries of July 2026, metered late",
        }  # fmt: skip
        line = flat_line("correction/late", "analytics", late, 31_827, month)
        yield replace(line, first=july.start, hours=july.hours)


def _rounding(bill: list[Line], month: Month) -> Line:
    exact = billed_steps(bill)
    steps = to_step(exact, CENT_STEPS) * CENT_STEPS - exact
    columns = {
        **_bill(month), "ChargeCategory": "Adjustment", "ServiceName": "Invoice", "ServiceCategory": "Other",
        "ServiceSubcategory": "Other (Other)", "ChargeDescription": "Rounding error",
    }  # fmt: skip
    return steps_line("rounding", pool("rounding"), columns, steps, month)
