"""Microsoft Azure: office and corporate systems, FOCUS 1.0 as exported, which knows no invoice id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from apportion.demo import commitments
from apportion.demo.bill import Part, Workload, flat_line, parts, quantity_for, tags_of, usage_columns
from apportion.demo.catalogue import AZURE, Sku
from apportion.demo.commitments import Commitment, Use
from apportion.demo.line import NOBODY, Line, Prices, pool
from apportion.demo.numbers import letters
from apportion.demo.story import Month

CURRENCY = "USD"
DISCOUNT = 5
BILLING_ACCOUNT = "8a1b2c3d-0000-4a00-9000-000000001000"

_WEST, _SWEDEN = ("westeurope", "West Europe"), ("swedencentral", "Sweden Central")

SUBSCRIPTIONS: dict[str, tuple[str, str]] = {
    "kestrel-shared": _WEST,
    "corporate-finance": _WEST,
    "corporate-people": _WEST,
    "workplace": _WEST,
    "partner-portals": _WEST,
    "nordic-corporate": _SWEDEN,
    "nordic-operations": _SWEDEN,
    "connectivity": _WEST,
}

COST_CENTERS = {
    "finance-systems": "4510", "people-systems": "4520", "it-workplace": "4530", "sellers": "4160",
    "returns": "4240", "nordic-finance": "6410", "nordic-workplace": "6420", "nordic-hubs": "6330", "charging": "6220",
    "maintenance": "6230",
}  # fmt: skip

PROFILES: dict[str, Mapping[str, int]] = {
    "ledger": {"vm": 360, "sql": 470, "disk": 170},
    "portal": {"web": 460, "sql": 390, "blob": 150},
    "desktops": {"desktop": 780, "disk": 140, "blob": 80},
    "spare": {"vm": 720, "disk": 280},
    "builds": {"devops": 1000},
    "guard": {"defender": 1000},
    "link": {"express": 1000},
    "logs": {"monitor": 1000},
    "connector": {"connector": 1000},
}

WORKLOADS = (
    Workload("finance-systems", "corporate-finance", 4200, "ledger", "steady"),
    Workload("people-systems", "corporate-people", 2600, "portal", "growth", "bare"),
    Workload("it-workplace", "workplace", 3900, "desktops", "growth"),
    Workload("sellers", "partner-portals", 1900, "portal", "peak"),
    Workload("returns", "partner-portals", 1300, "portal", "peak", "typo=CC-4240"),
    Workload("nordic-finance", "nordic-corporate", 2100, "ledger", "steady"),
    Workload("nordic-workplace", "nordic-corporate", 1700, "desktops", "growth", "typo=CC6420"),
    Workload("nordic-hubs", "nordic-operations", 1200, "portal", "peak"),
    Workload("charging", "nordic-operations", 1600, "portal", "summer"),
    Workload("maintenance", "nordic-operations", 1500, "ledger", "steady", "bare"),
    Workload("nordic-finance", "nordic-corporate", 340, "connector", "steady", "", "ledgerlink"),
    Workload(pool("developer-tools"), "kestrel-shared", 1500, "builds", "growth", "none"),
    Workload(pool("security-tooling"), "kestrel-shared", 1300, "guard", "growth", "none"),
    Workload(pool("observability"), "kestrel-shared", 1700, "logs", "growth", "none"),
    Workload(pool("network-backbone"), "connectivity", 2100, "link", "steady", "none"),
    Workload(NOBODY, "partner-portals", 900, "spare", "growth", "none", "portal-test"),
    Workload(NOBODY, "nordic-operations", 600, "spare", "growth", "unknown=9999", "depot-pilot"),
)

RESERVATION = Commitment(
    "reservation", "D4s v5 reservation, monthly", "Reservation", "vm", 145_000, 8, 3,
    (Use("finance-systems", "corporate-finance", 560), Use("nordic-finance", "nordic-corporate", 360)),
)  # fmt: skip

LATE_SERVICES = ("SQL Database", "Azure Monitor")
"""Services whose usage was missing in the first delivery of March 2026."""


def lines(month: Month, seed: int) -> list[Line]:
    """Every line of the month's bill."""
    usage = [_usage_line(part, month) for part in parts(WORKLOADS, PROFILES, AZURE, month, seed)]
    usage += commitments.lines(
        RESERVATION, month, AZURE["vm"], DISCOUNT, CURRENCY, lambda use, sku, key: _covered(use, sku, key, month),
        {**_bill(month), **_subscription("kestrel-shared"), **AZURE["vm"].columns()},
    )  # fmt: skip
    return [*usage, *_rest(month)]


