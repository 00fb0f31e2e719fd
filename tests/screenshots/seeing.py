"""The developers' guide about what happens: usage, requests, costs, invoices, budgets, webhooks."""

import threading
import time

from playwright.sync_api import expect

from tests.receiver import receiving
from tests.scenarios.running import eventually
from tests.screenshots.camera import Camera
from tests.screenshots.people import open_first


def calls(camera: Camera) -> None:
    """Carol calls: too many at once are throttled; then some are answered, one meets no operation, one a 404."""
    carol, running = camera.person("carol"), camera.running
    open_first(carol, "/console/applications/", "Parcel shop")
    carol.follow("New key")
    carol.page.get_by_label("Name").fill("Load test")
    carol.press("Create key")
    key = carol.page.locator("#new-key").inner_text().strip()
    together = [threading.Thread(target=running.call, args=("/httpbin/v1/headers", key)) for _ in range(24)]
    for each in together:
        each.start()
    for each in together:
        each.join()
    time.sleep(3)  # until there is room again
    for path in ("uuid", "nothing-here", "status/404", "get", "anything/p-1742"):
        running.call(f"/httpbin/v1/{path}", key)
        time.sleep(0.4)


def the_request_log(camera: Camera) -> None:
    carol = camera.person("carol")
    page = carol.page
    carol.open("/console/requests/")
    eventually(lambda: page.reload() and page.get_by_text("/anything/p-1742").count(), 30, pause=1)
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
    page, cap = dana.page, "Never more than this"
    dana.open("/console/budgets/new/")
    page.get_by_label("Name").fill(cap)
    page.get_by_label("Amount a month").fill("600")
    page.get_by_label("Currency").select_option("USD")
    page.get_by_label("Refuse calls once").check()
    camera.take(dana, "developer-spend-cap", height=900)
    dana.press("Create budget")
    eventually(
        lambda: (
            page.reload() and not page.get_by_role("article", name=cap).get_by_text("No costs yet").count()
        ),
        60,
        pause=2,
    )
    camera.take(
        dana, "developer-budgets", height=620, at=page.get_by_role("article", name="Never more than this")
    )


def webhooks(camera: Camera) -> None:
    """A receiver that is away at first, so that there is something to send again."""
    carol = camera.person("carol")
    page = carol.page
    with receiving() as receiver:
        carol.open("/console/webhooks/")
        page.get_by_label("URL").fill(receiver.url)
        page.get_by_label("Description").fill("Order desk")
        camera.take(carol, "developer-new-webhook", height=860)
        carol.press("Create endpoint")
        carol.follow("I have kept it")
        for receiver.status in (204, 503):
            carol.press("Send test event")
            eventually(lambda: len(receiver.got) == (1 if receiver.status == 204 else 2), 20)
        time.sleep(1)
        page.reload()
        camera.take(carol, "developer-webhook", height=700)


def home(camera: Camera) -> None:
    dana = camera.person("developer")
    dana.open("/console/")
    camera.take(dana, "developer-overview", height=860)


STORY = (calls, the_request_log, home, usage, money, budgets, webhooks)
