"""What all tests share."""

import os
from collections.abc import Iterator

import pytest
from django.db import connections

from accounts.branding.shown import forget
from tests.postgres_plugin import MIGRATED, PREPARED_IN


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Make test databases as copies of the migrated one."""
    if PREPARED_IN in os.environ:
        connections["default"].settings_dict["TEST"]["TEMPLATE"] = MIGRATED


@pytest.fixture(autouse=True)
def branding_is_forgotten() -> Iterator[None]:
    """A test's rows go with its transaction; what the cache kept of them must not reach the next test."""
    yield
    forget()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with whole stories: they take longest, and with `--no-loadscope-reorder` no worker ends on one alone."""
    items.sort(key=lambda item: not item.nodeid.startswith(("tests/scenarios/", "tests/faults/")))
