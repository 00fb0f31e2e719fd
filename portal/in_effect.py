"""What the environment set, as staff see it: in words, with the variable's name, and never a secret.

docs/settings.md tells more of each variable; a test holds that none of its control plane is missing here.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from portal import formats
from portal.settings.environment import given
from portal.settings.signin import KNOWN_PROVIDERS

NONE = "none"


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable and what holds. `given` = the environment sets it; else it is the default."""

    name: str
    what: str
    value: str
    given: bool


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    settings: list[Setting]


def groups() -> list[Group]:
    """Return all settings of the control plane."""
    made = (
        ("Website", _website()),
        ("Sign-in", _signin()),
        ("Mail", _mail()),
        ("APIs and gateway", _gateway()),
        ("Billing and payment", _billing() + _payment()),
        ("How long things are kept", _kept()),
        ("Webhooks", _webhooks()),
        ("Services", _services()),
        ("Secrets", _secrets()),
    )
    return [Group(title, found) for title, found in made]


def _setting(name: str, what: str, value: Any) -> Setting:
    return Setting(name, what, _words(value), bool(given(name)))


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return formats.number(value)
    if isinstance(value, str):
        return value or NONE
    return ", ".join(map(str, value)) or NONE


def _website() -> list[Setting]:
    return [
        _setting("GATEHOUSE_MODE", "Mode", settings.GATEHOUSE_MODE),
        _setting("GATEHOUSE_PORTAL_URL", "Public address", settings.PORTAL_URL),
        _setting("ALLOWED_HOSTS", "Host names", settings.ALLOWED_HOSTS),
        _setting(
            "GATEHOUSE_TRUSTED_PROXIES", "Proxies before the portal", settings.ALLAUTH_TRUSTED_PROXY_COUNT
        ),
        _setting("GATEHOUSE_DEBUG", "Django's debug pages", settings.DEBUG),
        _setting("GATEHOUSE_LOG_LEVEL", "Log level", logging.getLevelName(logging.getLogger().level)),
    ]


def _signin() -> list[Setting]:
    clients = _known_with("CLIENT_ID")
    named = "GATEHOUSE_*_CLIENT_ID"
    return [
        _setting("GATEHOUSE_SIGNUP_OPEN", "Sign-up is open", settings.GATEHOUSE_SIGNUP_OPEN),
        _setting("GATEHOUSE_PASSKEYS", "Passkeys alone sign in", settings.MFA_PASSKEY_LOGIN_ENABLED),
        _setting("GATEHOUSE_REQUIRE_MFA", "Must have a second factor", settings.GATEHOUSE_REQUIRE_MFA),
        Setting(named, "Sign-in with", _words(clients), bool(clients)),
        _setting("GATEHOUSE_OIDC", "OpenID Connect providers", _oidc()),
    ]


def _known_with(what: str) -> list[str]:
    """The known providers of which the environment sets this."""
    return [name for name in KNOWN_PROVIDERS if given(f"GATEHOUSE_{name.upper()}_{what}")]


def _oidc() -> list[str]:
    apps: list[dict[str, str]] = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    return [app["name"] for app in apps]


def _mail() -> list[Setting]:
    server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if settings.EMAIL_URL else "none: see the outbox"
    return [
        _setting("EMAIL_URL", "Mail server", server),
        _setting("GATEHOUSE_MAIL_FROM", "Sender", settings.DEFAULT_FROM_EMAIL),
        _setting("GATEHOUSE_INVOICE_MAIL", "Invoices are sent by mail", settings.INVOICE_MAIL),
    ]


def _gateway() -> list[Setting]:
    longest = f"{formats.number(settings.GATEHOUSE_MAX_TIMEOUT_MS)} ms"
    return [
        _setting("GATEHOUSE_GATEWAY_URL", "Public address of the gateway", settings.GATEWAY_URL),
        _setting("GATEHOUSE_NODE_URL", "A node, as the portal reaches it", settings.NODE_URL),
        _setting("GATEHOUSE_MAX_TIMEOUT_MS", "Longest wait for a backend", longest),
        _setting(
            "GATEHOUSE_DOCUMENT_MAX_BYTES", "Largest document", formats.size(settings.DOCUMENT_MAX_BYTES)
        ),
        _setting("GATEHOUSE_FETCH_PRIVATE", "Documents of private addresses", settings.FETCH_PRIVATE),
    ]


def _billing() -> list[Setting]:
    return [
        _setting(
            "GATEHOUSE_BILLING_GRACE",
            "After a month until its bills",
            _seconds(settings.BILLING_GRACE_SECONDS),
        ),
        _setting("GATEHOUSE_BILLING_WORKERS", "Tasks that close a month", settings.BILLING_WORKERS),
        _setting("GATEHOUSE_INVOICE_DUE_DAYS", "Days to pay", settings.INVOICE_DUE_DAYS),
        _setting(
            "GATEHOUSE_CREDIT_EXPIRY_DELAY",
            "After expiry until credits are written off",
            _seconds(settings.CREDIT_EXPIRY_DELAY_SECONDS),
        ),
        _setting(
            "GATEHOUSE_SPEND_INTERVAL", "Between looks at spend caps", _seconds(settings.SPEND_INTERVAL)
        ),
    ]


