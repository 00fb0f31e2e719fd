"""What a provider does about a customer, in a real browser: lets it in, shuts it out, looks as it does, bills it."""

import re
import secrets
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import pytest
from playwright.sync_api import expect

from tests.scenarios.browsing import Visitor, company, shot
from tests.scenarios.running import Running, eventually

CALL = "/httpbin/v1/get"
PROVIDER, CUSTOMER = "Gatehouse", "Sam Shop"


class Parties(NamedTuple):
    """The provider's administrator, who is of the site's staff too, and a customer's owner."""

    ada: Visitor
    sam: Visitor


@pytest.fixture(scope="module")
def parties(running: Running) -> Iterator[Parties]:
    with company(running) as people:
        yield Parties(ada=people.arrives("admin"), sam=people.arrives("shop"))


def test_a_request_is_approved_another_refused(running: Running, parties: Parties) -> None:
    ada, sam = parties
    mail = running.facts["shop"]["email"]
    plan = a_plan(running, requires_approval=True)
    wanted, other = f"Warehouse {plan}", f"Toy {plan}"
    key = asks_for(sam, plan, wanted)
    shot(sam.page, "customers-1-key-that-waits")
    refused_key = asks_for(sam, plan, other)
    assert running.call(CALL, key).status_code == 403

    ada.open("/provider/approvals/")
    expect(ada.row(other)).to_contain_text(mail)
    shot(ada.page, "customers-2-approvals")
    ada.row(wanted).get_by_role("button", name="Approve").click()
    expect(ada.page.get_by_text("1 approved; the developers get a mail.")).to_be_visible()
    eventually(lambda: running.call(CALL, key).status_code == 200, 5)

    ada.row(other).get_by_role("link", name="Refuse").click()
    ada.page.get_by_label("Reason").fill("Toys have a plan of their own.")
    ada.looks_well("customers-3-refuse-asks")
    ada.answer("Refuse")
    expect(ada.row(other)).to_have_count(0)
    assert running.call(CALL, refused_key).status_code == 403

    assert f"{PROVIDER} approved {plan}" in sam.reads_mail(mail, wanted)
    assert "Toys have a plan of their own." in sam.reads_mail(mail, f"not approved for {other}")
    shot(sam.page, "customers-4-refusal-by-mail")


def test_a_customer_is_suspended_and_let_in_again(running: Running, parties: Parties) -> None:
    ada, sam = parties
    key, mail = running.facts["shop_api_key"], running.facts["shop"]["email"]
    eventually(lambda: running.call(CALL, key).status_code == 200, 5)
    opens_customer(ada)
    shot(ada.page, "customers-5-customer")
    ada.follow("Suspend")
    ada.page.get_by_label("Reason").fill("Calls from a botnet.")
    ada.answer("Suspend the customer")
    expect(ada.page.get_by_text("Calls from a botnet.")).to_be_visible()
    eventually(lambda: running.call(CALL, key).status_code == 403, 5)
    ada.looks_well("customers-6-suspended")
    assert "Calls from a botnet." in sam.reads_mail(mail, f"{PROVIDER} suspended your subscriptions")
    sam.open("/console/")
    sam.looks_well("customers-7-suspended-for-its-owner")

    opens_customer(ada)
    ada.follow("Resume")
    ada.answer("Resume the customer")
    expect(ada.page.get_by_text(f"{CUSTOMER} is let in again.")).to_be_visible()
    eventually(lambda: running.call(CALL, key).status_code == 200, 5)
    assert "let Sam Shop in again" in sam.reads_mail(mail, f"subscriptions with {PROVIDER} work again")


def test_staff_look_through_a_customers_eyes_and_change_nothing(running: Running, parties: Parties) -> None:
    ada, sam = parties
    opens_customer(ada)
    ada.follow("See its console")
    case = f"Case {secrets.token_hex(3)}"
    ada.page.get_by_label("Reason").fill(case)
    shot(ada.page, "customers-8-help-begins")
    ada.press("Begin")
    banner = ada.page.get_by_role("region", name="You see the site as somebody else")
    expect(banner).to_contain_text(running.facts["shop"]["email"])
    ada.follow("First application")
    ada.heading("First application")
    shot(ada.page, "customers-9-her-console")
    ada.open("/console/applications/new/")
    ada.page.get_by_label("Name").fill("Not hers to make")
    ada.press("Create application")
    ada.heading("Reading only")
    ada.looks_well("customers-10-reading-only", known=("status of 403",))
    banner.get_by_role("button", name="End").click()
    expect(ada.page.get_by_text("You see the site as yourself again.")).to_be_visible()
    expect(banner).to_have_count(0)

    sam.open("/console/audit/")
    expect(sam.row(case)).to_contain_text("admin@gatehouse.example")


