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
from apportion.records import DATABASE, WORKSPACE
from apportion.settings import Settings
from apportion.warehouse.store import STORE

BOOKS = "books.sqlite3"
_KEY = "secret_key"
_PACKAGE = Path(__file__).parent.parent


def _sqlite(path: Path | str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            # A writer takes its lock at the beginning, so that two never wait for each other half way through.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
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
        "OPTIONS": {**options, "pool": {"min_size": 1, "max_size": 16, "timeout": 30}},
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


APPORTION_WORKSPACE = Path(os.environ.get(WORKSPACE) or Path.cwd())
_STORE = APPORTION_WORKSPACE / STORE
_found = (APPORTION_WORKSPACE / settings_file.FILE_NAME).is_file()
_settings = settings_file.load(APPORTION_WORKSPACE) if _found else Settings(company="Apportion")

DEBUG = False
SECRET_KEY = _secret_key(_STORE)
DATABASES = {"default": _database(os.environ.get(DATABASE) or _settings.database, _STORE)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ATTACHMENTS = _STORE / "attachments"

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
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apportion.web.middleware.SecureHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apportion.web.middleware.Acting",
    "apportion.web.middleware.Refusals",
]
ROOT_URLCONF = "apportion.web.urls"
WSGI_APPLICATION = "apportion.web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_PACKAGE / "web" / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apportion.web.context.page",
            ],
            "loaders": [("django.template.loaders.cached.Loader", ["django.template.loaders.filesystem.Loader"])],
            "builtins": ["apportion.web.templatetags.apportion"],
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
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"

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

STATIC_URL = "/static/"
STATIC_ROOT = _STORE / "static"
STATICFILES_DIRS = [_PACKAGE / "web" / "static"]
WHITENOISE_USE_FINDERS = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False}},
}