def _payment() -> list[Setting]:
    ways = {
        "": "bank transfer only",
        "null": "pays at once, for demonstrations",
        "stripe": "Stripe, live"
        if settings.STRIPE_SECRET_KEY.startswith("sk_live_")
        else "Stripe, test mode",
    }
    never = "never" if settings.DUNNING_SUSPEND_DAYS < 0 else str(settings.DUNNING_SUSPEND_DAYS)
    return [
        _setting("GATEHOUSE_PAYMENTS", "Customers pay by", ways[settings.PAYMENT_PROCESSOR]),
        _setting("GATEHOUSE_STRIPE_API_BASE", "Stripe's address", settings.STRIPE_API_BASE or "its own"),
        _setting(
            "GATEHOUSE_DUNNING_WARNING_DAYS", "Days late at which we warn", settings.DUNNING_WARNING_DAYS
        ),
        _setting("GATEHOUSE_DUNNING_SUSPEND_DAYS", "Days late until suspension", never),
    ]


def _kept() -> list[Setting]:
    return [
        _setting("GATEHOUSE_KEEP_MINUTES", "Usage by the minute", _days(settings.USAGE_KEEP_MINUTES_DAYS)),
        _setting("GATEHOUSE_KEEP_HOURS", "Usage by the hour", _days(settings.USAGE_KEEP_HOURS_DAYS)),
        _setting("GATEHOUSE_KEEP_DAYS", "Usage by the day", _days(settings.USAGE_KEEP_DAYS_DAYS)),
        _setting("GATEHOUSE_KEEP_BATCHES", "Batches of nodes", _days(settings.USAGE_KEEP_BATCHES_DAYS)),
        _setting(
            "GATEHOUSE_KEEP_REQUESTS", "Request log", _days(settings.REQUEST_LOG_KEEP_DAYS, zero="not at all")
        ),
        _setting("GATEHOUSE_WEBHOOK_KEEP_DAYS", "Webhook events", _days(settings.WEBHOOK_KEEP_DAYS)),
    ]


def _webhooks() -> list[Setting]:
    after = f"{settings.WEBHOOK_DISABLE_AFTER_DAYS} days of failures"
    return [
        _setting("GATEHOUSE_WEBHOOK_PRIVATE", "To http and private addresses", settings.WEBHOOK_PRIVATE),
        _setting("GATEHOUSE_WEBHOOK_DISABLE_AFTER_DAYS", "Switched off after", after),
    ]


def _services() -> list[Setting]:
    database = settings.DATABASES["default"]
    timeout = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    return [
        _setting(
            "DATABASE_URL", "PostgreSQL", f"{database['NAME']} at {database['HOST'] or 'a local socket'}"
        ),
        _setting("GATEHOUSE_DB_POOL", "Connections of one process", _pool(database)),
        _setting("CELERY_BROKER_URL", "Broker", urlsplit(settings.CELERY_BROKER_URL).hostname or "in memory"),
        _setting("GATEHOUSE_TASK_TIMEOUT", "Until a lost task is given out again", _seconds(timeout)),
    ]


def _pool(database: dict[str, Any]) -> int | str:
    pool = database.get("OPTIONS", {}).get("pool")
    return pool["max_size"] if isinstance(pool, dict) else "no pool"


def _secrets() -> list[Setting]:
    secrets = _known_with("CLIENT_SECRET")
    made = f"made at random, in {settings.GATEHOUSE_VAR.name}/secret_key"
    return [
        _setting("SECRET_KEY", "Signs sessions and links", _is_set("SECRET_KEY", made)),
        _setting(
            "GATEHOUSE_ENCRYPTION_KEYS",
            "Encrypt private keys at rest",
            _count(settings.ENCRYPTION_KEYS, "derived from SECRET_KEY"),
        ),
        _setting(
            "GATEHOUSE_METRICS_TOKEN",
            "Opens /metrics",
            _is_set("GATEHOUSE_METRICS_TOKEN", "none: staff alone"),
        ),
        _setting("GATEHOUSE_STRIPE_SECRET_KEY", "Stripe's key", _is_set("GATEHOUSE_STRIPE_SECRET_KEY", NONE)),
        _setting(
            "GATEHOUSE_STRIPE_WEBHOOK_SECRETS",
            "Stripe's webhooks",
            _count(settings.STRIPE_WEBHOOK_SECRETS, NONE),
        ),
        Setting(
            "GATEHOUSE_*_CLIENT_SECRET",
            "Sign-in at other providers",
            _count(secrets, NONE),
            given=bool(secrets),
        ),
    ]


def _is_set(name: str, otherwise: str) -> str:
    return "set" if given(name) else otherwise


def _count(found: Collection[str], otherwise: str) -> str:
    return f"{len(found)} set" if found else otherwise


def _days(days: int, *, zero: str = "for ever") -> str:
    return f"{formats.number(days)} days" if days else zero


def _seconds(seconds: float) -> str:
    return f"{formats.number(seconds)} s"
