"""A provider's way in a real browser: register httpbin from its URL, see it live, break it, watch a canary."""

import re

from playwright.sync_api import Page, expect

from tests.scenarios.browsing import shot
from tests.scenarios.running import Running, eventually


def test_from_a_url_to_a_live_api_and_a_watched_canary(running: Running, page: Page) -> None:
    """Everything by what a person sees and presses."""
    facts = running.facts
    page.goto(facts["portal"] + "/accounts/login/?next=/provider/apis/new/")
    page.get_by_label("Email").fill(facts["admin"]["email"])
    page.get_by_label("Password", exact=True).fill(facts["admin"]["password"])
    page.keyboard.press("Enter")
    page.locator("#id_url").fill(facts["httpbin"] + "/spec.json")
    page.keyboard.press("Enter")
    expect(page.get_by_text("TRACE is never served").first).to_be_visible()
    page.locator("#id_name").fill("Watched")
    page.locator("#id_backend_url").fill(facts["httpbin"])
    page.get_by_role("button", name="Test the backend").click()
    expect(page.get_by_text("answers.")).to_be_visible()
    shot(page, "publish-1")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text(re.compile(r"Live on (\d+) of \1 nodes"))).to_be_visible(timeout=10_000)
    shot(page, "publish-2-live")
    assert page.locator("#curl").inner_text().startswith("curl ")

    page.get_by_role("link", name="Operations").click()
    operations = page.url
    page.get_by_role("link", name="DELETE /anything", exact=True).click()
    page.get_by_role("link", name="Take it out").click()
    page.get_by_role("dialog").get_by_role("button", name="Take it out").click()
    page.goto(operations.replace("/operations/", "/deploy/"))
    expect(page.get_by_text("1 breaking change")).to_be_visible()
    shot(page, "publish-3-deploy")
    page.get_by_label("that is meant").check()
    page.get_by_role("button", name="Deploy to live").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("is published"))
    page.get_by_role("link", name="Versions and stages").click()
    page.get_by_role("link", name="live", exact=True).click()
    page.get_by_text("Start a canary").click()
    page.get_by_label("Deployment", exact=True).select_option(label="Watched v1 #1")
    page.get_by_label("Percent of the calls").fill("100")
    page.get_by_role("button", name="Start the canary").click()
    expect(page.get_by_text("Too few calls to tell")).to_be_visible()

    def counted() -> bool:
        running.call("/watched/v1/get")
        return page.locator(".compare tbody tr").nth(1).locator("td").first.inner_text() not in ("0", "")

    eventually(counted, 20, pause=0.5)
    shot(page, "publish-4-canary")
