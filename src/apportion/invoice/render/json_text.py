"""A statement as JSON, and back: the shape of docs/reference/statement-json.md.

Amounts are decimal strings, so that no reader takes them for binary fractions; keys are in a fixed order.
"""

from __future__ import annotations

import json
from typing import Any

from apportion.allocate.allocation import Scope, Share
from apportion.allocate.based import WeightIn
from apportion.allocate.policy import CostBasis, Method
from apportion.allocate.rule import Holder, Target
from apportion.errors import ApportionError, BadValueError
from apportion.invoice import wording
from apportion.invoice.numbering import Number
from apportion.invoice.render.json_rate import charged_keys, read_charged
from apportion.invoice.statement import CurrencyTotal, LineKind, Statement, StatementLine
from apportion.money.amount import plain, units
from apportion.money.currency import minor_text, units_per_minor
from apportion.money.split import to_step
from apportion.organization.coding import Coding
from apportion.organization.ownership import Owners
from apportion.periods import BillingPeriod

VERSION = 2


def render(statement: Statement) -> str:
    """The statement as JSON text that ends with a line end."""
    return json.dumps(document(statement), ensure_ascii=False, indent=2) + "\n"


def document(statement: Statement) -> dict[str, object]:
    """The statement as a plain value of strings, numbers, lists and mappings, as it is written in JSON."""
    return {
        "document": "statement",
        "version": VERSION,
        "number": str(statement.number),
        "period": str(statement.period),
        "notice": wording.NOTICE,
        "holder": str(statement.holder.holder),
        "cost_group": statement.holder.code,
        "name": statement.name,
        "path": [{"code": code, "name": name} for code, name in statement.path],
        "owners": {
            "finance": statement.owners.finance,
            "technical": statement.owners.technical,
            "business": statement.owners.business,
        },
        "coding": {
            "company": statement.coding.company,
            "cost_center": statement.coding.cost_center,
            "department": statement.coding.department,
            "ledger_account": statement.coding.ledger_account,
        },
        "cost_basis": str(statement.cost_basis),
        "totals": [
            {"currency": total.currency, "amount": minor_text(total.minor, total.currency), "units": plain(total.units)}
            for total in statement.totals
        ],
        "lines": [_line(line) for line in statement.lines],
        "policy": statement.policy_name,
        "policy_digest": statement.policy_digest,
        "organization_digest": statement.organization_digest,
        "snapshot_digest": statement.snapshot_digest,
    }


def _line(line: StatementLine) -> dict[str, object]:
    return {
        "line": line.number,
        "kind": str(line.kind),
        "invoice_issuer": line.scope.invoice_issuer,
        "invoice_id": line.scope.invoice_id,
        "billing_account_id": line.scope.billing_account_id,
        "currency": line.scope.currency,
        "service": line.service,
        "charge_category": line.charge_category,
        "corrects": line.corrects,
        "first_statements": list(line.first_statements),
        "pool": line.pool_id,
        "pool_name": line.pool_name,
        "method": str(line.method or ""),
        "reason": line.reason,
        "rows": line.rows,
        "rules": list(line.rules),
        "weight_in": str(line.weight_in) if line.shares else "",
        "shares": [
            {
                "step": share.step,
                "pool_units": plain(share.pool_units),
                # Weights may be as large as amounts in 10⁻¹⁸, more than most JSON readers keep in a number.
                "weight": str(share.weight),
                "total_weight": str(share.total_weight),
                "units": plain(share.units),
            }
            for share in line.shares
        ],
        "units": plain(line.units),
        "amount": minor_text(line.minor, line.scope.currency),
        **charged_keys(line.charged),
    }


def parse(text: str) -> Statement:
    """Read what `render` wrote. Raises `BadValueError` for anything else, also for an altered amount."""
    try:
        data = json.loads(text)
        statement = _statement(data)
    except (KeyError, TypeError, ValueError, AttributeError, ApportionError) as error:
        said = error.sentence if isinstance(error, ApportionError) else f"{type(error).__name__}: {error}"
        raise BadValueError(
            f"This is not a statement that Apportion wrote ({said}).", advice="Write the statements again."
        ) from error
    if document(statement) != data:
        raise BadValueError("The statement was changed after it was written.", advice="Write the statements again.")
    return statement


def _statement(data: Any) -> Statement:
    holder = Target(Holder(data["holder"]), data["cost_group"])
    return Statement(
        number=Number.parse(data["number"]),
        period=BillingPeriod.parse(data["period"]),
        holder=holder,
        name=data["name"],
        path=tuple((step["code"], step["name"]) for step in data["path"]),
        owners=Owners(**data["owners"]),
        coding=Coding(**data["coding"]),
        cost_basis=CostBasis(data["cost_basis"]),
        lines=tuple(_read_line(line, holder) for line in data["lines"]),
        totals=tuple(
            CurrencyTotal(total["currency"], units(total["units"]), _minor(total["amount"], total["currency"]))
            for total in data["totals"]
        ),
        policy_name=data["policy"],
        policy_digest=data["policy_digest"],
        organization_digest=data["organization_digest"],
        snapshot_digest=data["snapshot_digest"],
    )


def _read_line(line: Any, holder: Target) -> StatementLine:
    scope = Scope(line["invoice_issuer"], line["invoice_id"], line["billing_account_id"], line["currency"])
    return StatementLine(
        number=line["line"],
        kind=LineKind(line["kind"]),
        scope=scope,
        service=line["service"],
        charge_category=line["charge_category"],
        pool_id=line["pool"],
        pool_name=line["pool_name"],
        method=Method(line["method"]) if line["method"] else None,
        reason=line["reason"],
        rows=line["rows"],
        rules=tuple(line["rules"]),
        shares=tuple(
            Share(
                step=share["step"],
                pool_id=line["pool"],
                target=holder,
                scope=scope,
                units=units(share["units"]),
                weight=int(share["weight"]),
                total_weight=int(share["total_weight"]),
                pool_units=units(share["pool_units"]),
                corrects=line["corrects"],
            )
            for share in line["shares"]
        ),
        units=units(line["units"]),
        minor=_minor(line["amount"], scope.currency),
        charged=read_charged(line),
        corrects=line["corrects"],
        weight_in=WeightIn(line["weight_in"]) if line["weight_in"] else WeightIn.PARTS,
        first_statements=tuple(line["first_statements"]),
    )


def _minor(text: str, currency: str) -> int:
    return to_step(units(text), units_per_minor(currency))