def test_a_customer_lets_staff_make_a_change_and_reads_who_made_it(parties: Parties) -> None:
    ada, sam = parties
    sam.open("/console/organization/")
    sam.page.get_by_label("For", exact=True).select_option(label="1 hour")
    sam.press("Let them make changes")
    sam.looks_well("customers-16-lets-staff-help")
    opens_customer(ada)
    ada.follow("See its console")
    ada.page.get_by_label("Reason").fill("She asked us to")
    ada.page.get_by_label("Make changes, too").check()
    ada.press("Begin")
    ada.open("/console/applications/new/")
    name = f"Made for her {secrets.token_hex(3)}"
    ada.page.get_by_label("Name").fill(name)
    ada.press("Create application")
    ada.heading(name)
    banner = ada.page.get_by_role("region", name="You see the site as somebody else")
    expect(banner).to_contain_text("may make changes")
    ada.looks_well("customers-17-helping")
    banner.get_by_role("button", name="End").click()
    sam.open("/console/audit/")
    expect(sam.row(name)).to_contain_text("admin@gatehouse.example for ")
    sam.open("/console/organization/")
    sam.press("End it now")
    expect(sam.page.get_by_text("Staff may make no changes any more.")).to_be_visible()


def test_a_customer_has_terms_credits_and_a_discount_and_its_invoice_says_so(
    running: Running, parties: Parties
) -> None:
    ada, sam = parties
    plan = a_plan(running, fee="40")
    asks_for(sam, plan, f"Shop on {plan}")
    opens_customer(ada)
    ada.follow("Bills and terms")
    ada.follow("Change the terms")
    ada.page.get_by_label("Days to pay").fill("45")
    ada.page.get_by_label("Tax", exact=True).select_option(label="Exempt")
    ada.page.get_by_label("Note on invoices without tax").fill("Certificate 4711")
    ada.press("Save the terms")
    expect(ada.page.get_by_text("Certificate 4711")).to_be_visible()
    ada.follow("Give a discount")
    ada.page.get_by_label("Rate card").select_option(label=plan)
    ada.page.get_by_label("Percent off").fill("250")
    ada.press("Give the discount")
    expect(ada.page.get_by_label("Percent off")).to_have_value("250")  # nothing typed is lost
    ada.looks_well("customers-11-discount-refused")
    ada.page.get_by_label("Percent off").fill("25")
    ada.press("Give the discount")
    ada.follow("Give credits")
    ada.page.get_by_label("Amount").fill("5")
    ada.page.get_by_label("What for").fill("Apology for the outage")
    ada.press("Give credits")
    expect(ada.page.locator(".facts div").filter(has_text=plan)).to_contain_text("25 % off")
    shot(ada.page, "customers-12-bills-and-terms")

    running.manage("close_period")
    sam.open("/console/invoices/")
    sam.row("finalized").get_by_role("link").first.click()
    invoice = sam.page.get_by_role("main").inner_text()
    assert "Credits and payments\t-5.00 USD" in invoice
    assert "Tax exempt" in invoice
    assert "Certificate 4711" in invoice
    issued, due = (date.fromisoformat(day) for day in re.findall(r"(?:Issued|Due)\n(\S+)", invoice))
    assert (due - issued).days == 45
    shot(sam.page, "customers-13-invoice")


def opens_customer(ada: Visitor) -> None:
    """Find the customer in the list, by what a provider types."""
    ada.open("/provider/customers/")
    ada.page.get_by_label("Search").fill("shop")
    ada.press("Search")
    ada.follow(CUSTOMER)
    ada.heading(CUSTOMER)


def asks_for(sam: Visitor, plan: str, application: str) -> str:
    """Let him take a plan in the catalogue; returns the key that is shown."""
    sam.open("/apis/httpbin/")
    sam.follow(f"Get a key on the plan {plan}")
    sam.page.get_by_label("Name of the application").fill(application)
    sam.page.get_by_role("main").locator("form button").last.click()
    sam.heading("Your key")
    return sam.page.locator("#new-key").inner_text().strip()


def a_plan(running: Running, *, fee: str = "", **fields: object) -> str:
    """Make a public plan for the demo's API, with a rate card of that name if there is a fee; returns its name."""
    name = f"Plan {secrets.token_hex(3)}"
    if fee:
        terms = {"name": name, "currency": "USD", "base_fee": fee, "proration": "none"}
        fields["rate_card"] = running.rest("POST", "rate-cards", json=terms)["id"]
    api = next(each for each in running.rest("GET", "apis")["results"] if each["slug"] == "httpbin")
    stages = [each["id"] for each in running.rest("GET", f"stages?api={api['id']}")["results"]][:1]
    running.rest("POST", "usage-plans", json={"name": name, "stages": stages, **fields})
    return name
