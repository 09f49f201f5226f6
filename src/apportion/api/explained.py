"""What each kind of problem means: where the `type` of a problem document leads."""

from __future__ import annotations

from ninja import Router, Schema
from pydantic import Field

from apportion.api.auth import Request
from apportion.api.problems import TYPES, kinds, status_of, title_of
from apportion.api.route import route
from apportion.api.shapes import Short
from apportion.errors import ApportionError, NotFoundError
from apportion.records.rule import Reach

router = Router(tags=["problems"])


class Kind(Schema):
    """One kind of problem."""

    type: str
    code: str
    title: str
    meaning: str
    status: int = Field(description="HTTP status that it is sent with")


def _kind(kind: type[ApportionError]) -> Kind:
    return Kind(
        type=f"{TYPES}{kind.code}",
        code=kind.code,
        title=title_of(kind),
        meaning=" ".join((kind.__doc__ or "").split()),
        status=status_of(kind.__new__(kind)),
    )


@route(router, "GET", "/problems", Reach.PUBLIC, gives=list[Kind])
def list_problems(request: Request) -> list[Kind]:
    """List every kind of problem."""
    return [_kind(kind) for kind in kinds()]


@route(router, "GET", "/problems/{code}", Reach.PUBLIC, gives=Kind)
def get_problem(request: Request, code: Short) -> Kind:
    """Get what a kind of problem means."""
    found = next((kind for kind in kinds() if kind.code == code), None)
    if found is None:
        raise NotFoundError("There is no such kind of problem.", advice="Look at /api/v1/problems.")
    return _kind(found)
