"""Harbourline, the Kubernetes host: two clusters, billed in EUR by what namespaces request; FOCUS 1.3.

The host splits its nodes over namespaces (FOCUS split cost: AllocatedMethodId and its columns), so each row names the
node it came from and the namespace it was given to; idle capacity keeps no namespace.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from apportion.demo.bill import Part, Workload, parts, quantity_for, steps_line, usage_columns
from apportion.demo.catalogue import HOSTING
from apportion.demo.line import CENT_STEPS, CENTRAL, NOBODY, Line, Prices, billed_steps, percent_of, pool
from apportion.demo.story import Month
from apportion.money.split import to_step

CURRENCY = "EUR"
ISSUER = "Harbourline Hosting GmbH"
BERLIN, STOCKHOLM = "berlin-1", "stockholm-1"

IDLE, SYSTEM = pool("kubernetes-idle"), pool("kubernetes-shared")

PROFILES = {"pods": {"cpu": 560, "memory": 310, "volume": 130}, "idle": {"cpu": 620, "memory": 380}}

WORKLOADS = (
    Workload("checkout", BERLIN, 1600, "pods", "peak", name="shop-checkout"),
    Workload("catalogue", BERLIN, 1300, "pods", "peak", name="shop-catalogue"),
    Workload("sellers", BERLIN, 700, "pods", "peak", name="shop-sellers"),
    Workload("tracking", BERLIN, 1500, "pods", "peak", name="parcels-tracking"),
    Workload("returns", BERLIN, 600, "pods", "peak", name="parcels-returns"),
    Workload("lockers", BERLIN, 900, "pods", "growth", name="parcels-lockers"),
    Workload("assistants", BERLIN, 1400, "pods", "launched", name="assistants"),
    Workload("dispatch", STOCKHOLM, 1700, "pods", "summer", name="rides-dispatch"),
    Workload("driver-app", STOCKHOLM, 1100, "pods", "summer", name="rides-driver"),
    Workload("rider-app", STOCKHOLM, 1200, "pods", "summer", name="rides-rider"),
    Workload("telematics", STOCKHOLM, 1300, "pods", "growth", name="fleet-telematics"),
    Workload("nordic-routing", STOCKHOLM, 800, "pods", "peak", name="nordic-routing"),
    Workload("nordic-lockers", STOCKHOLM, 600, "pods", "growth", name="nordic-lockers"),
    Workload(SYSTEM, BERLIN, 900, "pods", "growth", name="kube-system"),
    Workload(SYSTEM, STOCKHOLM, 500, "pods", "growth", name="ingress-nginx"),
    Workload(IDLE, BERLIN, 1100, "idle", "steady", name=""),
    Workload(IDLE, STOCKHOLM, 800, "idle", "steady", name=""),
    Workload(NOBODY, BERLIN, 1150, "pods", "growth", name="scratch-7f3a"),
)


def lines(month: Month, seed: int) -> list[Line]:
    """Every line of the month's bill; the last ones are VAT and the rounding to whole cents."""
    usage = [_usage_line(part, month) for part in parts(WORKLOADS, PROFILES, HOSTING, month, seed)]
    return [*usage, *_rest(usage, month)]


def _bill(month: Month) -> dict[str, str]:
    return {
        "ProviderName": "Harbourline",
        "PublisherName": "Harbourline",
        "ServiceProviderName": "Harbourline",
        "HostProviderName": "Harbourline",
        "InvoiceIssuerName": ISSUER,
        "InvoiceId": f"HL-{month.period}-0417",
        "BillingAccountId": "DE-30417",
        "BillingAccountName": "Kestrel Europe GmbH",
        "BillingAccountType": "Contract",
    }


def _usage_line(part: Part, month: Month) -> Line:
    workload, sku = part.workload, part.sku
    idle = workload.owner == IDLE
    namespace = "" if idle else workload.label
    cluster = {"cluster": workload.account}
    labels = {} if idle else {"namespace": namespace}
    columns = {
        **_bill(month), **usage_columns(sku), "SubAccountId": workload.account, "SubAccountName": workload.account,
        "SubAccountType": "Cluster", "RegionId": workload.account, "RegionName": workload.account.split("-")[0].title(),
        "AllocatedMethodId": "harbourline-requests-2",
        "AllocatedMethodDetails": json.dumps({"Elements": [{"AllocatedBy": "requests", "UsageUnit": sku.unit}]}),
    }  # fmt: skip
    if not idle:
        columns |= {
            "AllocatedResourceId": f"{workload.account}/{namespace}",
            "AllocatedResourceName": namespace,
            "AllocatedTags": json.dumps(labels),
        }
    return Line(
        key=f"{workload.account}/{namespace or 'idle'}/{part.sku_key}",
        intended=workload.owner,
        columns=columns,
        quantity=quantity_for(part.aimed, sku.listed),
        prices=Prices.flat(sku.listed),
        first=month.start,
        hours=month.hours,
        tags={**cluster, **labels},
        weight=workload.budget * 5,
        resources=3,
        resource_id=f"{workload.account}/{sku.path}-",
        resource_name=f"{workload.account}-{sku.path}",
    )


def _rest(usage: list[Line], month: Month) -> Iterator[Line]:
    """VAT at 19 %, and a row that brings the invoice to whole cents."""
    other = {**_bill(month), "ServiceCategory": "Other", "ServiceSubcategory": "Other (Other)"}
    exact = billed_steps(usage)
    rounding = {
        **other, "ChargeCategory": "Adjustment", "ServiceName": "Invoice", "ChargeDescription": "Rounding to cents",
    }  # fmt: skip
    yield steps_line("rounding", pool("rounding"), rounding, to_step(exact, CENT_STEPS) * CENT_STEPS - exact, month)
    tax = {**other, "ChargeCategory": "Tax", "ServiceName": "VAT", "ChargeDescription": "VAT 19 %, Germany"}
    yield steps_line("vat", CENTRAL, tax, percent_of(exact, 190), month)
