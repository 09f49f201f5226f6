"""Every document of ``--json`` has the published shape, and the reference pages say what the program does."""

from __future__ import annotations

import json
import re
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from apportion.cli import reference
from tests.rooms.cli.harbour import Said, Say

pytestmark = pytest.mark.thorough

DOCS = Path(__file__).parents[3] / "docs" / "reference"
SCHEMAS = DOCS / reference.SCHEMAS
AMOUNT_KEYS = {"amount", "exact_amount", "cents", "direct_amount", "from_pools", "units", "pool_units", "pool_amount"}


def fits(said: Said, name: str) -> Any:
    """The one document on standard output, held against the schema of that name."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    document = said.json
    Draft202012Validator(schema).validate(document)
    amounts_are_texts(document)
    return document


def amounts_are_texts(value: Any) -> None:
    """No number that a reader could take for a binary fraction stands anywhere."""
    if isinstance(value, dict):
        for key, each in value.items():
            assert key not in AMOUNT_KEYS or isinstance(each, str)
            amounts_are_texts(each)
    elif isinstance(value, list):
        for each in value:
            amounts_are_texts(each)
    else:
        assert not isinstance(value, float)


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_a_published_schema_is_one_and_leaves_nothing_open(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    closed(schema)


def closed(part: Any) -> None:
    """Every object says which keys it has, all of them required, and every key is described."""
    if isinstance(part, dict):
        if "properties" in part:
            assert part["additionalProperties"] is False
            assert part["required"] == list(part["properties"])
            assert all("description" in each or "$ref" in each for each in part["properties"].values())
        for each in part.values():
            closed(each)
    elif isinstance(part, list):
        for each in part:
            closed(each)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["deliveries"], "deliveries"),
        (["deliveries", "--period", "2026-10", "--all"], "deliveries"),
        (["findings"], "findings"),
        (["findings", "--period", "2026-10", "--source", "cloud", "--csv", "found.csv"], "findings"),
        (["policy", "check"], "policy-check"),
        (["periods"], "periods"),
        (["allocate", "2026-10"], "allocate"),
        (["statements", "2026-10"], "statements"),
        (["journal", "2026-10", "--out", "journal"], "journal-files"),
        (["tie-out", "2026-10"], "tie-out"),
        (["explain", "ST-2026-10-0001"], "statement"),
        (["explain", "ST-2026-10-0001:1"], "explanation"),
        (["explain", "ST-2026-10-0001:6"], "explanation"),
        (["close", "2026-10", "--keep-open"], "close"),
        (["close", "2026-10", "--ingest", "cloud.csv"], "close"),
        (["ingest", "october.csv", "--source", "cloud"], "ingest"),
        (["ingest", "october.csv", "--source", "other", "--assume", "x_Team=web"], "error"),
        (["init", "another"], "init"),
        (["init", "."], "error"),
        (["tie-out", "2026-09"], "error"),
        (["ingest", "missing.csv"], "error"),
        (["tieout"], "error"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else value,
)
def test_a_document_has_its_published_shape(harbour: Path, say: Say, words: list[str], name: str) -> None:
    shutil.copy("october.csv", "cloud.csv")  # what a delivery is called when nobody says
    said = say(*words, "--json")
    assert said.err == ""
    assert (said.status == 0) == (name != "error")
    fits(said, name)


def test_the_mistakes_of_a_policy_are_documents(harbour: Path, say: Say) -> None:
    text = (harbour / "policy.yaml").read_text(encoding="utf-8")
    (harbour / "policy.yaml").write_text(text.replace("{pool: support}", "{pool: suport}"), encoding="utf-8")
    checked = fits(say("policy", "check", "--json"), "policy-check")
    assert [mistake["code"] for mistake in checked["mistakes"]] == ["UNKNOWN_POOL", "POOL_NOT_FED"]
    assert checked["mistakes"][0]["place"]["line"] == 5
    refused = say("allocate", "2026-10", "--json")
    assert refused.status == 1
    assert fits(refused, "error")["error"]["mistakes"] == checked["mistakes"]


def test_the_schema_of_policies_is_printed_as_it_is(say: Say) -> None:
    for words in (["policy", "schema"], ["policy", "schema", "--json"], ["policy", "schema", "--organization"]):
        said = say(*words)
        assert said.status == 0
        Draft202012Validator.check_schema(said.json)


def test_totals_of_statements_and_holders_and_stages_agree(harbour: Path, say: Say) -> None:
    """Three documents, three ways to the same sums."""
    statements = say("statements", "2026-10", "--json").json
    totals = {each["currency"]: Decimal(each["amount"]) for each in statements["totals"]}
    held: dict[str, Decimal] = {}
    for each in say("allocate", "2026-10", "--json").json["holders"]:
        assert Decimal(each["direct"]) + Decimal(each["from_pools"]) == Decimal(each["amount"])
        held[each["currency"]] = held.get(each["currency"], Decimal(0)) + Decimal(each["amount"])
    stages = {
        each["currency"]: Decimal(each["amount"])
        for each in say("tie-out", "2026-10", "--json").json["stages"]
        if each["stage"] == "statements"
    }
    assert totals == held == stages == {"EUR": Decimal("62.01"), "USD": Decimal("967.24")}


def test_the_pages_are_current() -> None:
    """`python -m apportion.cli.reference docs/reference` writes them anew."""
    assert (DOCS / "command-line.md").read_text(encoding="utf-8") == reference.command_line_page()
    assert (DOCS / "json.md").read_text(encoding="utf-8") == reference.json_page(SCHEMAS)


def test_the_page_of_commands_names_every_status() -> None:
    page = (DOCS / "command-line.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d+) \|", page, re.MULTILINE) == ["0", "1", "2", "3", "4", "70", "130", "141"]
