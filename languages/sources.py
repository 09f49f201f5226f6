"""Which texts of the sources are marked for translation.

In templates: what Django's own reading of them says (``{% translate %}``, ``{% blocktranslate %}``, ``_("…")``). In
Python: the literal arguments of gettext and its kin, whatever name they were imported by. A text that is put together
before it is translated (an f-string) is a mistake and refused.
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
_Found = tuple[str, tuple[str, ...]]  # the function, and its literal arguments


def collected(package: Path) -> Iterator[Message]:
    """Every message of a package, in the order of its texts, with the files (not the lines) that say it."""
    catalogue = Catalog()
    for path in sorted(package.rglob("*")):
        place = path.relative_to(package.parent).as_posix()
        if path.suffix == ".py" and "migrations" not in path.parts:
            found = list(_of_python(path.read_text(encoding="utf-8"), place))
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
