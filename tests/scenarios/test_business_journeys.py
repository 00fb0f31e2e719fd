"""What a provider does to run the business, in a real browser: news, alerts, prices, people, products, branding."""

import csv
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.receiver import receiving
from tests.scenarios.browsing import Company, Visitor, company, shot
from tests.scenarios.running import Running, eventually

# what a task does each minute, once this minute will be over
CHECK = (
    "from metering.alert_check import check_alerts; from django.utils.timezone import now, timedelta; "
    "print(check_alerts(at=now() + timedelta(seconds=75)))"
)


@pytest.fixture(scope="module")
def people(running: Running) -> Iterator[Company]:
    with company(running) as found:
        yield found


@pytest.fixture(scope="module")
def ada(people: Company) -> Visitor:
    return people.arrives("admin")


def test_an_announcement_is_tried_and_sent_and_a_reader_unsubscribes(running: Running, ada: Visitor) -> None:
    page, subject = ada.page, f"Version 2 is here {secrets.token_hex(3)}"
    ada.open("/provider/announcements/")
    ada.follow("New announcement")
    page.get_by_label("Kind").select_option("news")
    page.get_by_label("Subject").fill(subject)
    page.get_by_label("Text").fill("It answers faster, and breaks nothing.")
    ada.press("Save and preview")
    expect(page.locator(".mail")).to_contain_text("It answers faster, and breaks nothing.")
    ada.press("Send it to me")
    address = page.url
    ada.reads_mail("admin@gatehouse.example", subject)
    page.goto(address)
    ada.follow("Send")
    ada.answer("Send it")
    expect(page.get_by_role("heading", name="Sent", exact=True)).to_be_visible(timeout=10_000)
    ada.looks_well("business-1-announcement-sent")

    text = ada.reads_mail(running.facts["shop"]["email"], subject)
    unsubscribe = re.search(r"http\S+/unsubscribe/\S+", text)
    assert unsubscribe, text
    page.goto(unsubscribe.group())
    shot(page, "business-2-unsubscribe")
    page.get_by_role("main").get_by_role("button").click()
    expect(page.get_by_role("main")).to_contain_text("gets no news of Gatehouse any more")


def test_an_alert_is_crossed_and_told_by_mail_and_webhook(running: Running, ada: Visitor) -> None:
    page, name = ada.page, f"Busy {secrets.token_hex(3)}"
    with receiving() as receiver:
        endpoint = running.rest(
            "POST", "webhooks", json={"url": receiver.url, "event_types": ["usage_alert.crossed"]}
        )
        ada.open("/provider/alerts/")
        ada.follow("New alert")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Metric").select_option("calls")
        page.get_by_label("Threshold").fill("2")
        page.get_by_label("For minutes in a row").fill("1")
        ada.press("Create alert")
        for _ in range(4):
            running.call("/httpbin/v1/get", running.facts["api_key"])
        eventually(lambda: running.manage("shell", "-c", CHECK) and receiver.got, 20)
        running.rest("DELETE", f"webhooks/{endpoint['id']}")
    assert name in receiver.got[0][1].decode()
    mail = ada.reads_mail("admin@gatehouse.example", f"Alert: {name}")
    assert "was for 1 min above 2" in mail
    ada.open("/provider/alerts/")
    told = ada.row(name).filter(has_text="Crossed").filter(has_not_text="Delete")
    expect(told.first).to_be_visible()
    ada.looks_well("business-3-alert-crossed")


def test_the_calculator_answers_while_one_types(ada: Visitor) -> None:
    page = ada.page
    ada.open("/provider/prices/")
    ada.follow("AWS REST prices with data out (first 100 GiB free)")
    quote = page.locator("#quote")
    expect(quote).to_contain_text("Type how much is used in a month.")
    page.get_by_role("spinbutton", name="Requests").press_sequentially("400000000")
    expect(quote).to_contain_text("$1,353.10")
    ada.looks_well("business-4-calculator")


