"""The house rules that a machine can check; the import walls are import-linter's (`make check` runs both)."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "apportion"
# Migrations are written by Django.
MODULES = sorted(path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts)
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 70
FORBIDDEN_NAMES = {"utils", "common", "helpers", "services", "core", "manager", "misc"}
ROOMS_WITH_AMOUNTS = tuple(
    "money allocate reconcile ledger budgets invoice review post tie_out close records actions".split()
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@dataclass(frozen=True)
class Module:
    """What the rules below ask about a file; it is read once for all of them."""

    lines: int
    functions: dict[str, int]
    docstring: str | None
    undescribed: list[str]
    faults: list[str]


@cache
def module(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    return Module(
        len(text.splitlines()),
        {
            f"{node.name} on line {node.lineno}": (node.end_lineno or node.lineno) - node.lineno + 1
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        },
        ast.get_docstring(tree),
        [
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and ast.get_docstring(node) is None
            and not _is_command(node)
            and not _is_obvious(node)
        ],
        list(_faults(text, tree)),
    )


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_file_holds_one_idea(path: Path) -> None:
    assert module(path).lines <= MOST_LINES
    for function, length in module(path).functions.items():
        assert length <= MOST_LINES_OF_A_FUNCTION, f"{function} has {length} lines"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_every_module_says_what_it_is_and_is_named_for_it(path: Path) -> None:
    assert module(path).docstring, "a module begins with what it is for"
    assert path.stem not in FORBIDDEN_NAMES
    assert path.parent.name not in FORBIDDEN_NAMES


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_every_public_class_and_function_is_described(path: Path) -> None:
    assert not module(path).undescribed


def _is_command(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """A command of the command line: what it does is said in its help."""
    return isinstance(node, ast.FunctionDef) and any("command" in ast.unparse(each) for each in node.decorator_list)


def _is_obvious(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """A class of a few fields whose name says it all, such as the conditions And, Or and Not."""
    return isinstance(node, ast.ClassDef) and len(node.body) <= 1


def _faults(text: str, tree: ast.Module) -> Iterator[str]:
    """Floats and true divisions in a module where amounts live, unless the line says why (``# float: ...``)."""
    excused = {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and token.string.startswith("# float:")
    }
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if line in excused:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"{line}: the float {node.value}"
        if isinstance(node, ast.Name) and node.id == "float":
            yield f"{line}: the type float"
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div) and not _joins_paths(node):
            yield f"{line}: a division"
        if isinstance(node, ast.Attribute) and node.attr in {"FloatField", "DecimalField"}:
            yield f"{line}: a {node.attr}, which SQLite keeps as a float"


def _joins_paths(node: ast.BinOp | ast.AugAssign) -> bool:
    """``directory / "name"``: one side is text, or is called a directory, path or root."""
    left, right = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
    words = ast.unparse(left).lower() + " " + ast.unparse(right).lower()
    places = ("directory", "path", "folder", "root", "staged", "kept", "_inputs", "__file__", "workspace", "store")
    is_text = isinstance(right, ast.JoinedStr) or (isinstance(right, ast.Constant) and isinstance(right.value, str))
    return is_text or any(word in words for word in places)


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.relative_to(SOURCE).parts[0] in ROOMS_WITH_AMOUNTS], ids=name
)
def test_no_float_comes_near_an_amount(path: Path) -> None:
    assert not module(path).faults


def test_the_float_test_can_fail(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "half = amount / 2\nrate: float = 0.5\nok = 0.5  # float: a share of the screen\n", encoding="utf-8"
    )
    assert sorted(module(wrong).faults) == ["1: a division", "2: the float 0.5", "2: the type float"]
