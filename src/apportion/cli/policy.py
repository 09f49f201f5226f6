"""``apportion policy check``, ``apportion policy diff`` and ``apportion policy schema``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.arguments import OnlyPeriod
from apportion.cli.face import Face, shown_path
from apportion.cli.failures import REFUSED, mistake_document, mistake_line

if TYPE_CHECKING:
    from apportion.allocate.policy import Policy
    from apportion.errors import Mistake
    from apportion.organization.cost_group import Organization
    from apportion.periods import BillingPeriod

VERSION = 1


def check(
    face: Face,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="The policy; else that of the workspace.")] = None,
    organization: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The organization; else that of the workspace.")
    ] = None,
    period: OnlyPeriod = None,
) -> None:
    """Check the policy with the organization: every mistake with file, line and column.

    Names that do not exist, rules that no charge can reach, shares that are not 100 % and pools that share into each
    other are mistakes. Exit status 1 if there is any. With --period, names are looked up in the tree of that month,
    else in today's.

    \b
    Examples:
      apportion policy check
      apportion policy check new-policy.yaml --period 2026-10
    """
    policy_path, organization_path = _paths(face, file, organization)
    policy, units, mistakes = _read(policy_path, organization_path, period)
    face.give(
        {
            "document": "policy_check",
            "version": VERSION,
            "policy": str(policy_path),
            "organization": str(organization_path),
            "mistakes": [mistake_document(mistake) for mistake in mistakes],
        }
    )
    for mistake in mistakes:
        face.say(mistake_line(mistake))
    if mistakes:
        face.say(f"{len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}.", "bold red")
        raise typer.Exit(REFUSED)
    if policy is not None and units is not None:
        face.say(f"{shown_path(policy_path)} has no mistakes: {summary(policy, units)}.", "green")


def summary(policy: Policy, organization: Organization) -> str:
    """What a policy is made of, in half a sentence."""
    from apportion.cli.amounts import count

    groups = len(organization.codes)
    return (
        f"{count(len(policy.rules), 'rule')} and {count(len(policy.pools), 'pool')} on {policy.cost_basis} cost, "
        f"{count(groups, 'cost group')}"
    )


def _paths(face: Face, file: Path | None, organization: Path | None) -> tuple[Path, Path]:
    """The two files; the workspace is only looked for where one of them is not named."""
    from apportion import settings as settings_file

    if file is not None and organization is not None:
        return file, organization
    root = face.root()
    settings = settings_file.load(root)
    return file or root / settings.policy, organization or root / settings.organization


def _read(
    policy_path: Path, organization_path: Path, period: BillingPeriod | None
) -> tuple[Policy | None, Organization | None, list[Mistake]]:
    """Both files and all mistakes in them; what one names is looked up in the other where both can be read."""
    from apportion import organization as organization_room
    from apportion.allocate import policy_checks, policy_file
    from apportion.errors import DocumentError

    mistakes: list[Mistake] = []
    organization = policy = None
    try:
        organization = organization_room.read(organization_path)
    except DocumentError as error:
        mistakes += error.mistakes
    try:
        policy = policy_file.read(policy_path)
    except DocumentError as error:
        mistakes += error.mistakes
    if policy is not None and organization is not None:
        mistakes += policy_checks.check(policy, organization, period)
    return policy, organization, mistakes


def diff(
    face: Face,
    old: Annotated[str, typer.Argument(metavar="OLD", help="A policy file, or a period: the policy frozen with it.")],
    new: Annotated[
        str | None, typer.Argument(metavar="NEW", help="The same; else the policy of the workspace.")
    ] = None,
) -> None:
    """Say in plain words what changed from one policy to another.

    Rules, pools, shares, recipients, dates, the cost basis and all else that a policy holds is compared, not the files:
    comments, quotes and the order of keys make no difference. A rule, pool or agreement is known by its id.

    \b
    Examples:
      apportion policy diff 2026-09
      apportion policy diff policy.yaml next-year.yaml
    """
    from apportion.cli.policy_diff import answer

    answer(face, old, new)


def schema(
    face: Face,
    organization: Annotated[bool, typer.Option("--organization", help="That of organization files instead.")] = False,
) -> None:
    """Print the JSON Schema of policy files, for editors that check while one types.

    Name it in the first line of the policy: # yaml-language-server: $schema=policy.schema.json

    \b
    Example:
      apportion policy schema > policy.schema.json
    """
    from apportion.allocate import schema as published

    name = published.ORGANIZATION if organization else published.POLICY
    print((published.FOLDER / name).read_text(encoding="utf-8"), end="")
    _ = face  # with or without --json: the schema is one JSON document
