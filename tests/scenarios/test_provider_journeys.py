"""What a provider does with the dashboards, in a real browser: zoom in, set an alert."""

import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.scenarios.browsing import Visitor
from tests.scenarios.running import Running


@pytest.fixture
def provider(running: Running, page: Page) -> Visitor:
    visitor = Visitor(running, page)
    visitor.sign_in("admin")
    return visitor


def test_drawing_over_a_chart_zooms_in(running: Running, provider: Visitor) -> None:
    for _ in range(3):
        running.call("/httpbin/v1/get", running.facts["api_key"])
    page = provider.page
    provider.open("/provider/")
    expect(page.locator(".tile").filter(has_text="Calls").first).not_to_contain_text(
        "Calls\n0", timeout=10_000
    )
    provider.looks_well("provider-1-traffic")
    chart = page.locator("[data-chart] canvas").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 60, steps=4)
    page.mouse.up()
    page.wait_for_url("**from=**to=**")
    provider.looks_well("provider-2-zoomed")
    provider.follow("Zoom out")
    page.wait_for_url("**from=**")


def test_an_alert_is_set(provider: Visitor) -> None:
    page, name = provider.page, f"Many errors {secrets.token_hex(3)}"
    provider.open("/provider/alerts/")
    provider.follow("New alert")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Metric").select_option(index=1)
    page.get_by_label("Threshold").fill("5")
    provider.looks_well("provider-3-new-alert")
    provider.press("Create alert")
    expect(page.get_by_role("row", name=name)).to_contain_text("Quiet")
    provider.looks_well("provider-4-alerts")
    page.get_by_role("row", name=name).get_by_role("link", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button").last.click()
    expect(page.get_by_role("row", name=name)).to_have_count(0)
