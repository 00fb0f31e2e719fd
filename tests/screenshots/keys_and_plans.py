"""The developers' guide from the first key on: rotate and restrict it, change the plan, share the work."""

import re

from playwright.sync_api import expect

from tests.scenarios.browsing import Visitor
from tests.screenshots.camera import Camera
from tests.screenshots.getting_started import PASSWORD
from tests.screenshots.people import open_first


def an_application(camera: Camera) -> None:
    carol = camera.person("carol")
    open_first(carol, "/console/applications/", "Parcel shop")
    carol.follow("New key")
    carol.page.get_by_label("Name").fill("Warehouse scanners")
    carol.page.get_by_label("Expires").select_option(label="In 90 days")
    camera.take(carol, "developer-new-key", height=900)
    carol.press("Create key")
    carol.follow("I have kept it")
    camera.take(carol, "developer-application", height=860)


def rotate_and_restrict(camera: Camera) -> None:
    carol = camera.person("carol")
    page = carol.page
    open_first(carol, "/console/applications/", "Parcel shop")
    _change(carol, "First key", "Rotate")
    expect(page.get_by_role("dialog")).to_be_visible()
    camera.take(carol, "developer-rotate", height=640)
    carol.answer("Make the new key")
    carol.follow("I have kept it")
    camera.take(carol, "developer-rotated", height=520)
    _change(carol, "Warehouse scanners", "Edit")
    page.get_by_label("Only from these networks").fill("203.0.113.0/24\n2001:db8:17::/48")
    camera.take(carol, "developer-key-edit", height=860)
    carol.press("Save")


def _change(who: Visitor, key: str, what: str) -> None:
    row = who.page.get_by_role("row").filter(has_text=key).first
    row.locator("summary").click()
    row.get_by_role("link", name=what).click()


def change_and_cancel(camera: Camera) -> None:
    dana = camera.person("developer")
    page = dana.page
    open_first(dana, "/console/applications/", "Back office")
    page.get_by_role("link", name=re.compile("^Change plan")).first.click()
    dana.heading("Change plan")
    page.get_by_label("Pro", exact=True).check()
    camera.take(dana, "developer-change-plan", height=860)
    open_first(dana, "/console/applications/", "Back office")
    page.get_by_role("link", name=re.compile("^Cancel")).first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    camera.take(dana, "developer-cancel", height=700)
    page.keyboard.press("Escape")


def ask_for_approval(camera: Camera) -> None:
    """Carol for a new subscription, Dana for another plan."""
    dana = camera.person("developer")
    open_first(dana, "/console/applications/", "Fleet tracker")
    dana.page.get_by_role("link", name=re.compile("^Change plan")).first.click()
    dana.page.get_by_label("Business", exact=True).check()
    dana.press("Change plan")
    carol = camera.person("carol")
    carol.open("/apis/meridian-orders/")
    carol.follow("Get a key on the plan Business")
    carol.page.get_by_label("Name of the application").fill("Order desk")
    carol.press("Ask for access")
    open_first(carol, "/console/applications/", "Order desk")
    camera.take(carol, "developer-waits", height=760)


def a_team(camera: Camera) -> None:
    carol = camera.person("carol")
    carol.open("/console/organization/")
    for address, role in (("bea@parcelshop.example", "billing"), ("mo@parcelshop.example", "member")):
        carol.page.get_by_label("E-mail address").first.fill(address)
        carol.page.locator("#id_role").select_option(role)
        carol.press("Send invitation")
    camera.take(carol, "developer-team", height=980)


def security(camera: Camera) -> None:
    carol = camera.person("carol")
    carol.open("/console/security/")
    camera.take(carol, "developer-security", height=800)
    carol.open("/accounts/2fa/totp/activate/")
    if carol.page.get_by_role("heading", name="Is it you?").count():
        carol.page.get_by_label("Password").fill(PASSWORD)
        carol.press("Go on")
    camera.take(carol, "developer-authenticator", height=760)


STORY = (an_application, rotate_and_restrict, change_and_cancel, ask_for_approval, a_team, security)
