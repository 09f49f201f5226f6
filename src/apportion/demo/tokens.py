"""Tokenhouse, the AI vendor: tokens by the million in USD, FOCUS 1.4, with a levy that nobody gets back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from apportion.demo.bill import Part, Workload, parts, quantity_for, steps_line, usage_columns
from apportion.demo.catalogue import TOKENS
from apportion.demo.line import NOBODY, Line, Prices, billed_steps, percent_of, pool
from apportion.demo.numbers import letters
from apportion.demo.story import Month

CURRENCY = "USD"
ISSUER = "Tokenhouse, Inc."

PROFILES: dict[str, Mapping[str, int]] = {
    "chat": {"input": 360, "output": 560, "cached": 80},
    "retrieval": {"input": 420, "output": 380, "embedding": 200},
}

WORKLOADS = (
    Workload("machine-learning", "research", 1800, "chat", "pilot", name="assist-pilot"),
    Workload("assistants", "production", 14000, "chat", "launched", name="assist-live"),
    Workload("search", "production", 1400, "retrieval", "peak", name="semantic-search"),
    Workload("checkout", "production", 700, "chat", "peak", name="fraud-review"),
    Workload("recommendations", "production", 500, "retrieval", "peak", name="product-texts"),
    Workload("analytics", "research", 700, "chat", "growth", name="report-writer"),
    Workload(pool("developer-tools"), "engineering", 2600, "chat", "growth", name="coding-helper"),
    Workload(pool("ai-gateway"), "production", 1100, "retrieval", "growth", name="gateway"),
    Workload(NOBODY, "research", 450, "chat", "growth", "none", name="key-0093"),
)


def lines(month: Month, seed: int) -> list[Line]:
    """Every line of the month's invoice; the last one is the levy of two percent."""
    usage = [_usage_line(part, month) for part in parts(WORKLOADS, PROFILES, TOKENS, month, seed)]
    return [*usage, *_rest(usage, month)]


def _bill(month: Month) -> dict[str, str]:
    return {
        "ServiceProviderName": "Tokenhouse",
        "HostProviderName": "Tokenhouse",
        "InvoiceIssuerName": ISSUER,
        "InvoiceId": f"TH-{letters(6, 'tokenhouse', month.place).upper()}-{month.place + 1:04d}",
        "BillingAccountId": "org-kestrel",
        "BillingAccountName": "Kestrel Group",
        "BillingAccountType": "Organization",
    }


def _usage_line(part: Part, month: Month) -> Line:
    workload, sku = part.workload, part.sku
    named = workload.quirk != "none"
    return Line(
        key=part.key,
        intended=workload.owner,
        columns={
            **_bill(month), **usage_columns(sku), "SubAccountId": f"ws-{workload.account}",
            "SubAccountName": workload.account, "SubAccountType": "Workspace", "ResourceId": f"key/{workload.label}",
            "ResourceName": workload.label, "x_Model": "embed-2" if part.sku_key == "embedding" else "large-3",
        },
        quantity=quantity_for(part.aimed, sku.listed),
        prices=Prices.flat(sku.listed),
        first=month.start,
        hours=month.hours,
        tags={"project": workload.label} if named else {},
        weight=workload.budget * 3,
    )  # fmt: skip


def _rest(usage: list[Line], month: Month) -> Iterator[Line]:
    levy = {
        **_bill(month), "ChargeCategory": "Tax", "ServiceName": "Digital services levy", "ServiceCategory": "Other",
        "ServiceSubcategory": "Other (Other)", "ChargeDescription": "Digital services levy, 2 %, not recoverable",
    }  # fmt: skip
    yield steps_line("levy", pool("foreign-tax"), levy, percent_of(billed_steps(usage), 20), month)
