"""The providers' guide about the business: plans and prices, customers, products, dashboards, bills, nodes."""

import re

from playwright.sync_api import expect

from tests.screenshots.camera import Camera
from tests.screenshots.people import provider_page

CUSTOMER = "Amber Insurance GmbH"


def plans_and_prices(camera: Camera) -> None:
    ada = camera.person("admin")
    page = ada.page
    ada.open("/admin/access/usageplan/?q=Starter")
    page.get_by_role("link", name="Starter", exact=True).first.click()
    camera.take(ada, "provider-plan", height=1100)
    provider_page(ada, "prices/")
    camera.take(ada, "provider-rate-cards", height=620)
    ada.follow("Pro")
    page.locator("#calculator-units-requests").fill("3500000")
    expect(page.locator(".quote__total")).to_be_visible()
    camera.take(ada, "provider-prices", height=760)


def approvals(camera: Camera) -> None:
    ada = camera.person("admin")
    provider_page(ada, "approvals/")
    camera.take(ada, "provider-approvals", height=520)


def customers(camera: Camera) -> None:
    ada = camera.person("admin")
    page = ada.page
    provider_page(ada, "customers/")
    camera.take(ada, "provider-customers", height=860)
    provider_page(ada, "customers/?q=Amber+Insurance")
    ada.follow(CUSTOMER)
    camera.take(ada, "provider-customer", height=860)
    page.get_by_role("main").get_by_role(
        "link", name=re.compile("See (its|the) (console|site)")
    ).first.click()
    dana = page.locator("select option").filter(has_text=camera.running.facts["developer"]["email"])
    page.get_by_label("See it as").select_option(dana.first.get_attribute("value"))
    page.get_by_label("Reason").fill("Ticket 4711: her calls are throttled")
    camera.take(ada, "provider-help", height=640)
    ada.press("Begin")
    ada.open("/console/")
    camera.take(ada, "provider-helping", height=760)
    page.get_by_role("button", name=re.compile("^End")).first.click()


def announcements(camera: Camera) -> None:
    ada = camera.person("admin")
    page = ada.page
    provider_page(ada, "announcements/new/")
    page.get_by_label("To", exact=True).select_option(label="Developers of the API Weather")
    page.get_by_label("Subject").fill("Weather v1 ends in three months")
    page.get_by_label("Text").fill(
        "Version 1 of Weather answers until the end of February.\n\n"
        "Version 2 takes the same keys. What changed: see the changelog of Weather.\n\nYour Meridian team"
    )
    page.get_by_role("main").get_by_role("button").first.click()
    camera.take(ada, "provider-announcement", height=860)


def products(camera: Camera) -> None:
    ada = camera.person("admin")
    provider_page(ada, "products/", provider="Gatehouse")
    ada.follow("Client kit")
    ada.follow("Operations")
    camera.take(ada, "provider-product", height=900)


def branding(camera: Camera) -> None:
    ada = camera.person("admin")
    page = ada.page
    ada.open("/provider/website/")
    page.locator("#id_name").fill("Meridian for developers")
    page.locator("#id_accent_light").fill("#0f6b4f")
    page.locator("#id_accent_dark").fill("#6fd3ae")
    page.get_by_label("Links in the footer").fill("Status | https://status.meridian.example")
    camera.take(ada, "provider-branding", height=860)


def dashboards(camera: Camera) -> None:
    ada = camera.person("admin")
    page = ada.page
    provider_page(ada, "?span=7d&compare=1")
    camera.take(ada, "provider-traffic", height=1040)
    provider_page(ada, "?span=7d")
    camera.take(ada, "provider-top", height=900, at=page.get_by_role("heading", name="Top developers"))
    ada.open("/provider/installation/?span=30d")
    camera.take_dark(ada, "provider-installation-dark", height=900)
    provider_page(ada, "alerts/new/")
    page.get_by_label("Name").fill("Backends fail")
    page.get_by_label("Metric").select_option(label="5xx, percent of calls")
    page.get_by_label("Threshold").fill("2")
    camera.take(ada, "provider-alert", height=900)
    provider_page(ada, "requests/")
    camera.take(ada, "provider-requests", height=820)


def bills(camera: Camera) -> None:
    ada = camera.person("admin")
    page = ada.page
    provider_page(ada, "money/")
    expect(page.get_by_text("As of")).to_be_visible()
    camera.take(ada, "provider-money", height=860)
    ada.open(f"/admin/billing/invoice/?q={CUSTOMER.replace(' ', '+')}")
    camera.take(ada, "provider-invoices", height=700)
    page.get_by_role("link", name=re.compile(r"^\d{4}-\d{6}$")).first.click()
    camera.take(ada, "provider-invoice", height=900)
    ada.open("/admin/billing/taxrate/")
    page.get_by_role("link", name="VAT").first.click()
    camera.take(ada, "provider-tax", height=860)
    ada.open("/admin/billing/billingrun/")
    camera.take(ada, "provider-runs", height=620)


def nodes_and_audit(camera: Camera) -> None:
    ada = camera.person("admin")
    ada.open("/provider/nodes/")
    camera.take(ada, "provider-nodes", height=520)
    provider_page(ada, "audit/?what=plan.")
    camera.take(ada, "provider-audit", height=860)


STORY = (
    plans_and_prices,
    approvals,
    customers,
    announcements,
    products,
    branding,
    dashboards,
    bills,
    nodes_and_audit,
)
