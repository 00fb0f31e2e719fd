"""A person at a browser: signs in by the form, reads her mail, keeps screenshots for people to look at."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.portal.browser.inspector import DESKTOP, SHIFTS, Inspector, launch
from tests.scenarios.running import ROOT, Running, eventually

SHOTS = ROOT / "test-results" / "browser"


class Visitor:
    """Drives a page of a running Gatehouse. Everything that a page or its scripts do wrong is kept in `faults`."""

    def __init__(self, running: Running, page: Page, seen: set[str] | None = None) -> None:
        self.running, self.page = running, page
        self.host = str(running.facts["portal"])
        self.inspector = Inspector(page, self.host, seen)

    def open(self, path: str) -> None:
        self.page.goto(self.host + path)

    def sign_in(self, role: str) -> None:
        """As `admin`, `developer` or `shop` of the demo."""
        person = self.running.facts[role]
        self.open("/accounts/login/")
        self.page.get_by_label("Email").fill(person["email"])
        self.page.get_by_label("Password").fill(person["password"])
        self.page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
        expect(self.page.get_by_text("Account menu")).to_be_attached()

    def press(self, name: str) -> None:
        """A button of the page's main part."""
        self.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """A link of the page's main part."""
        self.page.get_by_role("main").get_by_role("link", name=name, exact=True).first.click()

    def answer(self, name: str) -> None:
        """The button of the dialog that asks."""
        self.page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()

    def heading(self, text: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(text)

    def row(self, text: str) -> Locator:
        """The rows of the main part's tables that have the text."""
        return self.page.get_by_role("main").get_by_role("row").filter(has_text=text)

    def reads_mail(self, to: str, subject: str) -> str:
        """Wait for a mail in the outbox, open it, and return its text."""

        def came() -> bool:
            self.open("/outbox/")
            return self.row(to).filter(has_text=subject).count() > 0

        eventually(came, 10, lambda: self.page.get_by_role("main").inner_text(), pause=0.2)
        self.row(to).filter(has_text=subject).get_by_role("link").first.click()
        self.page.wait_for_url(re.compile("/outbox/.+/"))
        return self.page.locator(".mail").inner_text()

    def looks_well(self, name: str, *, known: Collection[str] = ()) -> None:
        """Keep a picture of the page as it is now; nothing may be wrong with it but what is `known`."""
        shot(self.page, name)
        found = self.inspector.look(known=known)
        assert not found, found


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


class Company:
    """People at one Chromium, each with a browser window of her own; `seen` is theirs together."""

    def __init__(self, running: Running, browser: Browser) -> None:
        self.running, self.browser = running, browser
        self.seen: set[str] = set()

    def arrives(self, role: str = "") -> Visitor:
        """Somebody new: signed in as `role`, or as nobody."""
        context = self.browser.new_context(viewport=DESKTOP, reduced_motion="reduce")
        context.add_init_script(SHIFTS)
        visitor = Visitor(self.running, context.new_page(), self.seen)
        if role:
            visitor.sign_in(role)
        return visitor


@contextmanager
def company(running: Running) -> Iterator[Company]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield Company(running, browser)
        browser.close()
