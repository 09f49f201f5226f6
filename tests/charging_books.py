"""Books of a group of two companies, for tests: Blue is another company than the payer's, and is charged on terms."""

from __future__ import annotations

from pathlib import Path

from pytest_django.fixtures import Settings

from apportion.actions.close import charging, issuing
from apportion.actions.review import accepting
from apportion.records.documents import Document
from apportion.records.groups import Charging, CostGroup
from apportion.warehouse.store import Workspace
from tests.books import OCTOBER, Books, people
from tests.rooms.close import workspaces

ACCOUNTS = """\
company: Brightwater
statement_prefix: KES
payer: {company: "1000", cost_center: "9900", ledger_account: "600100"}
ledger:
  transferred_out: "600199"
  intercompany_receivable: "140000"
  intercompany_payable: "160000"
  intercompany_revenue: "820000"
  intercompany_expense: "600150"
  intercompany_input_tax: "157600"
  intercompany_output_tax: "177600"
"""
CHARGES = """\
  tax_code: V19
  charges:
    "2000": {uplift: 5 %, tax: {rate: 19}}
"""
PARTIES = """\
parties:
  "1000":
    name: Brightwater Holding GmbH
    country: DE
    address: [Hafenstraße 1]
    postcode: "20457"
    city: Hamburg
    vat_id: DE136695976
    legal_id: HRB 100
    electronic_address: DE136695976
    electronic_scheme: "9930"
    contact: Group accounting
    phone: +49 40 555010
    email: invoices@brightwater.example
  "2000":
    name: Brightwater Retail GmbH
    country: DE
    address: [Am Markt 2]
    postcode: "10115"
    city: Berlin
    vat_id: DE129273398
    electronic_address: "4000001000005"
    electronic_scheme: "0088"
"""
ORGANIZATION = """\
organization: Brightwater
groups:
  - {code: red, name: Red, owners: {finance: red@example.com},
     coding: {company: "1000", cost_center: "0030", ledger_account: "600100"}}
  - {code: blue, name: Blue, owners: {finance: blue@example.com},
     coding: {company: "2000", cost_center: "0010", ledger_account: "600100"}}
  - {code: green, name: Green, owners: {finance: green@example.com},
     coding: {company: "2000", cost_center: "0020", ledger_account: "600100"}}
"""
POLICY = """\
policy: Brightwater policy
cost_basis: effective
rules: [{id: by-team, charge_to: {tag: team}}]
"""
# Blue is example F; Green is example G, three lines of 10.03 each.
MONTH = [
    ("blue", "Compute", "1000.00"),
    ("green", "Compute", "10.03"),
    ("green", "Storage", "10.03"),
    ("green", "Queues", "10.03"),
    ("red", "Compute", "500.00"),
]


def group_of_companies(root: Path, site: Settings, settings: str = ACCOUNTS + CHARGES + PARTIES) -> Books:
    """October is issued in chargeback and accepted by all three teams."""
    made = workspaces.workspace(root, {OCTOBER: MONTH}, organization=ORGANIZATION, policy=POLICY, allocated=False)
    (root / "apportion.yaml").write_text(settings, encoding="utf-8")
    site.APPORTION_WORKSPACE = made.root
    people()
    found = Books(Workspace.open(made.root))
    found.allocated()
    for code in ("red", "blue", "green"):
        group = CostGroup.objects.get(code=code)
        charging.set_charging(found.actor("controller"), group.pk, Charging.CHARGEBACK, OCTOBER, "Agreed")
    issuing.issue(found.actor("controller"), OCTOBER)
    for code in ("red", "blue", "green"):
        accepting.accept(found.actor(code), document(code).pk)
    return found


def document(code: str) -> Document:
    """The invoice of a team."""
    return Document.objects.get(cost_group__code=code, period=str(OCTOBER), issue_state="issued", kind="invoice")
