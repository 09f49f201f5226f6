"""Make the ledger that tests push to: run by the Python of `.tryton`, never by ours.

Takes a Tryton configuration, a database name and a JSON file: companies, accounts by kind, cost centres, days.
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

from proteus import Model, config
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear
from trytond.modules.company.tests.tools import create_company
from trytond.modules.currency.tests.tools import get_currency


def main(configuration: str, database: str, wanted: str, only: str = "") -> None:
    """Make all of it, or add only accounts and codes to what is there; the database has its modules already."""
    plan = json.loads(Path(wanted).read_text(encoding="utf-8"))
    settings = config.set_trytond(database, config_file=configuration)
    if only:
        for company in Model.get("company.company").find([]):
            settings._context = {**Model.get("res.user").get_preferences(True, {}), "company": company.id}
            codes(company, plan)
        return
    for code in plan["currencies"]:
        get_currency(code)
    user_model = Model.get("res.user")
    for company in plan["companies"]:
        party = Model.get("party.party")(name=company["name"], code=company["code"])
        party.save()
        create_company(party=party, currency=company["currency"])
        (made,) = Model.get("company.company").find([("party", "=", party.id)])
        user = user_model(settings.user)
        user.companies.append(Model.get("company.company")(made.id))
        user.company_filter = "all"
        user.company = made
        user.save()
        settings._context = user_model.get_preferences(True, {})
        settings._context["company"] = made.id
        fill(made, plan)
        codes(made, plan)


def fill(company: object, plan: dict[str, object]) -> None:
    """One company's chart and periods."""
    create_chart(company)
    first, last = (datetime.date.fromisoformat(day) for day in plan["year"])
    year = create_fiscalyear(company, (first, last))
    year.start_date, year.end_date = first, last
    year.save()
    year.click("create_period")


def codes(company: object, plan: dict[str, object]) -> None:
    """One company's accounts and cost centres, those that it does not have yet."""
    type_model = Model.get("account.account.type")
    account_model = Model.get("account.account")
    kinds = {
        "expense": [("expense", "=", True)],
        "revenue": [("revenue", "=", True)],
        "balance": [("statement", "=", "balance"), ("receivable", "=", False), ("payable", "=", False)],
    }
    types = {
        kind: type_model.find([("company", "=", company.id), ("parent", "!=", None), *domain], limit=1)[0]
        for kind, domain in kinds.items()
    }
    for account in plan["accounts"]:
        if account_model.find([("code", "=", account["code"]), ("company", "=", company.id)]):
            continue
        made = account_model(name=account["name"], code=account["code"], type=types[account["kind"]], company=company)
        made.party_required = account.get("party", False)
        made.save()
    analytic = Model.get("analytic_account.account")
    for root_code, wanted in plan["roots"].items():
        roots = analytic.find([("code", "=", root_code), ("company", "=", company.id)])
        root = roots[0] if roots else analytic(type="root", name=root_code, code=root_code, company=company)
        root.save()
        for code in wanted:
            if not analytic.find([("code", "=", code), ("root", "=", root.id), ("company", "=", company.id)]):
                analytic(root=root, parent=root, name=f"{root_code} {code}", code=code, company=company).save()


if __name__ == "__main__":
    main(*sys.argv[1:])