def _bill(month: Month) -> dict[str, str]:
    return {
        "ProviderName": "Microsoft",
        "PublisherName": "Microsoft",
        "InvoiceIssuerName": "Microsoft Ireland Operations Limited",
        "BillingAccountId": BILLING_ACCOUNT,
        "BillingAccountName": "Kestrel Europe GmbH",
        "x_InvoiceId": f"G{letters(9, 'azure invoice', month.place).upper()}",
    }


def subscription_id(name: str) -> str:
    """The subscription's GUID."""
    text = letters(32, "subscription", name)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-9{text[17:20]}-{text[20:32]}"


def _subscription(name: str) -> dict[str, str]:
    region, region_name = SUBSCRIPTIONS[name]
    return {
        "SubAccountId": f"/subscriptions/{subscription_id(name)}", "SubAccountName": name,
        "RegionId": region, "RegionName": region_name,
    }  # fmt: skip


def _usage_line(part: Part, month: Month) -> Line:
    workload, sku = part.workload, part.sku
    contracted = sku.after_discount(DISCOUNT)
    group = f"rg-{workload.label}"
    account = _subscription(workload.account)
    prefix = (
        f"{account['SubAccountId']}/resourceGroups/{group}/providers/{sku.path}{workload.label}-" if sku.path else ""
    )
    columns = {
        **_bill(month), **account, **usage_columns(sku), "x_ResourceGroupName": group, "x_SkuMeterName": sku.meter,
    }  # fmt: skip
    if part.sku_key == "connector":
        columns |= {"PublisherName": "Ledgerlink AB"}
    cost_center = COST_CENTERS.get(workload.owner, "")
    return Line(
        key=part.key,
        intended=workload.owner,
        columns=columns,
        quantity=quantity_for(part.aimed, contracted),
        prices=Prices.on_demand(sku.listed, contracted),
        first=month.start,
        hours=month.hours,
        tags=tags_of(
            part, "CostCenter", cost_center, {"Environment": "Production", "Owner": "it-operations@example.com"}
        ),
        weight=workload.budget * 2,
        resources=2 + part.place,
        resource_id=prefix,
        resource_name=f"{workload.label}-{part.sku_key}" if sku.path else "",
    )


def _covered(use: Use, sku: Sku, key: str, month: Month) -> Line:
    return _usage_line(Part(Workload(use.owner, use.account, 600, "ledger"), f"{key}-covered", sku, 0, 0), month)


def _rest(month: Month) -> Iterator[Line]:
    """Support, and a credit for an outage."""
    bill = {**_bill(month), **_subscription("kestrel-shared")}
    support = {
        **bill, "ChargeCategory": "Purchase", "ChargeFrequency": "Recurring", "ServiceName": "Azure Support",
        "ServiceCategory": "Management and Governance", "ChargeDescription": "ProDirect support plan",
    }  # fmt: skip
    yield flat_line("support", pool("azure-support"), support, 100_000, month)
    if month.place == 3:
        credit = {
            **_bill(month), **_subscription("workplace"), **AZURE["desktop"].columns(), "ChargeCategory": "Credit",
            "ChargeDescription": "Service level credit, outage of 14 January",
        }  # fmt: skip
        yield flat_line("credit", pool("credits"), credit, -38_000, month)
