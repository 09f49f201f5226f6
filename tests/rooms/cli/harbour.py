"""A small company and its month: documents, charges, and what a command says."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETTINGS = """\
company: Harbour Foods
payer: {company: "1000", cost_center: "9900", department: "000", ledger_account: "6100"}
ledger: {transferred_out: "6199", suspense: "6999"}
"""

ORGANIZATION = """\
organization: Harbour Foods
groups:
  - code: shops
    name: Shops
    coding: {company: "1000", cost_center: "10", department: "1", ledger_account: "6100"}
    groups:
      - {code: web, name: Web shop}
      - {code: bakery, name: Bakery & more}
  - code: data
    name: Data
    coding: {company: "1000", cost_center: "20", department: "2", ledger_account: "6100"}
"""

POLICY = """\
policy: Harbour policy
cost_basis: effective
rules:
  - {id: tax, when: {ChargeCategory: Tax}, charge_to: kept_central}
  - {id: support, name: Support plans, when: {ServiceName: Support}, charge_to: {pool: support}}
  - {id: network, name: Network, when: {ServiceName: Network}, charge_to: {pool: platform}}
  - {id: by-team, name: Tag team, charge_to: {tag: team}}
pools:
  - {id: support, name: Support, share: {fixed: {platform: 1/3, web: 2/3}}}
  - {id: platform, name: The platform, share: proportional to direct cost}
"""

USUAL = {
    "BilledCost": "0",
    "EffectiveCost": "",
    "ListCost": "",
    "ContractedCost": "",
    "BillingAccountId": "111",
    "BillingAccountName": "Harbour payer",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargePeriodStart": "2026-10-05T00:00:00Z",
    "ChargePeriodEnd": "2026-10-06T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeDescription": "Hours of a machine",
    "InvoiceIssuerName": "Cloud, Inc.",
    "InvoiceId": "INV-1",
    "ProviderName": "Cloud",
    "PublisherName": "Cloud",
    "PricingQuantity": "1",
    "PricingUnit": "Hours",
    "ResourceId": "",
    "ServiceCategory": "Compute",
    "ServiceName": "Compute",
    "SubAccountId": "222",
    "Tags": "{}",
}

TEAMS = ("web", "bakery", "data", "nobody")

Row = dict[str, str]


def october() -> list[Row]:
    """Forty machines of three teams and of nobody, two shared services, tax, and a bill in euro."""
    rows = [
        {
            "BilledCost": f"{place}.123456789",
            "ResourceId": f"i-{place:04d}",
            "ServiceName": "Compute" if place % 3 else "Storage",
            "Tags": json.dumps({"team": TEAMS[place % 4]}),
        }
        for place in range(40)
    ]
    return [
        *rows,
        {"BilledCost": "100.00", "ServiceName": "Support"},
        {"BilledCost": "70.005", "ServiceName": "Network", "ResourceId": "vpn"},
        {"BilledCost": "12.3", "ChargeCategory": "Tax"},
        {"BilledCost": "55", "BillingCurrency": "EUR", "Tags": '{"team": "web"}', "InvoiceId": "INV-E"},
        {"BilledCost": "7.005", "BillingCurrency": "EUR", "ServiceName": "Network", "InvoiceId": "INV-E"},
    ]


def focus_csv(rows: Sequence[Row]) -> str:
    """Rows as a FOCUS file; costs that are not given equal the billed one."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(USUAL))
    writer.writeheader()
    for row in rows:
        full = {**USUAL, **row}
        costs = {name: full[name] or full["BilledCost"] for name in ("EffectiveCost", "ListCost", "ContractedCost")}
        writer.writerow({**full, **costs})
    return text.getvalue()


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)


Say = Callable[..., Said]


def write_documents(root: Path) -> None:
    """The three files that the small company wrote."""
    (root / "apportion.yaml").write_text(SETTINGS, encoding="utf-8")
    (root / "organization.yaml").write_text(ORGANIZATION, encoding="utf-8")
    (root / "policy.yaml").write_text(POLICY, encoding="utf-8")
