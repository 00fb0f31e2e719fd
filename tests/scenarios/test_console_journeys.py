"""What a developer does in the console, in a real browser: keys, plans, budgets, webhooks, invoices."""

import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.receiver import receiving
from tests.scenarios.browsing import Visitor
from tests.scenarios.running import Running, eventually


@pytest.fixture
def developer(running: Running, page: Page) -> Visitor:
    visitor = Visitor(running, page)
    visitor.sign_in("developer")
    return visitor


def test_a_key_is_made_rotated_and_revoked(developer: Visitor) -> None:
    page, name = developer.page, f"Warehouse {secrets.token_hex(3)}"
    developer.open("/console/applications/")
    developer.follow("New application")
    page.get_by_label("Name").fill(name)
    developer.press("Create application")
    developer.heading(name)
    developer.looks_well("console-1-new-application")

    developer.follow("New key")
    page.get_by_label("Name").fill("Production server")
    developer.press("Create key")
    developer.heading("Your key")
    first = page.locator("#new-key").inner_text().strip()
    developer.looks_well("console-2-key-shown")

    developer.follow("I have kept it")
    change(developer, first, "Rotate")
    expect(page.get_by_role("dialog")).to_be_visible()
    developer.looks_well("console-3-rotate-asks")
    developer.answer("Make the new key")
    developer.heading("Your key")
    second = page.locator("#new-key").inner_text().strip()
    assert second.startswith("gh_live_")
    assert second != first

    developer.follow("I have kept it")
    expect(row_of(developer, first)).to_contain_text("Rotated out")
    for text in (second, first):
        change(developer, text, "Revoke")
        developer.answer("Revoke the key")
        expect(row_of(developer, text)).to_contain_text("Revoked")
    developer.looks_well("console-4-revoked")


def row_of(developer: Visitor, key: str):
    return developer.page.get_by_role("row").filter(has_text=key[:12])


def change(developer: Visitor, key: str, what: str) -> None:
    row = row_of(developer, key)
    row.locator("summary").click()
    row.get_by_role("link", name=what).click()


def test_a_change_of_plan_shows_its_cost_before_the_click(running: Running, page: Page) -> None:
    sam = Visitor(running, page)
    sam.sign_in("shop")
    sam.open("/console/")
    sam.follow("First application")
    page.get_by_role("link", name="Change plan").first.click()
    sam.heading("Change plan")
    sam.looks_well("console-5-change-plan")
    page.get_by_label("Pro", exact=True).check()
    sam.press("Change plan")
    sam.heading("First application")
    expect(page.get_by_role("heading", name="Pro", level=3)).to_be_visible()


def test_a_budget_is_made_and_raised(developer: Visitor) -> None:
    page, name = developer.page, f"Everything {secrets.token_hex(3)}"
    developer.open("/console/budgets/")
    developer.follow("New budget")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Amount a month").fill("a lot")
    developer.press("Create budget")
    expect(page.get_by_label("Name")).to_have_value(name)  # nothing typed is lost
    developer.looks_well("console-6-budget-refused")
    page.get_by_label("Amount a month").fill("25")
    developer.press("Create budget")
    article = page.get_by_role("article", name=name)
    expect(article).to_contain_text("$25.00")
    article.get_by_role("link", name="Edit").click()
    page.get_by_label("Amount a month").fill("40")
    developer.press("Save")
    expect(page.get_by_role("article", name=name)).to_contain_text("$40.00")
    developer.looks_well("console-7-budgets")


def test_a_webhook_gets_its_test_event_and_once_more(developer: Visitor) -> None:
    page = developer.page
    with receiving() as receiver:
        developer.open("/console/webhooks/")
        page.get_by_label("URL").fill(receiver.url)
        developer.press("Create endpoint")
        developer.heading("Signing secret")
        secret = page.locator("#new-secret").inner_text().strip()
        developer.looks_well("console-8-signing-secret")
        developer.follow("I have kept it")
        developer.press("Send test event")
        eventually(lambda: len(receiver.got) == 1, 10)
        assert receiver.verify(secret)["type"]
        page.get_by_role("button", name="Send again").first.click()  # the page follows a delivery by itself
        eventually(lambda: len(receiver.got) == 2, 10)
        assert receiver.got[0][0]["webhook-id"] == receiver.got[1][0]["webhook-id"]
        expect(page.get_by_text("Delivered").first).to_be_visible(timeout=10_000)
        developer.looks_well("console-9-deliveries")


def test_an_invoice_is_paid(running: Running, developer: Visitor) -> None:
    page = developer.page
    subscribe_for(running, developer, fee="12")
    running.manage("close_period")
    developer.open("/console/invoices/")
    developer.looks_well("console-10-invoices")
    page.get_by_role("row").filter(has_text="finalized").get_by_role("link").first.click()
    developer.looks_well("console-11-invoice")
    developer.press("Pay now")
    expect(page.get_by_text("Paid. Thank you.")).to_be_visible()
    expect(page.get_by_role("button", name="Pay now")).to_have_count(0)


def subscribe_for(running: Running, developer: Visitor, *, fee: str) -> None:
    """Let the provider make a plan with a base fee, and the developer take it in the catalogue."""
    name = f"Basic {secrets.token_hex(3)}"
    # whole even on the month's last day, so that credits do not pay it
    terms = {"name": name, "currency": "USD", "base_fee": fee, "proration": "none"}
    card = running.rest("POST", "rate-cards", json=terms)
    api = next(each for each in running.rest("GET", "apis")["results"] if each["slug"] == "httpbin")
    stages = [each["id"] for each in running.rest("GET", f"stages?api={api['id']}")["results"]][:1]
    running.rest("POST", "usage-plans", json={"name": name, "stages": stages, "rate_card": card["id"]})
    page = developer.page
    developer.open("/apis/httpbin/")
    developer.follow(f"Get a key on the plan {name}")
    developer.looks_well("console-12-subscribe")
    page.get_by_label("Name of the application").fill(f"Shop on {name}")
    page.get_by_role("button", name="Get the key").click()
    developer.heading("Your key")
