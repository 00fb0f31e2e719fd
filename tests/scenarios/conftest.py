import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.portal.browser.inspector import DESKTOP, SHIFTS, launch
from tests.scenarios.running import Running


@pytest.fixture(scope="package")
def running() -> Iterator[Running]:
    """One whole Gatehouse with its demo, shared by the stories; it ends with them, since idle it takes CPU too."""
    copy = Running()
    try:
        yield copy.start()
    finally:
        copy.stop()
        shutil.rmtree(copy.var, ignore_errors=True)


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of a real Chromium, signed in as nobody."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context(viewport=DESKTOP, reduced_motion="reduce")
        context.add_init_script(SHIFTS)
        yield context.new_page()
        browser.close()
