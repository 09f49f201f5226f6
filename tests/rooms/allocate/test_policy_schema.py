"""The published JSON Schemas: current, valid, and of one mind with the reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from apportion.allocate import policy_file
from apportion.allocate.schema import FOLDER, ORGANIZATION, POLICY, schema_texts
from apportion.errors import DocumentError
from apportion.starter import write_starter

CORPUS = Path(__file__).parent / "wrong_policies"

# What only the reader can see: names, shares, values, and what YAML itself does not allow.
BEYOND = {
    "column_values", "dates", "doubles", "loop", "never_met", "patterns", "pools", "unknown_names",
    "unknown_table", "unreachable", "recipient_names", "recipients_left", "fallbacks", "reciprocal", "declared",
    "direct", "commitment_names", "consumer_names", "consumer_table",
}  # fmt: skip


@pytest.mark.parametrize("name", [POLICY, ORGANIZATION])
def test_the_published_schema_is_current(name: str) -> None:
    published = (FOLDER / name).read_text(encoding="utf-8")
    assert published == schema_texts()[name], "run: python -m apportion.allocate.schema"


@pytest.mark.parametrize("name", [POLICY, ORGANIZATION])
def test_the_published_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads((FOLDER / name).read_text(encoding="utf-8")))


def errors(name: str, document: object) -> list[str]:
    schema = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


class _Editor(yaml.SafeLoader):
    """YAML with numbers and flags, as an editor takes it; dates stay texts, as in YAML 1.2."""


_Editor.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def as_editors_see_it(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Editor)  # noqa: S506 - it is a safe loader


def test_the_starter_files_fit_their_schemas(tmp_path: Path) -> None:
    write_starter(tmp_path)
    assert errors(POLICY, as_editors_see_it(tmp_path / "policy.yaml")) == []
    assert errors(ORGANIZATION, as_editors_see_it(tmp_path / "organization.yaml")) == []


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_schema_finds_the_mistakes_of_shape(path: Path) -> None:
    if path.stem == "organization":
        assert errors(ORGANIZATION, as_editors_see_it(path)) == []
        return
    if path.stem.startswith(("yaml_", "not_")):
        with pytest.raises(DocumentError):
            policy_file.read(path)
        return
    found = errors(POLICY, as_editors_see_it(path))
    assert bool(found) is (path.stem not in BEYOND), found


def test_the_schema_offers_the_columns() -> None:
    condition = json.loads((FOLDER / POLICY).read_text(encoding="utf-8"))["$defs"]["ConditionDocument"]
    assert {"SubAccountId", "ProviderName", "InvoiceDetailId", "any", "all", "not"} <= set(condition["properties"])
    assert condition["additionalProperties"] is False
