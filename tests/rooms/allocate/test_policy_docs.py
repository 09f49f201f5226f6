"""The documents about the policy and the organization: their examples are read, and their codes are complete."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from apportion import organization
from apportion.allocate import policy_checks, policy_file
from apportion.starter import write_starter

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
POLICY = DOCS / "reference" / "policy.md"
ORGANIZATION = DOCS / "reference" / "organization.md"
HOW_TO = DOCS / "how-to" / "write-a-policy.md"

HEAD = "policy: P\ncost_basis: effective\n"
CODE = re.compile(
    r'''(?:(?:Mistake|Refusal|refuse|_broken|_refuse)\(\s*(?:parsed, |self\._parsed, )?|code=)"([A-Z0-9_]+)"'''
)
LAST_RULE = "  - {id: last, charge_to: kept_central}\n"


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def whole(block: str) -> str:
    """A part of a policy as a whole one."""
    if block.startswith("policy:"):
        return block
    if block.startswith("when:"):
        rule = "  - id: r\n    charge_to: kept_central\n" + "".join(f"    {line}\n" for line in block.splitlines())
        return f"{HEAD}rules:\n{rule}"
    if block.startswith("rules:"):
        return HEAD + block
    return f"{HEAD}rules:\n{LAST_RULE}{block}"


@pytest.mark.parametrize("block", [*blocks(POLICY, "yaml"), *blocks(HOW_TO, "yaml")])
def test_every_example_of_a_policy_can_be_read(tmp_path: Path, block: str) -> None:
    (tmp_path / "policy.yaml").write_text(whole(block), encoding="utf-8")
    policy_file.read(tmp_path / "policy.yaml")


def test_the_how_to_shows_what_the_check_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_starter(Path())
    (wrong,) = [block for block in blocks(HOW_TO, "yaml") if block.startswith("policy:")]
    Path("policy.yaml").write_text(wrong, encoding="utf-8")
    tree = organization.read(Path("organization.yaml"))
    found = policy_checks.check(policy_file.read(Path("policy.yaml")), tree, today=date(2026, 11, 1))
    assert blocks(HOW_TO, "text") == ["".join(f"{mistake}\n" for mistake in found)]


def test_the_two_examples_of_an_organization_say_the_same(tmp_path: Path) -> None:
    (yaml_text,), (table,) = blocks(ORGANIZATION, "yaml"), blocks(ORGANIZATION, "csv")
    (tmp_path / "o.yaml").write_text(yaml_text, encoding="utf-8")
    (tmp_path / "o.csv").write_text(table, encoding="utf-8")
    one, other = organization.read(tmp_path / "o.yaml"), organization.read(tmp_path / "o.csv")
    assert sorted(one.versions, key=str) == sorted(other.versions, key=str)


def test_every_code_of_a_mistake_is_explained() -> None:
    explained = set(re.findall(r"`([A-Z][A-Z0-9_]{2,})`", POLICY.read_text(encoding="utf-8")))
    explained |= set(re.findall(r"`([A-Z][A-Z0-9_]{2,})`", ORGANIZATION.read_text(encoding="utf-8")))
    rooms = [ROOT / "src" / "apportion" / room for room in ("yamlfile", "organization", "allocate")]
    said: set[str] = set()
    for path in (path for room in rooms for path in room.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        said |= set(re.findall(CODE, text))
    assert said >= {"UNREACHABLE_RULE", "BAD_YAML", "PARENT_LOOP", "SHARES_NOT_100", "STRANGE_VALUE", "TAB"}
    assert said == explained
