"""The commands in the order of a month, and what is said before them all.

Only light modules are loaded here: each command loads what it needs when it runs, so that help comes at once.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import typer

from apportion.cli import (
    allocate,
    audit,
    books,
    close,
    commitments,
    deliveries,
    demo,
    e_invoice,
    explain,
    export,
    findings,
    ingest,
    init,
    journal,
    lab,
    ledger,
    methodology,
    people,
    periods,
    policy,
    post,
    post_status,
    restate,
    serve,
    simulate,
    statements,
    tie_out,
    usage,
)
from apportion.cli.act import AsJson, Named, act
from apportion.cli.face import Face

_ORDER = """
init ingest usage deliveries findings policy methodology periods allocate statements journal tie-out explain export
commitments simulate lab restate close post ledger e-invoice serve people books audit demo
""".split()


@cache
def command() -> Any:
    """The whole command line, ready to run."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
    )
    app.callback(invoke_without_command=True)(_before)
    act(app, "init")(init.run)
    act(app, "ingest")(ingest.run)
    act(app, "usage")(usage.run)
    act(app, "deliveries")(deliveries.run)
    act(app, "findings")(findings.run)
    about_policy = "Check the policy, compare two, or print the JSON Schema of policy files."
    of_policy = _group(app, "policy", about_policy)
    act(of_policy, "check")(policy.check)
    act(of_policy, "diff")(policy.diff)
    act(of_policy, "schema")(policy.schema)
    act(app, "methodology")(methodology.run)
    act(app, "periods")(periods.run)
    act(app, "allocate")(allocate.run)
    act(app, "statements")(statements.run)
    act(app, "journal")(journal.run)
    act(app, "tie-out")(tie_out.run)
    act(app, "explain")(explain.run)
    act(app, "export")(export.run)
    act(app, "commitments")(commitments.run)
    act(app, "simulate")(simulate.run)
    act(app, "lab")(lab.run)
    act(app, "restate")(restate.run)
    act(app, "close")(close.run)
    _into_the_ledger(app)
    act(app, "serve")(serve.run)
    of_people = _group(app, "people", "Add the people who may sign in.")
    act(of_people, "add")(people.add)
    of_books = _group(app, "books", "Make, update and check the database of issued documents.")
    act(of_books, "migrate")(books.migrate)
    act(of_books, "check")(books.check)
    of_audit = _group(app, "audit", "Prove and export the audit chain.")
    act(of_audit, "verify")(audit.verify)
    act(of_audit, "export")(audit.export)
    act(app, "demo")(demo.run)
    made: Any = typer.main.get_command(app)
    made.commands = {name: made.commands[name] for name in _ORDER}  # groups would otherwise come last
    return made


def _into_the_ledger(app: typer.Typer) -> None:
    of_post = _group(app, "post", post.ABOUT)
    act(of_post, "preview")(post.preview)
    act(of_post, "draw-up")(post.draw_up)
    act(of_post, "approve")(post.approve)
    act(of_post, "export")(post.export)
    act(of_post, "push")(post.push)
    act(of_post, "confirm")(post.confirm)
    act(of_post, "withdraw")(post.withdraw)
    act(of_post, "reverse")(post.reverse)
    act(of_post, "status")(post_status.run)
    of_ledger = _group(app, "ledger", ledger.ABOUT)
    act(of_ledger, "verify")(ledger.verify)
    act(of_ledger, "targets")(ledger.targets)
    act(app, "e-invoice")(e_invoice.run)


def _group(app: typer.Typer, name: str, about: str) -> typer.Typer:
    """A command that is only the name of others."""
    made = typer.Typer(help=about, no_args_is_help=False)
    made.callback(invoke_without_command=True)(_only_help)
    app.add_typer(made, name=name)
    return made


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"apportion {version('apportion')}")
        raise typer.Exit


def _before(
    context: typer.Context,
    workspace: Named = None,
    as_json: AsJson = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Closes the cloud bill: every cent of it lands exactly once, and anyone can ask why.

    A month goes through ingest, policy check, allocate, statements, journal and tie-out; close does all of them in
    order and seals the month.

    \b
    Begin:
      apportion demo DIR   a year of an invented company, closed month by month
      apportion init DIR   a workspace of your own
      apportion serve      the review in a web browser

    \b
    Exit status:
      0  fine                        1  input or a document was refused
      2  wrong usage                 3  the books do not agree
      4  no workspace, busy or full  130  interrupted
    """
    context.obj = Face(workspace, as_json=as_json)
    _only_help(context)


def _only_help(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())
