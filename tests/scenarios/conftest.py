import shutil
from collections.abc import Iterator

import pytest

from tests.scenarios.running import Running


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """One whole Gatehouse with its demo, shared by the stories of a test run."""
    copy = Running()
    try:
        yield copy.start()
    finally:
        copy.stop()
        shutil.rmtree(copy.var, ignore_errors=True)
