"""What several of the stories do."""

import re

from tests.scenarios.browsing import Visitor

# of the demo at scale
PROVIDER = "Meridian APIs"


def confirm_from_the_outbox(visitor: Visitor, address: str) -> None:
    """Show that the address is hers, by the code of the newest mail to it."""
    page = visitor.page
    visitor.open("/outbox/")
    page.get_by_role("row", name=re.compile(re.escape(address))).get_by_role("link").first.click()
    code = re.search(r"^\d{6}$", page.locator(".mail").inner_text(), re.MULTILINE)
    assert code, page.locator(".mail").inner_text()
    visitor.open("/accounts/confirm-email/")
    page.get_by_label("Code").fill(code.group())
    visitor.press("Confirm")


def work_for(visitor: Visitor, organization: str) -> None:
    """Switch to one of her organizations, by the account menu."""
    visitor.open("/console/")
    visitor.page.get_by_text("Account menu").locator("..").click()
    visitor.page.locator(".menu__list").get_by_role("button", name=organization).first.click()
    visitor.page.wait_for_load_state()


def open_first(visitor: Visitor, listing: str, name: str) -> None:
    """Open what has this name in a list."""
    visitor.open(listing)
    visitor.page.get_by_role("main").get_by_role("link", name=name, exact=True).first.click()
    visitor.heading(name)


def provider_page(visitor: Visitor, path: str, provider: str = PROVIDER) -> None:
    """Open one of the provider's pages for this provider."""
    visitor.open("/provider/")
    mine = visitor.page.locator("select[name=organization] option").filter(has_text=provider).first
    chosen = mine.get_attribute("value")
    visitor.open(f"/provider/{path}{'&' if '?' in path else '?'}organization={chosen}")
