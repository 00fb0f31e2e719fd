"""What all tests share."""

import os

import pytest
from django.db import connections

from tests.postgres_plugin import MIGRATED, PREPARED_IN


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Make test databases as copies of the migrated one."""
    if PREPARED_IN in os.environ:
        connections["default"].settings_dict["TEST"]["TEMPLATE"] = MIGRATED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with whole stories: they take longest, and with `--no-loadscope-reorder` no worker ends on one alone."""
    items.sort(key=lambda item: not item.nodeid.startswith(("tests/scenarios/", "tests/faults/")))
