"""Reasons, outcomes and ways to settle in words: the one list of how they are said on pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apportion.actions.review.settling import Settle
from apportion.review.dispute import Outcome, Reason

REASON_WORDS = {
    Reason.NOT_OURS: _("The cost is not ours"),
    Reason.WRONG_AMOUNT: _("The amount is wrong"),
    Reason.WRONG_SHARE: _("Our share, or what it is measured by, is wrong"),
    Reason.ALREADY_CHARGED: _("We were charged for this before"),
    Reason.WRONG_PERIOD: _("It belongs to another period"),
    Reason.UNCLEAR: _("We do not understand it"),
    Reason.OTHER: _("Another reason"),
}
OUTCOME_WORDS = {
    Outcome.UPHELD: _("Uphold it: all of what is claimed is taken off"),
    Outcome.PARTLY_UPHELD: _("Uphold a part of it"),
    Outcome.REJECTED: _("Reject it: the document stands as it is"),
}
OUTCOME_SHORT = {
    Outcome.UPHELD: _("Upheld"),
    Outcome.PARTLY_UPHELD: _("Partly upheld"),
    Outcome.REJECTED: _("Rejected"),
}
SETTLE_WORDS = {
    Settle.COST_GROUP: _("Another cost group carries it"),
    Settle.OTHERS: _("The others who share the pool carry it, in proportion"),
    Settle.KEPT_CENTRAL: _("It is kept central: nobody is charged"),
    Settle.UNALLOCATED: _("It is left unallocated, until its owner is found"),
    Settle.ALLOCATED_ANEW: _("The policy is changed, and the month allocated anew (no credit note)"),
}
