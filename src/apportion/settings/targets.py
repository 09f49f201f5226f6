"""The section ``targets``: where journals go, by name, and what each kind of target needs to be told.

Secrets are never in it: a target names the environment variable or the file that holds one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from apportion.settings.section import Filled, Inside, Section
from apportion.yamlfile import Refusal, Text, refuse, refuse_all, suggestion

FILES = "files"

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# Keys that people know from elsewhere, each of which would hold the secret itself.
_SECRETS = re.compile(r"pass(word|wd|phrase)?|pwd|.*token|.*key|.+secret|secret(value|text)|credentials?|bearer|auth.*")

_OURS = ("cost_center", "department")
_CHANNEL = ("format", "settings", "columns", "companion", "template")


@dataclass(frozen=True, slots=True)
class TargetKind:
    """What a kind of target needs and may be told, besides `kind`, `kinds` and its secrets.

    `secrets` are the keys of its secrets, each of which may be a file (``…_file``). `axes` are the only ones that it
    has, empty where it has any; `most_axes` is how many of them (0: no limit). `company` is what it calls companies.
    """

    title: str
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()
    most_axes: int = 0
    company: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that it has, in the order that they are told in."""
        secrets = tuple(key for secret in self.secrets for key in (secret, f"{secret}_file"))
        return (*self.needs, *secrets, *self.may, "kinds")

    @property
    def is_called(self) -> bool:
        """Is it a ledger that answers, so that it must know our companies?"""
        return "companies" in self.needs


_CALLED = ("companies", "axes")
KINDS: Mapping[str, TargetKind] = {
    "tryton": TargetKind(
        "Tryton",
        ("url", "database", "user", *_CALLED),
        ("options", "parties", "certificates"),
        ("secret",),
        options=("journal",),
    ),
    "odoo": TargetKind(
        "Odoo",
        ("url", "database", *_CALLED),
        ("options", "certificates"),
        ("secret",),
        options=("journal",),
        company=r"[0-9]+",
    ),
    "erpnext": TargetKind("ERPNext", ("url", *_CALLED), ("certificates",), ("secret",)),
    "business-central": TargetKind(
        "Business Central",
        ("tenant", "client_id", *_CALLED),
        ("environment", "url", "token_url", "scope", "certificates"),
        ("secret",),
    ),
    "netsuite": TargetKind(
        "NetSuite",
        ("account", "client_id", "token_id", *_CALLED),
        ("url", "certificates"),
        ("secret", "token_secret"),
        axes=("department", "class", "location"),
        company=r"[0-9]+",
    ),
    "xero": TargetKind(
        "Xero",
        _CALLED,
        ("client_id", "scope", "url", "token_url", "certificates"),
        ("secret",),
        most_axes=2,
        company=r"[A-Za-z0-9-]+",
    ),
    "quickbooks": TargetKind(
        "QuickBooks Online",
        _CALLED,
        ("url", "certificates"),
        ("secret",),
        axes=("Class", "Department"),
        company=r"[A-Za-z0-9-]+",
    ),
    "folder": TargetKind("a folder", ("folder",), _CHANNEL),
    "sftp": TargetKind("SFTP", ("host", "folder"), ("user", "port", "identity_file", "known_hosts", *_CHANNEL)),
    FILES: TargetKind("files", (), _CHANNEL),
}

