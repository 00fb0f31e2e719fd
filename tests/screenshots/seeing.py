"""The developers' guide about what happens: usage, requests, costs, invoices, budgets, webhooks."""

import threading
import time

from playwright.sync_api import expect

from tests.screenshots.camera import Camera
from tests.screenshots.people import open_first


def calls(camera: Camera) -> None:
    """Carol calls: some are answered, one meets no resource, and too many at once are throttled."""
    carol, running = camera.person("carol"), camera.running
    open_first(carol, "/console/applications/", "Parcel shop")
    carol.follow("New key")
    carol.page.get_by_label("Name").fill("Load test")
    carol.press("Create key")
    key = carol.page.locator("#new-key").inner_text().strip()
    for path in ("get", "uuid", "status/404", "nothing-here", "anything/parcels/17"):
        running.call(f"/httpbin/v1/{path}", key)
        time.sleep(0.4)
    running.call("/httpbin/v1/get", key[:-1] + ("0" if key[-1] != "0" else "1"))
    together = [threading.Thread(target=running.call, args=("/httpbin/v1/headers", key)) for _ in range(24)]
    for each in together:
        each.start()
    for each in together:
        each.join()
    time.sleep(3)  # until the lines are up


def the_request_log(camera: Camera) -> None:
    carol = camera.person("carol")
    page = carol.page
    carol.open("/console/requests/")
    camera.take(carol, "developer-requests", height=980)
    carol.open("/console/requests/?outcome=refused&status=429")
    page.get_by_role("main").get_by_role("table").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="What the gateway did")).to_be_visible()
    camera.take(carol, "developer-explain", height=1060)


def usage(camera: Camera) -> None:
    dana = camera.person("developer")
    camera.take_phone(dana, "developer-phone")
    dana.open("/console/usage/?span=7d&compare=1")
    camera.take(dana, "developer-usage", height=1020)
    camera.take_dark(dana, "developer-usage-dark", height=1020)


def money(camera: Camera) -> None:
    dana = camera.person("developer")
    page = dana.page
    dana.open("/console/costs/")
    camera.take(dana, "developer-costs", height=900)
    dana.open("/console/invoices/")
    page.get_by_role("row").filter(has_text="October").get_by_role("link").last.click()
    camera.take(dana, "developer-invoice", height=980)
    page.get_by_role("link", name="Check").first.click()
    camera.take(dana, "developer-invoice-check", height=760)


def budgets(camera: Camera) -> None:
    dana = camera.person("developer")
    page = dana.page
    dana.open("/console/budgets/new/")
    page.get_by_label("Name").fill("Never more than this")
    page.get_by_label("Amount a month").fill("600")
    page.get_by_label("Currency").select_option("USD")
    page.get_by_label("Refuse calls once").check()
    camera.take(dana, "developer-spend-cap", height=900)
    dana.press("Create budget")
    camera.take(
        dana, "developer-budgets", height=620, at=page.get_by_role("article", name="Never more than this")
    )


def webhooks(camera: Camera) -> None:
    dana = camera.person("developer")
    dana.open("/console/webhooks/")
    dana.page.get_by_role("main").get_by_role("table").get_by_role("link").first.click()
    camera.take(dana, "developer-webhook", height=980)


def home(camera: Camera) -> None:
    dana = camera.person("developer")
    dana.open("/console/")
    camera.take(dana, "developer-overview", height=860)


STORY = (calls, the_request_log, home, usage, money, budgets, webhooks)
