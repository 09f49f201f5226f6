"""A target as the settings describe it: opened when it is used, with its secrets read then and not before.

Takes the settings of one target and the workspace; gives the target that a push talks to, or the options that files
are rendered with. Nothing is sent here.
"""

from __future__ import annotations

import os
import shutil
import ssl
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from apportion import settings, yamlfile
from apportion.errors import ApportionError, InputRefusedError, Mistake, Place
from apportion.periods import BillingPeriod
from apportion.post.erp.business_central import BusinessCentralTarget
from apportion.post.erp.connected import Setup
from apportion.post.erp.erpnext import ErpNextTarget
from apportion.post.erp.folder import FolderTarget
from apportion.post.erp.netsuite import NetSuiteTarget
from apportion.post.erp.oauth import ClientCredentials, Signed
from apportion.post.erp.odoo import OdooTarget
from apportion.post.erp.opening_files import ALL, Dress, DressedFolder, DressedSftp, formats, rendered
from apportion.post.erp.quickbooks import QuickBooksTarget
from apportion.post.erp.secret import Secret, secret
from apportion.post.erp.sftp import SftpTarget
from apportion.post.erp.target import Target
from apportion.post.erp.tryton import TrytonTarget
from apportion.post.erp.xero import XeroTarget
from apportion.post.formats import generic, sap, targets
from apportion.post.formats.lines import CHOICES, DIMENSION
from apportion.post.formats.target import Options
from apportion.post.journal import Journal
from apportion.settings.targets import FILES, KINDS, TargetSettings
from apportion.yamlfile import suggestion

# The addresses of ledgers that their makers run; a kind that companies run themselves has none.
_BUSINESS_CENTRAL = "https://api.businesscentral.dynamics.com"
_MICROSOFT = "https://login.microsoftonline.com"
_QUICKBOOKS = "https://quickbooks.api.intuit.com"
_XERO, _XERO_TOKENS = "https://api.xero.com", "https://identity.xero.com/connect/token"

_TEMPLATED = ("sap-csv", "sap-xlsx")
_NOTHING = Journal("JN", BillingPeriod(2000, 1), "", ())


def opened(name: str, found: TargetSettings, root: Path) -> Target:
    """The target of that name. Secrets and files are read now; the ledger itself is not asked anything yet.

    Raises `InputRefusedError` for a target that only people take files to, for a secret that is not there or that
    others can read, and for files and formats that cannot be used.
    """
    if found.kind == FILES:
        raise InputRefusedError(
            f"Nothing can be pushed to '{name}': its files are handed over by somebody.",
            advice="Export the journal, and confirm it when the ledger has it.",
        )
    if found.kind == "folder":
        return _folder(name, found, root)
    return _sftp(name, found, root) if found.kind == "sftp" else _called(name, found, root)


def format_of(found: TargetSettings) -> str:
    """The name of the format that a journal for this target is written in; ``all`` where none was chosen."""
    return found.format or ALL


def options_of(found: TargetSettings, currencies: Mapping[str, str], root: Path) -> Options:
    """What its format is told. `currencies` says in which currency each company keeps its books.

    Raises `InputRefusedError` for a template that cannot be read.
    """
    chosen = Options(found.settings, found.columns, frozenset(found.companion), currencies)
    if not found.template:
        return chosen
    options = sap.with_template(chosen, yamlfile.read_bytes(root / found.template))
    target = targets.TARGETS.get(format_of(found))
    known = {setting.name for setting in target.settings} if target else set()
    read = {key: value for key, value in options.settings.items() if key in known}
    return replace(options, settings={**read, **found.settings})


def checked(name: str, found: TargetSettings, root: Path) -> tuple[Mistake, ...]:
    """What is wrong with a target before anything is sent: its secrets, its files, its folder and its format.

    Each mistake has its place in the settings file. Nothing leaves this machine.
    """
    mistakes = []
    for key, check in _checks(name, found, root):
        try:
            check()
        except ApportionError as error:
            place = _place(name, key, root)
            mistakes.append(Mistake(error.code, error.sentence, place, error.advice))
    return tuple(mistakes)