_ABOUT = {
    "url": "the address of its interface",
    "database": "the name of the database",
    "user": "the name of its user",
    "companies": "what it calls each of your company codes",
    "axes": "where cost_center, department and dimensions go ('{}' where none of them does)",
    "tenant": "the directory that signs programs in",
    "client_id": "the id of the program that was registered there",
    "token_id": "the id of the token",
    "account": "the number of the account",
    "folder": "the folder that files are put into",
    "host": "the machine that files are sent to",
}
# What a text may be made of, where it becomes a part of an address, a header or a command.
_PRINTED = (re.compile(r"[^\x00-\x1f\x7f]+"), "Use signs that can be shown.")
_SHAPES: Mapping[str, tuple[re.Pattern[str], str]] = {
    "user": _PRINTED,
    "folder": _PRINTED,
    "database": (re.compile(r"[!-~]([ -~]*[!-~])?"), "Use letters, digits and signs of ASCII."),
    "tenant": (re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*"), "Write its id or its domain."),
    "environment": (re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*"), "Use letters, digits, '_' and '-'."),
    "account": (re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*"), "Write it as '1234567' or '1234567_SB1'."),
    "client_id": (re.compile(r"[!-~]+"), "Write it as it was given out, without blanks."),
    "token_id": (re.compile(r"[!-~]+"), "Write it as it was given out, without blanks."),
    "scope": (re.compile(r"[!-~]+( [!-~]+)*"), "Write scopes with one blank between them."),
    "host": (re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*"), "Write the name of a machine, without a user."),
}
_SFTP_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_SFTP_FOLDER = re.compile(r"/?[A-Za-z0-9_][A-Za-z0-9._/ -]*")


def _name(name: str) -> str:
    if name == FILES:
        raise refuse("RESERVED_NAME", f"'{FILES}' is the target that is always there.", "Choose another name.")
    if not _NAME.fullmatch(name):
        raise refuse(
            "BAD_NAME",
            f"'{name}' cannot be the name of a target.",
            "Use up to 32 small letters, digits and '-', beginning with a letter.",
        )
    return name


def _variable(name: str) -> str:
    """The name of an environment variable. What is not one may be the secret itself, so it is not repeated."""
    if not _VARIABLE.fullmatch(name):
        raise refuse(
            "BAD_SECRET_NAME",
            "This is not the name of an environment variable.",
            "Write a name such as LEDGER_SECRET; the secret itself is kept there, or in a file (see 'secret_file').",
        )
    return name


def _address(url: str) -> str:
    """An address that a secret may be sent to. It is not repeated: it may hold one."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise refuse(
            "BAD_ADDRESS", "This is not an address.", "Write for example https://ledger.example.com."
        ) from None
    if "@" in parts.netloc:
        advice = "Take them out of the address; the secret is kept where 'secret' or 'secret_file' says."
        raise refuse("SECRET_IN_SETTINGS", "The address holds a user or a password.", advice)
    if not host or parts.scheme not in {"https", "http"} or parts.query or parts.fragment or not _plain(url):
        advice = "Write an https:// address without '?', '#' and blanks."
        raise refuse("BAD_ADDRESS", "This is not an address that a journal can be sent to.", advice)
    if parts.scheme == "http" and host not in _LOOPBACK:
        advice = "Write https://; http:// is for this machine alone."
        raise refuse("NOT_ENCRYPTED", f"Everybody on the way to {host} could read the secret.", advice)
    return url.rstrip("/")


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


TargetName = Annotated[str, AfterValidator(_name)]
Variable = Annotated[Text, AfterValidator(_variable)]
Address = Annotated[Text, AfterValidator(_address)]
_JOURNALS = Literal["transfer", "provider", "accrual", "true_up", "prepaid", "remainder", "showback"]


class TargetSettings(Section):
    """One target. Which keys it has depends on its kind (see `KINDS`); file names are relative to the workspace.

    `companies` says what the ledger calls each of our company codes, `axes` under which of its dimensions each of our
    codes goes, `parties` who a partner is there. `secret` and `token_secret` name environment variables, which come
    before their files. `format` is the name of a file format or ``all``; `settings`, `columns`, `companion` and
    `template` are that format's. `kinds` are the journals that go here; without any, all do.
    """

    kind: Literal[
        "tryton",
        "odoo",
        "erpnext",
        "business-central",
        "netsuite",
        "xero",
        "quickbooks",
        "folder",
        "sftp",
        "files",
    ]
    url: Address = ""
    database: Text = ""
    user: Text = ""
    account: Text = ""
    tenant: Text = ""
    environment: Text = ""
    client_id: Text = ""
    token_id: Text = ""
    token_url: Address = ""
    scope: Text = ""
    secret: Variable = ""
    secret_file: Inside = ""
    token_secret: Variable = ""
    token_secret_file: Inside = ""
    certificates: Inside = ""
    companies: Mapping[Filled, Filled] = Field(default_factory=dict)
    axes: Mapping[Filled, Filled] = Field(default_factory=dict)
    options: Mapping[Filled, Text] = Field(default_factory=dict)
    parties: Mapping[Filled, Filled] = Field(default_factory=dict)
    folder: Text = ""
    host: Text = ""
    port: int | None = Field(default=None, ge=1, le=65535)
    identity_file: Inside = ""
    known_hosts: Inside = ""
    format: Text = ""
    settings: Mapping[Filled, Text] = Field(default_factory=dict)
    columns: Mapping[Filled, Text] = Field(default_factory=dict)
    companion: tuple[Filled, ...] = ()
    template: Inside = ""
    kinds: tuple[_JOURNALS, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _no_secrets(cls, given: Any) -> Any:
        if isinstance(given, dict):
            found = [
                Refusal(
                    "SECRET_IN_SETTINGS",
                    f"'{key}' would put a secret into the settings, where everybody with the file can read it.",
                    "Name an environment variable ('secret: LEDGER_SECRET') or a file that only its owner can read "
                    "('secret_file: …'). A secret that was written here is no secret any more: change it.",
                    at=(key,),
                )
                for key in given
                if key not in cls.model_fields and _SECRETS.fullmatch(re.sub("[^a-z]", "", key.casefold()))
            ]
            if found:
                raise refuse_all(found)
        return given

    @model_validator(mode="after")
    def _as_its_kind(self) -> TargetSettings:
        found = [*_strange_keys(self), *_missing_keys(self), *_wrong_texts(self), *_wrong_names(self)]
        if found:
            raise refuse_all(found)
        return self

    @property
    def is_called(self) -> bool:
        """Is it a ledger that answers?"""
        return KINDS[self.kind].is_called

    def takes(self, kind: str) -> bool:
        """Do journals of this kind go here? A reversal goes where the journal went that it takes back.

        Showback is counted and no money, so only files have it.
        """
        if kind == "showback" and self.kind != FILES:
            return False
        return not self.kinds or kind in self.kinds or kind == "reversal"


def _strange_keys(target: TargetSettings) -> Iterator[Refusal]:
    kind = KINDS[target.kind]
    for key in sorted(target.model_fields_set - {"kind", *kind.keys}):
        advice = f"Its keys are {', '.join(kind.keys)}."
        yield Refusal("NOT_ITS_KEY", f"A target of the kind '{target.kind}' has no '{key}'.", advice, at=(key,))


def _missing_keys(target: TargetSettings) -> Iterator[Refusal]:
    kind = KINDS[target.kind]
    for key in kind.needs:
        is_said = key in target.model_fields_set if key == "axes" else getattr(target, key)
        if not is_said:
            said = f"A target of the kind '{target.kind}' needs '{key}': {_ABOUT[key]}."
            yield Refusal("MISSING_KEY", said, f"Add '{key}: …'.")
    for key in kind.secrets:
        if not getattr(target, key) and not getattr(target, f"{key}_file"):
            said = f"A target of the kind '{target.kind}' needs to be told where its {key.replace('_', ' ')} is."
            advice = (
                f"Add '{key}: NAME' with the name of an environment variable, or '{key}_file: …' with a file of the "
                "workspace that only its owner can read."
            )
            yield Refusal("MISSING_KEY", said, advice)
    if target.kind == "xero" and target.client_id and not target.scope:
        yield Refusal("MISSING_KEY", "'client_id' needs 'scope': what the program was allowed.", "Add 'scope: …'.")
    if target.kind == "xero" and not target.client_id:
        for key in sorted(target.model_fields_set & {"scope", "token_url"}):
            yield Refusal("MISSING_KEY", f"'{key}' is for fetching tokens.", "Add 'client_id: …'.", at=(key,))


def _wrong_texts(target: TargetSettings) -> Iterator[Refusal]:
    shapes = dict(_SHAPES)
    if target.kind == "sftp":
        shapes["user"] = (_SFTP_USER, "Use letters, digits, '.', '_' and '-'.")
        shapes["folder"] = (_SFTP_FOLDER, "Use letters, digits, '.', '_', '-', '/' and blanks.")
    for key, (shape, advice) in shapes.items():
        text = getattr(target, key)
        if text and not shape.fullmatch(text):
            yield Refusal("BAD_VALUE", f"'{text}' cannot stand for '{key}'.", advice, at=(key,))
    if target.kind != FILES and "showback" in target.kinds:
        advice = "Leave it out; a target of the kind 'files' takes it."
        place = ("kinds", target.kinds.index("showback"))
        yield Refusal("NOT_PUSHED", "Showback is counted and no money: it is never pushed.", advice, at=place)


def _wrong_names(target: TargetSettings) -> Iterator[Refusal]:
    kind = KINDS[target.kind]
    for name in target.options if "options" in kind.may else ():
        if name not in kind.options:
            advice = suggestion(name, kind.options) or f"Its options are {', '.join(kind.options)}."
            yield Refusal("UNKNOWN_OPTION", f"{kind.title} has no option '{name}'.", advice, at=("options", name))
    for company, theirs in target.companies.items() if kind.is_called else ():
        if kind.company and not re.fullmatch(kind.company, theirs):
            said = f"{kind.title} knows companies by an id, and '{theirs}' is none."
            yield Refusal("BAD_COMPANY", said, "Write the id that it has for the company.", at=("companies", company))
    yield from _wrong_axes(target, kind)


def _wrong_axes(target: TargetSettings, kind: TargetKind) -> Iterator[Refusal]:
    seen: dict[str, str] = {}
    for ours, theirs in target.axes.items() if kind.is_called else ():
        at = ("axes", ours)
        if kind.axes and theirs not in kind.axes:
            advice = suggestion(theirs, kind.axes) or f"It has {', '.join(kind.axes)}."
            yield Refusal("BAD_AXIS", f"{kind.title} has no '{theirs}' on a line.", advice, at=at)
        if target.kind == "erpnext" and not re.fullmatch("[a-z][a-z0-9_]*", theirs):
            advice = "Write the name of the field: small letters, digits and '_'."
            yield Refusal("BAD_AXIS", f"'{theirs}' is no field of a line in ERPNext.", advice, at=at)
        if theirs in seen:
            said = f"'{ours}' and '{seen[theirs]}' would both go to '{theirs}', which holds one code."
            yield Refusal("DUPLICATE_AXIS", said, "Give each a place of its own, or leave one out.", at=at)
        seen.setdefault(theirs, ours)
    if kind.most_axes and len(target.axes) > kind.most_axes:
        said = f"{kind.title} has {kind.most_axes} of them at most, and here are {len(target.axes)}."
        yield Refusal("BAD_AXIS", said, "Leave the others out.", at=("axes",))


def unknown_dimensions(targets: Mapping[str, TargetSettings], dimensions: Iterable[str]) -> tuple[Refusal, ...]:
    """Axes for something that no line has: its codes would stay here in silence, so this is a mistake."""
    known = (*_OURS, *dimensions)
    return tuple(
        Refusal(
            "UNKNOWN_DIMENSION",
            f"No line of a journal has a '{ours}'.",
            suggestion(ours, known) or f"It can be {', '.join(known)}; name other dimensions in 'ledger.dimensions'.",
            at=("targets", name, "axes", ours),
        )
        for name, target in targets.items()
        for ours in target.axes
        if ours not in known
    )
