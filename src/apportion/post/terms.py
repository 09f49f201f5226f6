"""What a company of the group is charged on top of cost: agreed for each buying company, the same for all documents."""

from __future__ import annotations

from dataclasses import dataclass

from apportion.post.tax import Tax, per_cent


@dataclass(frozen=True, slots=True)
class Terms:
    """An uplift in per cent as decimal text, and the tax on cost and uplift; None where there is none.

    Raises `BadValueError` for no per cent.
    """

    uplift: str = "0"
    tax: Tax | None = None

    def __post_init__(self) -> None:
        per_cent(self.uplift)
