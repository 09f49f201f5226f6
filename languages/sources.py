"""Which texts of the sources are marked for translation.

In templates: what Django's own reading of them says (``{% translate %}``, ``{% blocktranslate %}``, ``_("…")``). In
Python: the literal arguments of gettext and its kin, whatever name they were imported by. A text that is put together
before it is translated (an f-string) is a mistake and refused.

The rooms below the pages know nothing of languages: their refusals and findings are English sentences with figures
filled in. Those that pages show are collected too, with the context `SAID`; pages find the sentence again by its words
(`apportion.web.words.told`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message

# Which arguments of each function are the context, the text and its plural.
_SHAPES: dict[str, tuple[str, ...]] = {
    "gettext": ("text",),
    "ngettext": ("text", "plural"),
    "pgettext": ("context", "text"),
    "npgettext": ("context", "text", "plural"),
}
_LITERAL = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL = re.compile(rf"(?<![\w.])(n?p?gettext|_)\(\s*({_LITERAL}(?:\s*,\s*{_LITERAL})*)")
SAID = "said"
# Whose sentences pages show: whole rooms or single files. Of the second, every phrase; of the first, what is refused.
_ROOMS: tuple[str, ...] = (
    "actions",
    "close/changes.py",
    "close/drill.py",
    "close/explain.py",
    "close/run.py",
    "close/simulate.py",
)
_ROOMS += ("focus/checks.py", "records", "review", "tie_out/stage.py")
_ROOMS += tuple(f"post/{name}.py" for name in ("mapping", "rules"))
_PHRASES: tuple[str, ...] = tuple(
    f"tie_out/{name}.py" for name in ("bridge", "charged", "compare", "reporting", "settled", "sums")
)
_PHRASES += ("post/lifecycle.py", "reconcile/difference.py")
# Settings and what is written for good, such as the notes of a decision, are not said by a page.
_SILENT = ("records/configuration.py", "records/migrations", "review/diagram.py", "review/notes.py")
_SAYS = re.compile(r"Error$|^Mistake$|^_refused$|^_accepted$|^_fault$")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_Found = tuple[str, tuple[str, ...]]  # the function, and its literal arguments


def collected(package: Path) -> Iterator[Message]:
    """Every message of a package, in the order of its texts, with the files (not the lines) that say it."""
    catalogue = Catalog()
    for path in sorted(package.rglob("*")):
        place = path.relative_to(package.parent).as_posix()
        if path.suffix == ".py" and "migrations" not in path.parts:
            source = path.read_text(encoding="utf-8")
            found = [*_of_python(source, place), *_said(source, path.relative_to(package).as_posix())]
        elif path.suffix in {".html", ".txt"} and "templates" in path.parts:
            found = list(of_template(path.read_text(encoding="utf-8"), place))
        else:
            continue
        for function, arguments in found:
            said = dict(zip(_SHAPES[function], arguments, strict=True))
            text: str | tuple[str, str] = (said["text"], said["plural"]) if "plural" in said else said["text"]
            catalogue.add(text, locations=[(place, 0)], context=said.get("context"))
    return iter(sorted((each for each in catalogue if each.id), key=_order))


def _order(message: Message) -> tuple[str, str]:
    return (message.id if isinstance(message.id, str) else message.id[0]), message.context or ""


def of_template(source: str, place: str = "") -> Iterator[_Found]:
    """The marked texts of a template's source."""
    from django.utils.translation.template import templatize

    for match in _CALL.finditer(templatize(source, origin=place)):
        function = "gettext" if match[1] == "_" else match[1]
        yield function, tuple(ast.literal_eval(each) for each in re.findall(_LITERAL, match[2]))


def _of_python(source: str, place: str) -> Iterator[_Found]:
    """The marked texts of a Python file."""
    if "django.utils" not in source:
        return
    tree = ast.parse(source, place)
    names = _names(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            called = f"{node.func.value.id}.{node.func.attr}"
        function = names.get(called)
        if function is None:
            continue
        given = node.args[: len(_SHAPES[function])]
        if any(isinstance(each, ast.JoinedStr | ast.BinOp) for each in given):
            raise SyntaxError(f"{place}:{node.lineno}: a text is translated first and filled in then: write %(name)s")
        texts = [each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if len(texts) == len(_SHAPES[function]):  # else it is a variable, whose texts are marked where they stand
            yield function, tuple(texts)


def _names(tree: ast.Module) -> dict[str, str]:
    """By which names a file calls the functions of Django's translation: the function of each."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            for each in node.names:
                function = each.name.removesuffix("_lazy").removesuffix("_noop")
                if function in _SHAPES:
                    names[each.asname or each.name] = function
        elif isinstance(node, ast.ImportFrom) and node.module == "django.utils":
            for each in node.names:
                if each.name == "translation":
                    kinds = [f"{name}{end}" for name in _SHAPES for end in ("", "_lazy", "_noop")]
                    names |= {f"{each.asname or each.name}.{kind}": kind.split("_")[0] for kind in kinds}
    return names


def _said(source: str, place: str) -> Iterator[_Found]:
    """The sentences of a file below the pages, if pages show what it says: with names for what is filled in."""
    every = place.startswith(_PHRASES)
    if place.startswith(_SILENT) or not (every or place.startswith(_ROOMS)):
        return
    tree = ast.parse(source, place)
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)} - {
        id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
    }
    refusing = {
        id(each)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _SAYS.search(ast.unparse(node.func).rpartition(".")[2])
        for each in (*node.args, *(given.value for given in node.keywords))
    }
    refusing |= {id(each) for node in ast.walk(tree) for each in _steps_of(node)}
    refusing |= {id(each) for node in ast.walk(tree) for each in _words_of(node)}
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    silent |= {id(each) for node in ast.walk(tree) if _is_marked(node) for each in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in inner or id(node) in silent:
            continue
        text = _with_names(node)
        words = len(_LETTERS.findall(re.sub(r"%\(\w\)s", "", text)))
        is_sentence = text.endswith((".", "?")) and (text[:1].isupper() or text[:1] in "%'“")
        is_said = id(node) in refusing and not text.isupper()  # which a code is
        if words and (is_said or (words >= 2 and " " in text.strip() and (every or is_sentence))):
            yield "pgettext", (SAID, text)


def _steps_of(node: ast.AST) -> list[ast.expr]:
    """What running work says that it is doing."""
    if not isinstance(node, ast.Call):
        return []
    if isinstance(node.func, ast.Name) and node.func.id == "progress":
        return node.args[2:]
    return [given.value for given in node.keywords if given.arg == "sentence"]


def _words_of(node: ast.AST) -> list[ast.expr]:
    """The values of a table of words, such as ``STATE_WORDS``: sentences are filled in with them."""
    if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
        name = node.targets[0] if isinstance(node, ast.Assign) else node.target
        return node.value.values if isinstance(name, ast.Name) and name.id.endswith("WORDS") else []
    return []


def _is_marked(node: ast.AST) -> bool:
    """Whether it is a call that marks a text for translation already."""
    name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    return name == "_" or "gettext" in name


def _with_names(node: ast.AST) -> str:
    """A text as its catalogue has it: what is filled in is ``%(a)s``, ``%(b)s`` and so on; nothing for no text."""
    if isinstance(node, ast.Constant):
        return node.value.replace("%", "%%") if isinstance(node.value, str) else ""
    if not isinstance(node, ast.JoinedStr):
        return ""
    names = iter("abcdefghijklmnopqrstuvwxyz")
    return "".join(
        str(part.value).replace("%", "%%") if isinstance(part, ast.Constant) else f"%({next(names)})s"
        for part in node.values
    )
