"""A person at a browser: signs in by the form, keeps screenshots for people to look at."""

from playwright.sync_api import Page, expect

from tests.portal.browser.inspector import Inspector
from tests.scenarios.running import ROOT, Running

SHOTS = ROOT / "test-results" / "browser"


class Visitor:
    """Drives a page of a running Gatehouse. Everything that a page or its scripts do wrong is kept in `faults`."""

    def __init__(self, running: Running, page: Page) -> None:
        self.running, self.page = running, page
        self.host = str(running.facts["portal"])
        self.inspector = Inspector(page, self.host)

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

    def looks_well(self, name: str) -> None:
        """Keep a picture of the page as it is now; nothing may be wrong with it."""
        shot(self.page, name)
        found = self.inspector.look()
        assert not found, found


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
