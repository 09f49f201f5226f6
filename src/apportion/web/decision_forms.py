"""The forms of a decision about a dispute: what is thought of, and what is proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apportion.actions.review.settling import Settle
from apportion.records.policies import PolicyState, PolicyVersion
from apportion.web.words.dispute_words import OUTCOME_WORDS, SETTLE_WORDS

if TYPE_CHECKING:
    _Choice = forms.ModelChoiceField[PolicyVersion]
else:  # the class knows its model only while types are checked
    _Choice = forms.ModelChoiceField


class _VersionField(_Choice):
    """Versions by number and day."""

    def label_from_instance(self, obj: PolicyVersion) -> str:
        return gettext("Version %(number)s of %(day)s, %(state)s") % {
            "number": obj.pk,
            "day": f"{obj.created_at:%Y-%m-%d}",
            "state": obj.state,
        }


class DecisionForm(forms.Form):
    """What is thought of deciding. Nothing is kept yet."""

    outcome = forms.ChoiceField(label=_("Decision"), choices=list(OUTCOME_WORDS.items()), widget=forms.RadioSelect)
    amount = forms.CharField(
        label=_("Which part of it is upheld?"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("Only where a part is upheld."),
    )
    settle = forms.ChoiceField(
        label=_("Who carries it instead?"), required=False, choices=list(SETTLE_WORDS.items()), widget=forms.RadioSelect
    )
    settle_to = forms.CharField(
        label=_("Cost group that carries it"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"list": "cost-groups", "autocomplete": "off"}),
        help_text=_("Its code. Only where another cost group carries it."),
    )
    policy_version = _VersionField(
        label=_("Policy version"),
        required=False,
        queryset=PolicyVersion.objects.none(),
        help_text=_("Only where the month is allocated anew."),
    )

    def __init__(self, *args: object, is_share: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        version, settle = self.fields["policy_version"], self.fields["settle"]
        assert isinstance(version, forms.ModelChoiceField)  # noqa: S101 - declared above
        assert isinstance(settle, forms.ChoiceField)  # noqa: S101 - declared above
        version.queryset = PolicyVersion.objects.exclude(state=PolicyState.REJECTED).order_by("-pk").defer("text")
        settle.choices = [each for each in SETTLE_WORDS.items() if is_share or each[0] is not Settle.OTHERS]


class ProposalForm(DecisionForm):
    """The same, with the reason: this is kept."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Its owner reads it, and it stands on the credit note."),
    )
