"""Production refuses to start without its secrets, and every setting is named in the docs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPLETE = {
    "GATEHOUSE_MODE": "production",
    "SECRET_KEY": "k" * 50,
    "DATABASE_URL": "postgresql://user:password@127.0.0.1/gatehouse",
    "CELERY_BROKER_URL": "redis://:password@127.0.0.1/0",
    "ALLOWED_HOSTS": "portal.example.com",
    "EMAIL_URL": "smtp://127.0.0.1:25",
}


def check(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Django's checks in a process with just these settings."""
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_starts_when_everything_is_given() -> None:
    done = check(COMPLETE)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("missing", sorted(set(COMPLETE) - {"GATEHOUSE_MODE"}))
def test_production_refuses_to_start_without(missing: str) -> None:
    done = check({name: value for name, value in COMPLETE.items() if name != missing})
    assert done.returncode != 0
    assert f"Set {missing}" in done.stderr


def test_production_refuses_a_short_secret_key() -> None:
    done = check(COMPLETE | {"SECRET_KEY": "short"})
    assert done.returncode != 0
    assert "SECRET_KEY is shorter than 50 characters" in done.stderr


def test_an_unknown_mode_is_refused_with_the_known_ones() -> None:
    done = check({"GATEHOUSE_MODE": "prod"})
    assert done.returncode != 0
    assert "use production, development or test" in done.stderr


def test_every_setting_has_its_row_in_the_docs() -> None:
    named = re.compile(
        r'"((?:GATEHOUSE_\w+)|SECRET_KEY|DATABASE_URL|CELERY_BROKER_URL|ALLOWED_HOSTS|EMAIL_URL)"'
    )
    rooms = ("access", "accounts", "apis", "billing", "gateway", "metering", "nodes", "portal", "rest")
    sources = [source for room in rooms for source in (ROOT / room).rglob("*.py")]
    used = {name for source in sources for name in named.findall(source.read_text())}
    documented = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text()))
    assert used - documented == set()
    assert {name for name in documented if name.startswith("GATEHOUSE_")} - used == set()
