"""Django's settings, from the workspace's own: one place, two databases, nothing from outside.

`APPORTION_WORKSPACE` names the workspace (`records.boot` sets it); `APPORTION_DATABASE` overrides the setting
`database`, as for a password that no file should hold.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from apportion import settings as settings_file
from apportion.errors import Place, WorkspaceError
from apportion.records import DATABASE, WORKSPACE, secret
from apportion.settings import Settings, SingleSignOnSettings
from apportion.warehouse.store import STORE

BOOKS = "books.sqlite3"
_KEY = "secret_key"
_PACKAGE = Path(__file__).parent.parent


def _sqlite(path: Path | str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": 600,  # opening the file anew for each page would be a fifth of an empty one
        "OPTIONS": {
            # A writer takes its lock at the beginning, so that two never wait for each other half way through.
            "transaction_mode": "IMMEDIATE",
            "timeout": 60,  # as long as issuing a large month may hold the one write lock
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        },
    }


def _database(url: str, store: Path) -> dict[str, Any]:
    if not url:
        return _sqlite(store / BOOKS)
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise WorkspaceError(
            "The database is not one that books can be kept in.",
            place=Place(settings_file.FILE_NAME, field="database"),
            advice="Write postgresql://USER:PASSWORD@HOST:PORT/NAME, or leave it empty for a file in the workspace.",
        )
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": {
            **options,
            "pool": {"min_size": 1, "max_size": 16, "timeout": 30},
            "prepare_threshold": 3,  # for `records.ready` alone: Django's own queries name their values in the text
        },
    }


def _secret_key(store: Path) -> str:
    """The key that signs sessions and forms: made once, readable by its owner only."""
    path = store / _KEY
    if not path.is_file():
        if not store.is_dir():
            return secrets.token_urlsafe(50)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text(encoding="ascii")


def _provider(found: SingleSignOnSettings | None, root: Path) -> dict[str, Any]:
    """The company's sign-in provider as allauth wants it."""
    if found is None:
        return {}
    client = {
        "provider_id": "company",
        "name": found.name,
        "client_id": found.client_id,
        "secret": secret("APPORTION_SINGLE_SIGN_ON_SECRET", found.secret_file, root),
        "settings": {"server_url": found.issuer},
    }
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [client]}}


APPORTION_WORKSPACE = Path(os.environ.get(WORKSPACE) or Path.cwd())
_STORE = APPORTION_WORKSPACE / STORE
_found = (APPORTION_WORKSPACE / settings_file.FILE_NAME).is_file()
_settings = settings_file.load(APPORTION_WORKSPACE) if _found else Settings(company="Apportion")

DEBUG = False
SECRET_KEY = _secret_key(_STORE)
DATABASES = {"default": _database(os.environ.get(DATABASE) or _settings.database, _STORE)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ATTACHMENTS = _STORE / "attachments"
APPORTION_COMPANY = _settings.company

_SITE = _settings.site
ALLOWED_HOSTS = [*_SITE.hosts]
CSRF_TRUSTED_ORIGINS = [_SITE.url] if _SITE.url.startswith("https://") else []
_IS_SECURE = _SITE.url.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "apportion.records.apps.RecordsConfig",
    "apportion.web.apps.WebConfig",
]
MIDDLEWARE = [
    "apportion.web.frame.middleware.LettingGo",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apportion.web.frame.middleware.SecureHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "apportion.web.frame.middleware.Readable",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apportion.web.frame.middleware.Acting",
    "apportion.web.frame.middleware.Refusals",
]
ROOT_URLCONF = "apportion.web.urls"
WSGI_APPLICATION = "apportion.web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "apportion.web.frame.rendering.Templates",
        "NAME": "django",
        "DIRS": [_PACKAGE / "web" / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apportion.web.frame.context.page",
            ],
            "loaders": [("django.template.loaders.cached.Loader", ["django.template.loaders.filesystem.Loader"])],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "apportion.web.templatetags.apportion",
            ],
            "libraries": {"apportion": "apportion.web.templatetags.apportion"},
        },
    }
]

AUTH_USER_MODEL = "records.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Who tried how often is counted where every process of this machine sees it.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(_STORE / "counters"),
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
    if _STORE.is_dir()
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
PASSWORD_RESET_TIMEOUT = 60 * 60

_SIGN_IN = _settings.sign_in
APPORTION_PASSWORDS = _SIGN_IN.passwords
APPORTION_SECOND_FACTOR_FOR = frozenset(_SIGN_IN.second_factor_for)
APPORTION_SINGLE_SIGN_ON = _SIGN_IN.single_sign_on
ALLAUTH_TRUSTED_PROXY_COUNT = _SITE.proxies
ACCOUNT_ADAPTER = "apportion.web.adapters.SignInAdapter"
ACCOUNT_FORMS = {
    "login": "apportion.web.sign_in_forms.SignInForm",
    "reset_password": "apportion.web.sign_in_forms.ForgottenForm",
    "reset_password_from_key": "apportion.web.sign_in_forms.NewPasswordForm",
    "change_password": "apportion.web.sign_in_forms.ChangeForm",
    "set_password": "apportion.web.sign_in_forms.FirstForm",
    "reauthenticate": "apportion.web.sign_in_forms.AgainForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # strangers' letter boxes are left alone
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "20/m/ip,5/300s/key", "reset_password": "20/h/ip,3/h/key"}
SOCIALACCOUNT_ADAPTER = "apportion.web.adapters.SingleSignOnAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_LOGIN_ON_GET = True  # our own view takes POST only
SOCIALACCOUNT_PROVIDERS = _provider(_SIGN_IN.single_sign_on, APPORTION_WORKSPACE)
MFA_ADAPTER = "apportion.web.adapters.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "apportion.web.sign_in_forms.CodeForm",
    "reauthenticate": "apportion.web.sign_in_forms.CodeAgainForm",
    "activate_totp": "apportion.web.sign_in_forms.FirstCodeForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = f"Apportion {_settings.company}"
MFA_ALLOW_UNVERIFIED_EMAIL = True

LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"

SESSION_ENGINE = "apportion.records.sessions"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _IS_SECURE else None
SECURE_HSTS_SECONDS = 31_536_000 if _IS_SECURE else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_048_576

LANGUAGE_CODE = _SITE.language
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [_PACKAGE / "web" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = _SITE.time_zone

_MAIL = _settings.mail
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if _MAIL.host else 'dummy'}.EmailBackend"
EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = _MAIL.host, _MAIL.port, 20
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.security == "starttls", _MAIL.security == "tls"
EMAIL_HOST_USER = _MAIL.user
EMAIL_HOST_PASSWORD = secret("APPORTION_MAIL_PASSWORD", _MAIL.password_file, APPORTION_WORKSPACE)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = _MAIL.sender or "apportion@localhost"

STATIC_URL = "/static/"
STATICFILES_DIRS = [_PACKAGE / "web" / "static"]
WHITENOISE_USE_FINDERS = True

CSRF_FAILURE_VIEW = "apportion.web.frame.refusals.form_refused"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "apportion.web.frame.log.RequestNumber"}},
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} request {request_number}: {message}", "style": "{"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["request"], "formatter": "line"}},
    "loggers": {"django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False}},
}
