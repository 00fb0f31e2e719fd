"""Where settings come from: the environment first, then what `manage.py up` wrote under GATEHOUSE_VAR.

Modes: `production` takes nothing but the environment and refuses to start without its secrets;
`development` (the default, used by `make run`) takes what is missing from the embedded services;
`test` is for the test run.
"""

import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values
from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = Env()
MODE = env.str("GATEHOUSE_MODE", "development")
if MODE not in ("production", "development", "test"):
    raise ImproperlyConfigured(
        f"GATEHOUSE_MODE is {MODE!r}; use production, development or test (docs/settings.md)."
    )
PRODUCTION = MODE == "production"
VAR = Path(env.str("GATEHOUSE_VAR", str(BASE_DIR / "var"))).resolve()

# Written by `manage.py up`: KEY=value lines with the addresses and secrets of the embedded services.
# Kept apart from the environment, so that `up` itself can tell an operator's own database from last time's.
_SERVICES_FILE = VAR / "run" / "services.env"
_EMBEDDED = {} if PRODUCTION or MODE == "test" else dotenv_values(_SERVICES_FILE)


def given(name: str, default: str = "") -> str:
    """Return a setting from the environment, else from the embedded services, else `default`."""
    return env.str(name, "") or _EMBEDDED.get(name) or default


def required(name: str, why: str) -> str:
    """Return a setting that production must give; elsewhere '' when it is absent."""
    value = given(name)
    if not value and PRODUCTION:
        raise ImproperlyConfigured(f"Set {name}: {why} (docs/settings.md).")
    return value


def secret_key() -> str:
    """Return Django's secret key; outside production one is made at random and kept under VAR."""
    given = required("SECRET_KEY", "a random text of at least 50 characters")
    if PRODUCTION and len(given) < 50:
        raise ImproperlyConfigured("SECRET_KEY is shorter than 50 characters.")
    if given or PRODUCTION:
        return given
    if MODE == "test":
        return secrets.token_urlsafe(50)
    file = VAR / "secret_key"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(50))
    return file.read_text().strip()


def metrics_token() -> str:
    """Return what a monitoring system shows at /metrics; '' = only staff may read metrics."""
    text = given("GATEHOUSE_METRICS_TOKEN").strip()
    if text and len(text) < 20:
        raise ImproperlyConfigured("GATEHOUSE_METRICS_TOKEN needs 20 characters or more.")
    return text


def encryption_keys() -> list[str]:
    """Return the texts that encrypt private keys at rest, newest first; none = SECRET_KEY does."""
    texts = [text.strip() for text in given("GATEHOUSE_ENCRYPTION_KEYS").split(",") if text.strip()]
    if any(len(text) < 32 for text in texts):
        raise ImproperlyConfigured("Each of GATEHOUSE_ENCRYPTION_KEYS needs 32 characters or more.")
    return texts
