"""Uplift and tax between companies: in the journal on top of cost, so beside the stages, which are cost alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from apportion.money.currency import units_per_minor
from apportion.post.charging import OnTop
from apportion.tie_out.stage import TAX, UNEXPLAINED, UPLIFT, Difference, Stage


def charged_on_top(found: Iterable[OnTop]) -> Iterator[Difference]:
    """What each company is charged beside its cost, and every account where the journal has something else."""
    for each in found:
        step = units_per_minor(each.currency)
        name = f"company {each.company}"
        for minor, reason, sentence in (
            (each.uplift_minor, UPLIFT, "uplift, charged on top of cost"),
            (each.tax_minor, TAX, "tax on cost and uplift, charged on top of them"),
        ):
            if minor:
                yield Difference(
                    each.currency, Stage.JOURNAL, name, minor * step, reason, sentence, accepted=True, aside=True
                )
        for account, minor in each.off:
            yield Difference(
                each.currency,
                Stage.JOURNAL,
                account,
                minor * step,
                UNEXPLAINED,
                "the journal does not charge what the statements come to with uplift and tax",
                accepted=False,
                aside=True,
            )
