"""The published JSON Schemas of the policy and the organization file, for editors that check while one types.

Made from the models that read the files, with the FOCUS columns by name. `python -m apportion.allocate.schema`
writes them anew; a test fails where they are not current. Editors see less than ``apportion policy check``:
they know the shape of a file, not whether its names exist and its shares sum to 100 %.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

POLICY = "policy.schema.json"
ORGANIZATION = "organization.schema.json"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NULL = {"type": "null"}

_QUANTITIES = ("metered", "greater_of", "sum_of")
_SIMPLE = ("fixed", "direct_cost", *_QUANTITIES)
# Sections of which exactly one key says what is meant.
_ONE_OF = {
    "TargetDocument": ("cost_group", "pool", "tag", "column"),
    "UsageTargetDocument": ("cost_group", "pool", "column"),
    "RestDocument": ("pool", "cost_group"),
    "QuantityDocument": _QUANTITIES,
    "SimpleBasisDocument": _SIMPLE,
    "BasisDocument": (*_SIMPLE, "mix", "price", "follow"),
    "PartDocument": ("share", "amount", "rate"),
    "UpliftDocument": ("percent", "amount"),
}


def schema_texts() -> Mapping[str, str]:
    """The text of each schema by the name of its file."""
    # Imported here: whoever only looks for the files needs no models.
    from apportion.allocate.policy_document import PolicyDocument
    from apportion.organization.document import OrganizationDocument

    policy = _bare(PolicyDocument.model_json_schema())
    parts = policy["$defs"]
    _name_columns(parts)
    for name, part in parts.items():
        if name not in ("RuleDocument", "ConsumerDocument") and "properties" in part:
            _without_null(part["properties"])
    for name in ("RuleDocument", "ConsumerDocument"):
        _without_null({"when": parts[name]["properties"]["when"]})
    for name, ways in _ONE_OF.items():
        parts[name]["oneOf"] = [{"required": [way]} for way in ways]
    for name in ("QuantityDocument", "SimpleBasisDocument", "BasisDocument"):
        for several in {"greater_of", "sum_of", "mix"} & set(parts[name]["properties"]):
            parts[name]["properties"][several]["minItems"] = 2
    for name in ("SimpleBasisDocument", "BasisDocument"):
        parts[name]["properties"]["fixed"]["additionalProperties"] = False
    organization = _bare(OrganizationDocument.model_json_schema())
    return {
        POLICY: _text("Apportion policy", policy),
        ORGANIZATION: _text("Apportion organization", organization),
    }


def _name_columns(parts: dict[str, Any]) -> None:
    """Conditions take the FOCUS columns by name, so that an editor can offer them and find a misspelt one."""
    from apportion.allocate.fields import COLUMNS

    condition = parts["ConditionDocument"]
    parts["Test"] = condition.pop("additionalProperties")
    test = {"$ref": "#/$defs/Test"}
    condition["properties"] |= dict.fromkeys(sorted(COLUMNS), test)
    condition["patternProperties"] = {"^x_.": test, r"^tags\..": test}
    condition["additionalProperties"] = False
    condition["minProperties"] = 1
    parts["UsageConditionDocument"] |= {"additionalProperties": test, "minProperties": 1}


def _without_null(properties: dict[str, Any]) -> None:
    """Where the reader refuses an empty value, so does the schema."""
    for part in properties.values():
        choices = [choice for choice in part.get("anyOf", ()) if choice != _NULL]
        if choices:
            del part["anyOf"]
            part.update(choices[0])


def _bare(part: Any) -> Any:
    """The schema without the titles and defaults that only repeat what stands there anyway."""
    if isinstance(part, list):
        return [_bare(one) for one in part]
    if not isinstance(part, dict):
        return part
    is_schema = "type" in part or "$ref" in part or "anyOf" in part or "oneOf" in part
    drop = {"title"} if is_schema else set()
    if is_schema and not isinstance(part.get("default"), str | bool):
        drop.add("default")
    return {key: _bare(value) for key, value in part.items() if key not in drop}


def _text(title: str, schema: Mapping[str, Any]) -> str:
    return json.dumps({"$schema": _DIALECT, "title": title, **schema}, indent=2, ensure_ascii=False) + "\n"