def _checks(name: str, found: TargetSettings, root: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Each key with what must not raise."""
    for key in KINDS[found.kind].secrets:
        yield (key if getattr(found, key) else f"{key}_file"), lambda key=key: _secret(name, found, root, key)  # type: ignore[misc]
    if found.certificates:
        yield "certificates", lambda: _certificates(found, root)
    if found.kind == "folder":
        yield "folder", lambda: FolderTarget(name, root / found.folder).check(())
        yield "folder", lambda: _writable(name, root / found.folder)
    if found.kind == "sftp":
        yield "kind", _there_is_sftp
        yield "identity_file", lambda: _identity(found, root)
        yield "known_hosts", lambda: _known_hosts(found, root)
    if not found.is_called:
        yield from _checks_of_format(found, root)


def _place(name: str, key: str, root: Path) -> Place:
    """Where the key stands; without a settings file that can be read, its name alone."""
    file, field = root / settings.FILE_NAME, f"targets.{name}.{key}"
    try:
        places = yamlfile.load_document(file, settings.Settings).places
    except ApportionError:
        return Place(str(file), field=field)
    return replace(places.at("targets", name, key), field=field)


# Ledgers that answer.


def _called(name: str, found: TargetSettings, root: Path) -> Target:
    options = {**found.options, "database": found.database} if found.kind == "odoo" else found.options
    setup = Setup(name, found.companies, found.axes, options, found.parties)
    key = _secret(name, found, root)
    more: dict[str, Any] = {"certificates": _certificates(found, root)}
    match found.kind:
        case "tryton":
            return TrytonTarget(found.url, found.database, found.user, key, setup, **more)
        case "odoo":
            return OdooTarget(found.url, setup, key, **more)
        case "erpnext":
            return ErpNextTarget(found.url, setup, key, **more)
        case "quickbooks":
            return QuickBooksTarget(found.url or _QUICKBOOKS, setup, key, **more)
        case "netsuite":
            signed = Signed(
                found.account.upper().replace("-", "_"),
                found.client_id,
                key,
                found.token_id,
                _secret(name, found, root, "token_secret"),
            )
            return NetSuiteTarget(found.url or _netsuite(found.account), setup, Secret(""), signed=signed, **more)
        case "xero":
            own = _tokens(found, key, _XERO_TOKENS, "", more) if found.client_id else None
            return XeroTarget(found.url or _XERO, setup, Secret("") if own else key, tokens=own, **more)
        case _:
            url = f"{found.url or _BUSINESS_CENTRAL}/v2.0/{found.tenant}/{found.environment or 'production'}"
            where = f"{_MICROSOFT}/{found.tenant}/oauth2/v2.0/token"
            tokens = _tokens(found, key, where, f"{_BUSINESS_CENTRAL}/.default", more)
            return BusinessCentralTarget(url, setup, Secret(""), tokens=tokens, **more)


def _tokens(found: TargetSettings, key: Secret, url: str, scope: str, more: dict[str, Any]) -> ClientCredentials:
    return ClientCredentials(found.token_url or url, found.client_id, key, found.scope or scope, **more)


def _netsuite(account: str) -> str:
    return f"https://{account.lower().replace('_', '-')}.suitetalk.api.netsuite.com"


def _secret(name: str, found: TargetSettings, root: Path, key: str = "secret") -> Secret:
    """The secret from its environment variable, else from its file."""
    variable = getattr(found, key) or f"APPORTION_TARGET_{name.upper().replace('-', '_')}_{key.upper()}"
    held = secret(variable, getattr(found, f"{key}_file"), root)
    in_header = found.kind != "tryton"
    if not held.text.isprintable() or held.text != held.text.strip() or (in_header and not held.text.isascii()):
        raise InputRefusedError(
            f"The secret {variable} holds a line end, blanks around it, or signs that cannot be sent.",
            place=Place(field=variable),
            advice="Set it again, exactly as it was given out.",
        )
    return held


def _certificates(found: TargetSettings, root: Path) -> str:
    """The file of certificates that are trusted beside no others, empty for those of the system."""
    if not found.certificates:
        return ""
    path = root / found.certificates
    try:
        ssl.create_default_context(cafile=str(path))
    except OSError as error:
        why = "it holds none" if isinstance(error, ssl.SSLError) else (error.strerror or "").lower()
        raise InputRefusedError(
            f"The certificates cannot be read: {why}.",
            place=Place(found.certificates),
            advice="Put the certificate of your own authority there, as PEM text.",
        ) from None
    return str(path)


# Folders, here and elsewhere.


def _folder(name: str, found: TargetSettings, root: Path) -> Target:
    folder = root / found.folder
    return DressedFolder(name, folder, dress=_dress(found, root)) if found.format else FolderTarget(name, folder)


def _sftp(name: str, found: TargetSettings, root: Path) -> Target:
    command = ["sftp", *(["-P", str(found.port)] if found.port else [])]
    identity, hosts = _identity(found, root), _known_hosts(found, root)
    if identity:  # no other key that an agent may hold
        command.append("-oIdentitiesOnly=yes")
    if hosts:
        quoted = hosts.replace("%", "%%")
        command += [f'-oUserKnownHostsFile="{quoted}"', "-oGlobalKnownHostsFile=/dev/null"]
    more: dict[str, Any] = {
        "place": f"{found.user}@{found.host}" if found.user else found.host,
        "identity": identity,
        "command": tuple(command),
    }
    folder = Path(found.folder)
    return (
        DressedSftp(name, folder, dress=_dress(found, root), **more)
        if found.format
        else SftpTarget(name, folder, **more)
    )


def _dress(found: TargetSettings, root: Path) -> Dress:
    for _, check in _checks_of_format(found, root):
        check()
    return Dress(format_of(found), options_of(found, {}, root))


def _writable(name: str, folder: Path) -> None:
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise InputRefusedError(f"The folder of {name} cannot be written.", advice="Give the right to write.")


def _there_is_sftp() -> None:
    if shutil.which("sftp") is None:
        raise InputRefusedError("There is no `sftp` on this machine.", advice="Install the OpenSSH client.")


def _identity(found: TargetSettings, root: Path) -> str:
    """The file of the private key. Raises `InputRefusedError` where others can use it."""
    if not found.identity_file:
        return ""
    path = root / found.identity_file
    held = _plain_file(path, found.identity_file)
    if held.st_mode & 0o077 or held.st_uid not in {os.geteuid(), 0}:
        raise InputRefusedError(
            f"Others on this machine can use the private key (its rights are {stat.S_IMODE(held.st_mode):03o}).",
            place=Place(found.identity_file),
            advice=f"Run `chmod 600 {path.name}`, and make another key if somebody may have read it.",
        )
    return str(path)


def _known_hosts(found: TargetSettings, root: Path) -> str:
    if not found.known_hosts:
        return ""
    _plain_file(root / found.known_hosts, found.known_hosts)
    return str(root / found.known_hosts)


def _plain_file(path: Path, name: str) -> os.stat_result:
    try:
        held = path.stat()
    except OSError as error:
        why = (error.strerror or "").lower()
        raise InputRefusedError(f"'{name}' cannot be read: {why}.", place=Place(name), advice="Make it.") from None
    if not stat.S_ISREG(held.st_mode) or '"' in str(path):
        raise InputRefusedError(f"'{name}' is not a plain file.", place=Place(name), advice="Name the file itself.")
    return held


# Formats.


def _checks_of_format(found: TargetSettings, root: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """What must not raise, in an order in which the first mistake hides those that follow from it."""
    name = format_of(found)
    target = targets.TARGETS.get(name)
    if name not in formats():
        yield "format", lambda: _no_such_format(name)
        return
    if target is None:
        for key in ("settings", "columns", "companion", "template"):
            if getattr(found, key):
                yield key, lambda key=key: _not_for(key, found.format)  # type: ignore[misc]
        return
    for field in found.companion:
        yield "companion", lambda field=field: _known_field(field)  # type: ignore[misc]
    if found.template and name not in _TEMPLATED:
        yield "template", lambda: _not_for("template", name)
        return
    try:
        options = options_of(found, {}, root)
    except ApportionError as error:
        yield "template", _raising(error)
        return
    try:
        target.chosen(options)
    except ApportionError as error:
        yield "settings", _raising(error)
        return
    where = "columns" if found.columns else "template" if name in _TEMPLATED else "settings"
    yield where, lambda: rendered(name, _NOTHING, options)


def _raising(error: ApportionError) -> Callable[[], object]:
    def check() -> object:
        raise error

    return check


def _no_such_format(name: str) -> None:
    advice = suggestion(name, formats()) or f"It can be {', '.join(formats())}."
    raise InputRefusedError(f"There is no format '{name}'.", advice=advice)


def _not_for(key: str, name: str) -> None:
    if not name:
        raise InputRefusedError(f"'{key}' is about a format, and none is named.", advice="Add 'format: …'.")
    if key == "template":
        only = " and ".join(_TEMPLATED)
        raise InputRefusedError(f"The format '{name}' follows no template; {only} do.", advice="Leave it out.")
    kept = ", ".join((ALL, *generic.NAMES))
    raise InputRefusedError(f"The format '{name}' has no '{key}'.", advice=f"Leave it out; {kept} are always the same.")


def _known_field(field: str) -> None:
    if field not in CHOICES and not field.startswith(DIMENSION):
        advice = suggestion(field, CHOICES) or f"Use one of {', '.join(CHOICES)}, or dimension.NAME."
        raise InputRefusedError(f"'{field}' is not a field of a line.", advice=advice)
