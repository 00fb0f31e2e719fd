"""The providers' guide until an API is live and changed: Ada registers Parcels, deploys, and watches a canary."""

import re
import time
from pathlib import Path

from playwright.sync_api import expect

from tests.scenarios.browsing import Visitor
from tests.screenshots.camera import Camera
from tests.screenshots.people import provider_page

DOCUMENT = Path(__file__).with_name("parcels.yaml")


def register(camera: Camera) -> None:
    ada = camera.person("admin")
    page = ada.page
    provider_page(ada, "apis/new/")
    page.get_by_label("Upload a file").check()
    page.locator("#id_upload").set_input_files(DOCUMENT)
    ada.press("Read the document")
    expect(page.get_by_text("TRACE is never served").first).to_be_visible()
    camera.take(ada, "provider-document", height=900)
    page.locator("#id_name").fill("Parcels")
    page.locator("#id_summary").fill("Send parcels and follow them.")
    page.locator("#id_backend_url").fill(camera.running.facts["httpbin"] + "/anything")
    ada.press("Test the backend")
    expect(page.get_by_text("answers.")).to_be_visible()
    page.locator("#id_plan").select_option(label="A new plan")
    for name, value in (("name", "Parcels Starter"), ("rate", "20"), ("burst", "40"), ("quota", "50000")):
        page.locator(f"#id_plan_{name}").fill(value)
    camera.take(ada, "provider-backend", height=1000, at=page.get_by_role("heading", name="Backend"))
    ada.press("Publish")
    expect(page.get_by_text(re.compile(r"Live on (\d+) of \1 nodes"))).to_be_visible()
    camera.take(ada, "provider-live", height=640)


def edit(camera: Camera) -> None:
    ada = camera.person("admin")
    page = ada.page
    provider_page(ada, "apis/")
    ada.follow("Parcels")
    ada.follow("Details")
    camera.take(ada, "provider-details", height=860)
    _version(ada)
    page.get_by_label("Choose GET /parcels/{id}", exact=True).check()
    camera.take(ada, "provider-operations", height=880)
    ada.press("Are open without a key")
    ada.follow("Backend and keys")
    camera.take(ada, "provider-settings", height=760)
    ada.follow("Policies")
    camera.take(ada, "provider-policies", height=980)


def deploy(camera: Camera) -> None:
    """Take one operation out and add another: what breaks is said before it is live."""
    ada = camera.person("admin")
    page = ada.page
    _version(ada)
    ada.follow("DELETE /parcels/{id}")
    ada.follow("Take it out")
    ada.answer("Take it out")
    page.get_by_label("Path").fill("/parcels/{id}/label")
    page.locator("#id_summary").fill("Print the label")
    ada.press("Add operation")
    ada.follow("Deploy")
    expect(page.get_by_text("1 breaking change")).to_be_visible()
    camera.take(ada, "provider-deploy", height=1000)
    page.get_by_label("that is meant").check()
    page.get_by_label("Note").fill("Labels instead of taking back")
    ada.press("Deploy to live")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("is published"))


def _version(ada: Visitor) -> None:
    provider_page(ada, "apis/")
    ada.follow("Parcels")
    ada.page.get_by_role("main").get_by_role("link", name=re.compile("^Edit")).first.click()


def canary(camera: Camera) -> None:
    """A third deployment gets a quarter of the calls."""
    ada, running = camera.person("admin"), camera.running
    page = ada.page
    provider_page(ada, "apis/")
    ada.follow("Parcels")
    ada.follow("live")
    page.get_by_text("Start a canary").click()
    page.get_by_label("Deployment", exact=True).select_option(label="Parcels v1 #1")
    page.get_by_label("Percent of the calls").fill("25")
    ada.press("Start the canary")
    for _ in range(240):
        running.call("/parcels/v1/parcels/p-1742")
    time.sleep(8)
    page.reload()
    camera.take(ada, "provider-canary", height=1000)
    provider_page(ada, "apis/")
    ada.follow("Catalogue")
    page.get_by_role("main").get_by_role("link", name=re.compile("^Deprecate")).first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Ends at").fill("2027-03-01T00:00")
    camera.take(ada, "provider-deprecate", height=760)
    page.keyboard.press("Escape")


STORY = (register, edit, deploy, canary)
