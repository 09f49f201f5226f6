"""The shapes that several resources share: amounts, references, pages, and values that callers send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import QuerySet
from ninja import Query, Schema
from pydantic import AfterValidator, AwareDatetime, Field

from apportion.api.auth import Request
from apportion.api.incoming import Incoming
from apportion.errors import InputRefusedError, NotFoundError, Place
from apportion.money.amount import units
from apportion.money.currency import CODES, minor_text, units_per_minor
from apportion.periods import BillingPeriod
from apportion.records.people import Person

MOST_ON_A_PAGE = 200
_LARGEST = 2**53 - 1  # what every reader of JSON holds exactly
_MOST_MINOR = 10**17

_When = TypeVar("_When", bound=date)


def _plain(text: str) -> str:
    if any((ord(letter) < 32 and letter not in "\t\n\r") or 0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        raise ValueError("has control characters or halves of letters")
    return text


def _near(when: _When) -> _When:
    if not 2000 <= when.year <= 2199:  # farther away, conversions leave what a date can be
        raise ValueError("is not between the years 2000 and 2199")
    return when


Number = Annotated[int, Field(ge=1, le=_LARGEST)]
PeriodText = Annotated[
    str,
    Field(pattern="^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$", description="Billing period, YYYY-MM", examples=["2026-10"]),
]
Text = Annotated[str, Field(max_length=10_000), AfterValidator(_plain)]
LongText = Annotated[str, Field(max_length=2_000_000), AfterValidator(_plain)]
Short = Annotated[str, Field(max_length=200), AfterValidator(_plain)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217 code")]
Decimal = Annotated[
    str, Field(pattern="^-?[0-9]{1,15}([.][0-9]{1,4})?$", description="Decimal text", examples=["123.45"])
]
Instant = Annotated[datetime, Field(description="Instant in UTC")]
Since = Annotated[AwareDatetime, AfterValidator(_near), Field(description="Instant with its offset from UTC")]
Day = Annotated[date, AfterValidator(_near)]


class Money(Schema):
    """An amount: decimal text with the decimals of its currency, and the same in minor units."""

    currency: Currency
    amount: Decimal
    amount_minor: int = Field(description="Whole minor units, such as cents")


class Named(Schema):
    """A person, by number and name."""

    id: int
    name: str


class GroupName(Schema):
    """A cost group, by number, code and name."""

    id: int
    code: str
    name: str


class Links(Schema):
    """Addresses of this page and those around it."""

    self: str
    first: str
    previous: str | None = None
    next: str | None = None
    last: str


_Item = TypeVar("_Item")


class Page(Schema, Generic[_Item]):
    """Some of a list; `total` counts all of it."""

    items: list[_Item]
    total: int
    page: int
    limit: int
    links: Links


class Paging(Incoming):
    """Which page of a list."""

    page: int = Field(1, ge=1, le=10**6, description="Counts from 1")
    limit: int = Field(50, ge=1, le=MOST_ON_A_PAGE, description="Items on a page")


PageQuery = Query[Paging]


def money(minor: int, currency: str) -> Money:
    """An amount as it is sent."""
    return Money(currency=currency, amount=minor_text(minor, currency), amount_minor=minor)


def money_or_none(minor: int | None, currency: str) -> Money | None:
    """An amount that may not be there."""
    return None if minor is None else money(minor, currency)


def by_currency(sums: Mapping[str, int]) -> list[Money]:
    """Amounts by currency, in the order of the codes."""
    return [money(minor, currency) for currency, minor in sorted(sums.items())]


def minor_of(text: str, currency: str, field: str) -> int:
    """The minor units of a decimal text. Raises `InputRefusedError` for more decimals than the currency has."""
    if currency not in CODES:
        raise InputRefusedError(f"'{currency}' is no currency.", place=Place(field="currency"), advice="Use EUR, USD …")
    whole, rest = divmod(units(text), units_per_minor(currency))
    if rest or abs(whole) > _MOST_MINOR:
        raise InputRefusedError(
            f"{text} is not an amount in {currency}.",
            place=Place(field=field),
            advice="Write as many decimals as it has.",
        )
    return whole


def named(person: Person | None) -> Named | None:
    """A person who may not be there."""
    return None if person is None else Named(id=person.pk, name=str(person))


def group_name(group: Any) -> GroupName | None:
    """A cost group that may not be there."""
    return None if group is None else GroupName(id=group.pk, code=group.code, name=group.name)


def period_of(text: str) -> BillingPeriod:
    """The period of a checked text."""
    return BillingPeriod.parse(text)


def paged(
    request: Request, rows: QuerySet[Any] | list[Any], paging: Paging, shape: Callable[[Any], _Item]
) -> dict[str, Any]:
    """A page of rows, each as `shape` gives it. Raises `NotFoundError` past the last page."""
    total = rows.count() if isinstance(rows, QuerySet) else len(rows)
    first = (paging.page - 1) * paging.limit
    if first and first >= total:
        raise NotFoundError(f"There is no page {paging.page}.", advice="Go back to page 1.")
    return page_of([shape(row) for row in rows[first : first + paging.limit]], total, request, paging)


def page_of(items: list[Any], total: int, request: Request, paging: Paging) -> dict[str, Any]:
    """Items that are one page already."""
    last = max(1, -(-total // paging.limit))

    def link(number: int) -> str:
        query = request.GET.copy()
        query["page"], query["limit"] = str(number), str(paging.limit)
        return f"{request.path}?{urlencode(sorted(query.lists()), doseq=True)}"

    return {
        "items": items,
        "total": total,
        "page": paging.page,
        "limit": paging.limit,
        "links": Links(
            self=link(paging.page),
            first=link(1),
            previous=link(paging.page - 1) if paging.page > 1 else None,
            next=link(paging.page + 1) if paging.page < last else None,
            last=link(last),
        ),
    }
