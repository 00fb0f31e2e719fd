"""What all tests share."""

import os
from collections.abc import Iterator

import pytest
from django.db import connections, transaction
from pytest_django import DjangoDbBlocker

from accounts.branding.shown import forget
from tests.postgres_plugin import MIGRATED, PREPARED_IN, wait_until_prepared


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Make test databases as copies of the migrated one."""
    wait_until_prepared()
    if PREPARED_IN in os.environ:
        connections["default"].settings_dict["TEST"]["TEMPLATE"] = MIGRATED


@pytest.fixture(scope="module")
def shared_rows(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """For a module's own fixtures of its scope: the rows that they make are there for each of its tests.

    The tests' transactions are savepoints in this one, so that what a test changes goes with it, as ever.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def branding_is_forgotten() -> Iterator[None]:
    """A test's rows go with its transaction; what the cache kept of them must not reach the next test."""
    yield
    forget()


# files that take long, the longest first
_FIRST = (
    "tests/scenarios/",
    "tests/faults/",
    "tests/portal/browser/",
    "tests/gateway/hostile/",
    "tests/gateway/agent/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: with `--no-loadscope-reorder` no worker ends on one long file alone."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    return next((turn for turn, start in enumerate(_FIRST) if item.nodeid.startswith(start)), len(_FIRST))
