"""How a function becomes a command: it gets a `Face`, and the two options that every command has."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec, get_type_hints

import typer
from typer.core import TyperCommand

from apportion.cli.face import Face

P = ParamSpec("P")
Act = Callable[Concatenate[Face, P], None]

Named = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        metavar="DIR",
        envvar="APPORTION_WORKSPACE",
        show_envvar=True,
        help="The workspace to work in; else the one that the current directory is in.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


class Command(TyperCommand):
    """A command whose help names its arguments as people write them: ``PERIOD``, not ``{PERIOD}`` of some type."""

    def get_help(self, ctx: Any) -> str:
        """The help without the parser's own brackets and types."""
        usage, _, rest = super().get_help(ctx).partition("\n")
        usage = re.sub(r"[{](\S+)[}]", r"\1", usage)
        return usage + "\n" + re.sub(r"^(  \S+) <[^>]+>", r"\1", rest, flags=re.MULTILINE)


def act(app: typer.Typer, name: str) -> Callable[[Act[P]], Act[P]]:
    """Register a function as the command `name` of `app`; its docstring is the help.

    ``--workspace`` and ``--json`` are understood before and after the name of the command.
    """

    def register(function: Act[P]) -> Act[P]:
        hints = get_type_hints(function, include_extras=True)
        own = list(inspect.signature(function).parameters.values())[1:]
        common = [_keyword("workspace", Named, None), _keyword("as_json", AsJson, False)]
        parameters = [
            _keyword("context", typer.Context),
            *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[each.name]) for each in own),
            *common,
        ]

        def called(**given: Any) -> None:
            above: Face = given.pop("context").find_root().obj
            named, as_json = given.pop("workspace"), given.pop("as_json")
            face = Face(named or above.named, as_json=as_json or above.as_json)
            function(face, **given)  # type: ignore[call-arg]  # checked by the command line's own parser

        called.__doc__ = function.__doc__
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        app.command(name, cls=Command)(called)
        return function

    return register


def _keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
