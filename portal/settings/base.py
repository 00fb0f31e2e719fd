"""Applications, database, templates, static files, security."""

from typing import Any

import dj_database_url

from portal.settings.environment import (
    BASE_DIR,
    MODE,
    PRODUCTION,
    VAR,
    encryption_keys,
    env,
    given,
    metrics_token,
    required,
    secret_key,
)
from portal.settings.signin import SIGNIN_APPS

SECRET_KEY = secret_key()
# Encrypt private keys at rest: the first encrypts, all decrypt. None = derived from SECRET_KEY.
ENCRYPTION_KEYS = encryption_keys()
METRICS_TOKEN = metrics_token()
DEBUG = env.bool("GATEHOUSE_DEBUG", False) and not PRODUCTION
ALLOWED_HOSTS = [
    host.strip()
    for host in (
        required("ALLOWED_HOSTS", "the host names of the portal, separated by commas")
        or "localhost,127.0.0.1,[::1],testserver"
    ).split(",")
]
GATEHOUSE_MODE = MODE
GATEHOUSE_VAR = VAR
GATEHOUSE_DEMO = given("GATEHOUSE_DEMO", "0") == "1"
# What a client program calls; shown in curl lines and documents.
GATEWAY_URL = given("GATEHOUSE_GATEWAY_URL", "http://localhost:8080").rstrip("/")
# Where the portal reaches a gateway node, for calls that keys/verify consumes.
NODE_URL = given("GATEHOUSE_NODE_URL", GATEWAY_URL).rstrip("/")
PORTAL_URL = given("GATEHOUSE_PORTAL_URL", "http://localhost:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = [PORTAL_URL]

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    *SIGNIN_APPS,
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "apis",
    "access",
    "metering",
    "billing",
    "nodes",
    "rest",
    "portal",
]
MESSAGE_STORAGE = "portal.message_storage.SentenceStorage"
MIDDLEWARE = [
    "portal.middleware.OwnDomain",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "portal.helping.Helping",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.middleware.ContentSecurityPolicy",
    "portal.signed_in.Sessions",
    "portal.signed_in.SecondFactor",
]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.site",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": dict(
        dj_database_url.parse(
            required("DATABASE_URL", "postgresql://user:password@host/name")
            or "postgresql://localhost/gatehouse"
        )
    )
}
if MODE != "test":
    # a pooled connection that died with a restarted server is noticed and replaced
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["OPTIONS"] = {
        "pool": {"min_size": 1, "max_size": env.int("GATEHOUSE_DB_POOL", 16), "timeout": 3}
    }

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    if MODE != "test"
    else "django.contrib.auth.hashers.MD5PasswordHasher"
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static" if PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# outside production static files are served from where they lie; nothing needs collecting
WHITENOISE_USE_FINDERS = not PRODUCTION
# each of a test's clients makes middleware of its own, which need not list all files
WHITENOISE_AUTOREFRESH = MODE == "test"

HTTPS = PORTAL_URL.startswith("https://")
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "gatehouse_session"
CSRF_COOKIE_NAME = "gatehouse_csrf"
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "filters": {"links": {"()": "portal.log_filter.HideLinks"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["links"]}},
    # they tell each step of each document, and the id of each passkey
    "loggers": {name: {"level": "WARNING"} for name in ("weasyprint", "fontTools", "fido2")},
    "root": {"handlers": ["console"], "level": env.str("GATEHOUSE_LOG_LEVEL", "INFO")},
}