def test_a_member_is_invited_limited_and_taken_away(people: Company, ada: Visitor) -> None:
    page, mail = ada.page, f"carol-{secrets.token_hex(3)}@developers.example"
    ada.open("/console/organization/")
    page.get_by_label("E-mail address", exact=True).fill(mail)
    page.get_by_label("Role", exact=True).select_option(label="Billing")
    ada.press("Send invitation")
    expect(ada.row(mail)).to_contain_text("Waiting")

    carol = people.arrives()
    link = re.search(r"http\S+/invitations/\S+", carol.reads_mail(mail, "Gatehouse"))
    assert link
    carol.page.goto(link.group())
    carol.follow("I am new here: sign up")
    carol.page.get_by_label("Password").first.fill(secrets.token_urlsafe(12))
    carol.press("Sign up")
    carol.heading("Confirm your")
    code = re.search(r"^\d{6}$", carol.reads_mail(mail, "Confirm"), re.MULTILINE)
    assert code
    carol.open("/accounts/confirm-email/")
    carol.page.get_by_label("Code").fill(code.group())
    carol.press("Confirm")
    carol.press("Accept and join")
    carol.open("/provider/money/")  # who has the billing role sees it
    owed = carol.page.get_by_role("table", name="Customers this month")  # once a worker has rated them
    expect(owed).to_be_visible(timeout=10_000)
    shot(carol.page, "business-5-billing-sees-money")
    carol.open("/console/organization/")
    expect(carol.page.get_by_role("button", name="Send invitation")).to_have_count(0)

    ada.open("/console/organization/")
    page.get_by_label(f"Role of {mail}").select_option(label="Limited to chosen APIs")
    ada.row(mail).get_by_role("button", name="Save").click()
    ada.row(mail).get_by_role("link", name="APIs").click()
    page.get_by_label("What may be done with httpbin").select_option(label="See")
    ada.press("Save")
    carol.open("/provider/mine/")
    carol.looks_well("business-6-limited-sees-one-api")
    assert carol.page.goto(f"{carol.host}/provider/customers/").status in (403, 404)

    ada.open("/console/organization/")
    ada.row(mail).get_by_role("link", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button").last.click()
    expect(ada.row(mail)).to_have_count(0)
    carol.open("/console/organization/")
    expect(carol.page.get_by_role("heading", level=1)).not_to_contain_text("Gatehouse")


def test_the_audit_trail_is_narrowed_and_downloaded(ada: Visitor, tmp_path: Path) -> None:
    page = ada.page
    ada.open("/provider/audit/")
    page.get_by_role("textbox", name="Who").fill("nobody")
    ada.press("Search")
    ada.looks_well("business-7-audit-nothing-fits")
    ada.follow("Show all")
    page.get_by_role("textbox", name="Who").fill("admin@")
    page.get_by_role("textbox", name="What").fill("plan.created")
    ada.press("Search")
    expect(page.get_by_role("main")).to_contain_text("plan.created")
    lines = page.get_by_role("main").get_by_role("row").count() - 1
    with page.expect_download() as download:
        ada.page.get_by_role("main").get_by_role("link", name=re.compile("CSV")).click()
    download.value.save_as(tmp_path / "audit.csv")
    with (tmp_path / "audit.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == lines
    assert {row["action"] for row in rows} == {"plan.created"}


def test_a_product_is_drafted_previewed_and_published(people: Company, ada: Visitor) -> None:
    page, title = ada.page, f"Shop kit {secrets.token_hex(3)}"
    ada.open("/provider/products/")
    ada.follow("New product")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Summary").fill("All that a shop needs.")
    ada.press("Make the product")
    ada.follow("Operations")
    page.get_by_label(re.compile("GET /get")).first.check()
    ada.press("Take what is checked")
    shot(ada.page, "business-8-product-operations")

    visitor = people.arrives()
    visitor.open("/")
    expect(visitor.page.get_by_text(title)).to_have_count(0)
    ada.follow("Preview")
    expect(page.get_by_role("complementary", name="Preview")).to_be_visible()
    ada.heading(title)
    ada.looks_well("business-9-product-preview")
    page.get_by_role("button", name="Leave the preview").click()

    ada.open("/provider/products/")
    ada.follow(title)
    page.get_by_label("Published").check()
    ada.press("Save")
    visitor.open("/")
    visitor.page.get_by_role("link", name=title).first.click()
    visitor.heading(title)
    expect(visitor.page.get_by_role("main")).to_contain_text("/get")
    ada.open("/provider/products/")
    ada.follow(title)
    ada.follow("Delete the product")
    page.get_by_role("dialog").get_by_role("button").last.click()
    expect(ada.row(title)).to_have_count(0)


def test_the_sites_look_is_tried_in_a_draft_and_shown(people: Company, ada: Visitor) -> None:
    page = ada.page
    ada.open("/admin/accounts/branding/")
    page.get_by_label("Name").fill("Corner Shop APIs")
    page.get_by_label("Accent light").fill("#7a1fa2")
    shot(page, "business-10-branding")
    save(ada)
    visitor = people.arrives()
    visitor.open("/")
    brand = visitor.page.locator(".brand")
    expect(brand).to_contain_text("Corner Shop APIs")
    visitor.looks_well("business-11-branded")

    ada.open("/admin/accounts/branding/")
    page.get_by_label("Name").fill("")
    page.get_by_label("Accent light").fill("")
    page.get_by_role("button", name="Keep as a draft").click()
    visitor.page.reload()
    expect(brand).to_contain_text("Corner Shop APIs")
    ada.open("/admin/accounts/branding/")
    save(ada)
    visitor.page.reload()
    expect(brand).to_contain_text("Gatehouse")


def save(ada: Visitor) -> None:
    """The admin console's button; it says what it did on the page that follows."""
    ada.page.get_by_role("button", name="Save", exact=True).click()
    expect(ada.page.get_by_text("successfully")).to_be_visible()
