"""The developers' guide until the first call: Carol finds an API, signs up and calls it."""

import re

from playwright.sync_api import expect

from tests.scenarios.browsing import Visitor
from tests.screenshots.camera import Camera
from tests.screenshots.people import confirm_from_the_outbox

CAROL = "carol@parcelshop.example"
PASSWORD = "Tracks-0nly-parcels"


def find_an_api(camera: Camera) -> None:
    carol = camera.person("carol")
    carol.open("/?q=payment")
    camera.take(carol, "developer-search", height=680)
    carol.open("/apis/httpbin/")
    camera.take(carol, "developer-api", height=860)
    camera.take(carol, "developer-plans", height=720, at=carol.page.get_by_role("heading", name="Plans"))
    carol.open("/products/client-kit/")
    camera.take(carol, "developer-product", height=760)


def sign_up(camera: Camera) -> None:
    carol = camera.person("carol")
    page = carol.page
    carol.open("/apis/httpbin/")
    carol.follow("Get a key on the plan Free")
    page.get_by_role("link", name=re.compile("sign up", re.IGNORECASE)).first.click()
    page.get_by_label(re.compile("e-?mail", re.IGNORECASE)).first.fill(CAROL)
    page.get_by_label(re.compile("password", re.IGNORECASE)).first.fill(PASSWORD)
    camera.take(carol, "developer-sign-up", height=740)
    page.get_by_role("main").get_by_role("button", name=re.compile("sign up", re.IGNORECASE)).click()
    expect(page.get_by_label("Code")).to_be_visible()
    camera.take(carol, "developer-code", height=640)
    confirm_from_the_outbox(carol, CAROL)


def get_a_key(camera: Camera) -> None:
    carol = camera.person("carol")
    carol.page.get_by_label("Application").first.fill("Parcel shop")
    camera.take(carol, "developer-subscribe", height=700)
    carol.page.get_by_role("button", name=re.compile("Get the key")).click()
    carol.heading("Your key")
    carol.page.get_by_role("button", name="Make the first call").click()
    answer = carol.page.get_by_role("region", name="Answer")
    expect(answer.get_by_text("200", exact=True)).to_be_visible()
    camera.take(carol, "developer-first-call", height=980)


def key_of(carol: Visitor) -> str:
    """The key that the page shows, once."""
    return carol.page.locator("#new-key").inner_text().strip()


def read_and_try(camera: Camera) -> None:
    carol = camera.person("carol")
    page = carol.page
    carol.open("/apis/httpbin/v1/reference/")
    camera.take(carol, "developer-reference", height=760)
    carol.open("/apis/httpbin/v1/reference/get-get/")
    page.get_by_role("tab", name="Python").click()
    camera.take(carol, "developer-operation", height=900)
    page.get_by_role("main").get_by_role("button", name="Send GET").click()
    expect(page.locator("#answer-body")).to_contain_text('"args"')
    camera.take(carol, "developer-answer", height=860, at=page.get_by_role("heading", name="Try it"))


STORY = (find_an_api, sign_up, get_a_key, read_and_try)
