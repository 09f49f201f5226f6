"""What one workspace is set to: the file `apportion.yaml` in its root.

Takes that file, gives `Settings`. Names files, sources and ledger accounts; never opens what it names, and
knows neither columns nor cost groups, so rooms above check those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from apportion import yamlfile
from apportion.errors import BadValueError
from apportion.money.exchange import OLDEST, Choice
from apportion.settings.ledger import LedgerAccounts, wrong_charges
from apportion.settings.parties import Party
from apportion.settings.section import Filled, Inside, Section, check_currency
from apportion.settings.targets import TargetName, TargetSettings, unknown_dimensions
from apportion.yamlfile import Flag, Text, refuse, refuse_all

FILE_NAME = "apportion.yaml"

# A source names a directory of the store, so it must be a plain file name everywhere.
SOURCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SOURCE_NAME_ADVICE = "Use up to 64 letters, digits, '.', '_' and '-', beginning with a letter or digit."

_PERCENT = re.compile(r"(\d{1,3})(?:\.(\d{1,4}))?\s?%", re.ASCII)
_ISSUER = re.compile(r"(?:https://[^\s?#]+|http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:/[^\s?#]*)?)", re.ASCII)
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,15}")


def _source_name(name: str) -> str:
    if not SOURCE_NAME.fullmatch(name):
        raise refuse("BAD_SOURCE", f"'{name}' cannot be the name of a source.", SOURCE_NAME_ADVICE)
    return name


def _issuer(address: str) -> str:
    if not _ISSUER.fullmatch(address):
        raise refuse(
            "BAD_ISSUER",
            f"'{address}' is not the address of a sign-in provider.",
            "Write its https:// address, without '/.well-known/openid-configuration' and without a '?'.",
        )
    return address.rstrip("/")


def _prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise refuse(
            "BAD_PREFIX",
            f"'{text}' cannot begin a statement's number.",
            "Use up to 16 letters, digits, '_' and '-', beginning with a letter or digit.",
        )
    return text


def _choice(text: str) -> str:
    try:
        Choice.parse(text)
    except BadValueError as error:
        raise refuse("BAD_CHOICE", error.sentence, error.advice) from None
    return text


def _ppm(value: object) -> object:
    """A part of a whole in per cent, as millionths: ``99.5%`` is 995000."""
    if not isinstance(value, str):
        return value
    found = _PERCENT.fullmatch(value.strip())
    if not found:
        advice = f"Write {value.strip()}%." if _PERCENT.fullmatch(value.strip() + "%") else "Write for example 95%."
        raise refuse("BAD_SHARE", f"'{value}' is not a per cent with at most four decimals.", advice)
    share = int(found[1]) * 10**4 + int((found[2] or "").ljust(4, "0"))
    if share > 10**6:
        raise refuse("BAD_SHARE", f"'{value}' is more than the whole.", "Write at most 100%.")
    return share


def _once_each(days: tuple[int, ...]) -> tuple[int, ...]:
    for place, day in enumerate(days):
        if day in days[:place]:
            raise refuse("DUPLICATE_DAY", f"{day} stands here a second time.", "Keep one of them.", at=(place,))
    return days


Ppm = Annotated[int, BeforeValidator(_ppm), Field(ge=0, le=10**6)]


class PayerCoding(Section):
    """The codes of the company that pays the providers; text, so that zeros in front stay."""

    company: Text = ""
    cost_center: Text = ""
    department: Text = ""
    ledger_account: Text = ""


class ExchangeSettings(Section):
    """How amounts come into another currency than they were billed in.

    `rates` are CSV files, asked in this order: reference rates of the European Central Bank, or the company's own.
    `choose` says which of their rates count for a period (see `money.exchange.Choice`), and none more than `oldest`
    days off does. In `reporting_currency` the tie-out adds all currencies up.
    """

    rates: tuple[Inside, ...] = Field(min_length=1)
    choose: Annotated[Text, AfterValidator(_choice)]
    reporting_currency: Annotated[Filled, AfterValidator(check_currency)]
    oldest: int = Field(OLDEST, ge=1, le=366)


class SiteSettings(Section):
    """Where the web application is found, and how it speaks. `url` begins every link in a mail.

    `proxies` is how many programs of the company's own stand between people and this one: each adds to
    ``X-Forwarded-For``, and only as many of its addresses are believed.
    """

    url: Text = "http://127.0.0.1:8000"
    hosts: tuple[Filled, ...] = ("127.0.0.1", "localhost", "[::1]")
    language: Literal["en", "de"] = "en"
    time_zone: Filled = "UTC"
    proxies: int = Field(default=0, ge=0, le=9)


class SingleSignOnSettings(Section):
    """The company's own sign-in by OpenID Connect. `name` stands on the button.

    The client's secret is taken from the environment (``APPORTION_SINGLE_SIGN_ON_SECRET``), else from `secret_file`,
    which is relative to the workspace. `unknown` says what happens with people whose verified mail address nobody here
    has: they are refused, or added without any role.
    """

    name: Filled
    issuer: Annotated[Filled, AfterValidator(_issuer)]
    client_id: Filled
    secret_file: Text = ""
    unknown: Literal["refuse", "add"] = "refuse"


_ROLE = Literal["analyst", "controller", "owner", "executive", "auditor", "administrator"]


class SignInSettings(Section):
    """How people prove who they are: by a password of their own, by the company's single sign-on, or by either.

    People with one of the roles in `second_factor_for` must set up a second factor before they can go on.
    """

    passwords: Flag = True
    second_factor_for: tuple[_ROLE, ...] = ()
    single_sign_on: SingleSignOnSettings | None = None

    @model_validator(mode="after")
    def _some_way_in(self) -> SignInSettings:
        if not self.passwords and self.single_sign_on is None:
            raise refuse(
                "NO_WAY_IN",
                "Without passwords and without single sign-on, nobody can sign in.",
                "Write 'passwords: true', or add 'single_sign_on'.",
                at=("passwords",),
            )
        return self


class ReviewSettings(Section):
    """How long recipients have, and what happens when they are silent.

    `days` is the time for review, in working days after issue. `silence` after it counts as acceptance, or is
    escalated. `remind` are working days before the deadline, `escalate` working days after it. Once the last dispute is
    decided, its recipient has at least `after_decision` working days. `attachment_limit` is how many bytes a file
    beside a dispute or comment may have.
    """

    days: int = Field(default=5, ge=1, le=60)
    silence: Literal["accepts", "escalates"] = "escalates"
    remind: Annotated[tuple[Annotated[int, Field(ge=0, le=60)], ...], AfterValidator(_once_each)] = (3, 1)
    escalate: Annotated[tuple[Annotated[int, Field(ge=1, le=60)], ...], AfterValidator(_once_each)] = (1, 5)
    after_decision: int = Field(default=2, ge=0, le=60)
    attachment_limit: int = Field(default=10 * 1024 * 1024, ge=1024, le=100 * 1024 * 1024)


class MailSettings(Section):
    """The server that mail leaves by; without a `host` none does. The password is in no settings file.

    It is taken from the environment (``APPORTION_MAIL_PASSWORD``), else from `password_file`, which is relative to the
    workspace root. `security` says how the connection is encrypted. With `amounts` false, no mail names an amount.
    """

    host: Text = ""
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Text = ""
    user: Text = ""
    password_file: Text = ""
    amounts: Flag = True


class ChatSettings(Section):
    """Channels that are told of what happens to many. The webhook's URL is a secret, so it is in a file of its own.

    The environment (``APPORTION_SLACK_URL``, ``APPORTION_TEAMS_URL``) comes first.
    """

    slack_file: Text = ""
    teams_file: Text = ""


class WebhookSettings(Section):
    """Where signed webhooks may go: to public HTTPS addresses, unless it is said otherwise here."""

    allow_private: Flag = False
    allow_http: Flag = False


class PostingSettings(Section):
    """What has to have become of the accepted invoices before a period can be sealed."""

    before_seal: Literal["nothing", "exported", "posted"] = "exported"


class CloseCalendarSettings(Section):
    """When each step of a period's close is due: so many working days after the period's end.

    `country` (``DE``; or a market with a calendar of its own, such as ``ECB``) and its `subdivision` (``BY``) say which
    holidays are no working days; without a country only weekends are not. The review deadline follows from the issue.
    """

    country: Text = ""
    subdivision: Text = ""
    data_complete: int = Field(default=3, ge=1, le=250)
    reconcile: int = Field(default=4, ge=1, le=250)
    allocate: int = Field(default=5, ge=1, le=250)
    issue: int = Field(default=6, ge=1, le=250)
    post: int = Field(default=13, ge=1, le=250)
    seal: int = Field(default=15, ge=1, le=250)

    @model_validator(mode="after")
    def _in_order(self) -> CloseCalendarSettings:
        names = ("data_complete", "reconcile", "allocate", "issue", "post", "seal")
        for before, name in pairwise(names):
            if getattr(self, name) < getattr(self, before):
                raise refuse(
                    "BAD_ORDER",
                    f"'{name}' is due before '{before}', on which it depends.",
                    f"Write {getattr(self, before)} or more.",
                    at=(name,),
                )
        if self.subdivision and not self.country:
            raise refuse("MISSING_KEY", "'subdivision' needs its country.", "Add 'country: …'.", at=("subdivision",))
        return self


class ReadinessSettings(Section):
    """From where on a cost group is ready for chargeback. Shares are millionths; in the file they are per cents.

    `quiet_months` is how many months in a row must pass without a dispute and with a change of at most `quiet_change`.
    """

    allocated_share: Ppm = 950_000
    tagged_share: Ppm = 900_000
    quiet_months: int = Field(default=3, ge=0, le=60)
    quiet_change: Ppm = 200_000
    open_disputes: int = Field(default=0, ge=0)


class MeasureSettings(Section):
    """Thresholds of the measures (see `docs/reference/measures.md`). `idle_pools` hold what nobody used."""

    days_to_issue: int = Field(default=10, ge=0, le=366)
    acceptance_rate: Ppm = 950_000
    disputes_per_hundred_lines: int = Field(default=2, ge=0, le=100)
    days_to_resolve: int = Field(default=5, ge=0, le=366)
    share_posted: Ppm = 950_000
    recharge_rate: Ppm = 800_000
    unused_commitment: Ppm = 50_000
    idle_pools: tuple[Filled, ...] = ()
    idle_cost: Ppm = 100_000
    anomaly_change: Ppm = 300_000
    anomaly_cost: Ppm = 100_000


class SourceSettings(Section):
    """How the deliveries of one source are read.

    `mode` says whether a delivery replaces what the source sent for the same billing periods, or adds to it.
    `assume` gives the value of a column that the files lack. `nulls` are spellings of null beside the usual
    ones. With `quarantine`, rows that break a rule are kept aside and the rest is loaded; without it, one such
    row refuses the delivery.
    """

    mode: Literal["overwrite", "append"] = "overwrite"
    assume: Mapping[Filled, Text] = Field(default_factory=dict)
    nulls: tuple[Text, ...] = ()
    quarantine: Flag = False


class Settings(Section):
    """The whole file. File names are relative to the workspace root.

    `budgets` is a CSV file of what was planned (see `apportion.budgets`); without one, nothing was.
    `currency` is the billing currency of files that have no such column; empty: they are refused. `database` is where
    the books are kept: a PostgreSQL URL, or empty for a file in the workspace. `fiscal_year_starts` is the first month
    of the fiscal year (1 to 12), which is named for the calendar year that it ends in.
    """

    company: Filled
    currency: Annotated[Text, AfterValidator(check_currency)] = ""
    policy: Inside = "policy.yaml"
    organization: Inside = "organization.yaml"
    budgets: Inside | None = None
    payer: PayerCoding = PayerCoding()
    ledger: LedgerAccounts = LedgerAccounts()
    targets: Mapping[TargetName, TargetSettings] = Field(default_factory=dict)
    parties: Mapping[Filled, Party] = Field(default_factory=dict)
    exchange: ExchangeSettings | None = None
    database: Text = ""
    site: SiteSettings = SiteSettings()
    sign_in: SignInSettings = SignInSettings()
    statement_prefix: Annotated[Text, AfterValidator(_prefix)] = "ST"
    fiscal_year_starts: int = Field(default=1, ge=1, le=12)
    review: ReviewSettings = ReviewSettings()
    mail: MailSettings = MailSettings()
    chat: ChatSettings = ChatSettings()
    webhooks: WebhookSettings = WebhookSettings()
    posting: PostingSettings = PostingSettings()
    close_calendar: CloseCalendarSettings = CloseCalendarSettings()
    readiness: ReadinessSettings = ReadinessSettings()
    measures: MeasureSettings = MeasureSettings()
    sources: Mapping[Annotated[str, AfterValidator(_source_name)], SourceSettings] = Field(default_factory=dict)
    issuer_aliases: Mapping[Filled, Filled] = Field(default_factory=dict)

    @field_validator("issuer_aliases")
    @classmethod
    def _aliases_end(cls, aliases: Mapping[str, str]) -> Mapping[str, str]:
        """One step leads to the name: a chain would depend on where it is entered, and could be a circle."""
        for spelling, name in aliases.items():
            if aliases.get(name, name) != name:
                raise refuse(
                    "CHAINED_ALIAS",
                    f"'{spelling}' stands for '{name}', which itself stands for '{aliases[name]}'.",
                    "Write the one name in both places.",
                    at=(spelling,),
                )
        return aliases

    @model_validator(mode="after")
    def _charged_by_the_payer(self) -> Settings:
        if found := wrong_charges(self.ledger, self.payer.company):
            raise refuse_all(found)
        return self

    @model_validator(mode="after")
    def _axes_of_something(self) -> Settings:
        if found := unknown_dimensions(self.targets, self.ledger.dimensions):
            raise refuse_all(found)
        return self

    def source(self, name: str) -> SourceSettings:
        """The settings of a source; the defaults for one that the file does not name."""
        return self.sources.get(name) or SourceSettings()

    def issuer(self, spelling: str) -> str:
        """The one name of an invoice issuer: its alias, or the spelling itself."""
        return self.issuer_aliases.get(spelling, spelling)


def load(root: Path) -> Settings:
    """Read `apportion.yaml` in the workspace root. Raises `DocumentError` with every mistake and its place."""
    return yamlfile.load(root / FILE_NAME, Settings)
