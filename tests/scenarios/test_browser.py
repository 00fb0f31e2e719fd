"""A developer's way in a real browser: sign up, verify, subscribe, read the key, make the call, see it counted."""

import re
import secrets
import shlex
import subprocess
import sys
import time
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.scenarios.browsing import shot
from tests.scenarios.running import Running, eventually


def test_from_the_landing_page_to_a_counted_call(running: Running, page: Page) -> None:
    """Five pages and two minutes from the landing page to the first successful call, made on the fifth.

    The mail's own page, and the one it leads to, are not ours to count: a mail program stands between.
    """
    errors: list[str] = []
    pages: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("framenavigated", lambda frame: pages.append(urlsplit(frame.url).path))
    person = f"carol-{secrets.token_hex(4)}@developers.example"
    begun = time.monotonic()

    page.goto(running.facts["portal"] + "/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    shot(page, "0-landing")
    page.get_by_role("link", name="httpbin").first.click()
    expect(page.get_by_role("heading", name="httpbin", level=1)).to_be_visible()
    shot(page, "1-api")
    page.locator("article, .card").filter(has_text="1,000 calls a month").get_by_role(
        "link", name="Get a key"
    ).click()

    sign_up(page, person)
    confirm_from_the_outbox(running, page, person)

    expect(page).to_have_url(re.compile("/subscribe/"))
    page.get_by_label("Application").first.fill("Carol's shop")
    shot(page, "3-subscribe")
    page.get_by_role("button", name=re.compile("Get the key")).click()

    expect(page.get_by_role("heading", name="Your key")).to_be_visible()
    curl = page.locator("#new-curl").inner_text().strip()
    key = page.locator("#new-key").inner_text().strip()
    assert key.startswith("gh_live_")
    assert key in curl
    shot(page, "4-key")
    page.get_by_role("button", name="Make the first call").click()
    answer = page.get_by_role("region", name="Answer")
    expect(answer.get_by_text("200", exact=True)).to_be_visible()
    assert time.monotonic() - begun < 120
    shot(page, "4-first-call")
    ours = [path for path in pages if not path.startswith(("/outbox/", "/accounts/confirm-email/"))]
    assert [kind_of_page(path) for path in ours] == ["", "apis", "accounts", "subscribe", "console"]
    eventually(lambda: status_of(curl) == "200", 2)

    page.reload()
    expect(page.get_by_role("heading", name="This key was shown already")).to_be_visible()
    assert key not in page.content()

    page.goto(running.facts["portal"] + "/console/usage/")
    expect(page.get_by_text("2 counted").first).to_be_visible(timeout=10_000)
    shot(page, "5-usage")
    the_reference_has_the_key_filled_in(running, page, key)
    assert errors == []


def the_reference_has_the_key_filled_in(running: Running, page: Page, key: str) -> None:
    """In this tab: in the form and in the samples, which run as they stand. By keyboard, and read aloud."""
    page.goto(running.facts["portal"] + "/apis/httpbin/v1/reference/get-get/")
    expect(page.get_by_label("Your key")).to_have_value(key)
    page.get_by_role("tab", name="curl").press("ArrowRight")
    expect(page.get_by_role("tab", name="Python")).to_be_focused()
    text = page.get_by_role("tabpanel", name="Python").locator("code").inner_text()
    ran = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("200\n")
    page.reload()
    expect(page.get_by_role("tab", name="Python")).to_have_attribute("aria-selected", "true")
    page.get_by_label("Your key").press("Enter")
    expect(page.locator("#live-region")).to_contain_text("Answered 200 OK in")
    expect(page.locator("#answer-body")).to_contain_text('"args"')
    shot(page, "7-tried")
    page.get_by_role("button", name="Forget it").click()
    expect(page.get_by_label("Your key")).to_have_value("")
    expect(page.get_by_role("tabpanel", name="Python").locator("code")).to_contain_text("YOUR_KEY")


def kind_of_page(path: str) -> str:
    """The address's first word."""
    return path.strip("/").split("/")[0]


def test_the_reference_is_drawn_without_any_other_host(running: Running, page: Page) -> None:
    foreign: list[str] = []
    host = running.facts["portal"]
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((host, "data:", "blob:")) else foreign.append(request.url)
        ),
    )
    page.goto(host + "/apis/httpbin/v1/reference/")
    page.get_by_role("searchbox", name="Find an operation").fill("anything post")
    expect(page.get_by_text("/anything/{anything}").locator("visible=true")).to_have_count(1)
    page.get_by_role("link", name="POST /anything/{anything}").click()
    expect(page.get_by_role("link", name="Sign in to try it")).to_be_visible()
    page.goto(host + "/api/v1/docs/")
    page.get_by_text("Credentials, and their verification.").click(timeout=30_000)
    expect(page.get_by_text("/api/v1/keys/verify").first).to_be_visible(timeout=30_000)
    shot(page, "6-rest-reference")
    assert foreign == []


def sign_up(page: Page, person: str) -> None:
    if "/login/" in page.url:
        page.get_by_role("link", name=re.compile("sign up|create", re.IGNORECASE)).first.click()
    page.get_by_label(re.compile("e-?mail", re.IGNORECASE)).first.fill(person)
    page.get_by_label(re.compile("password", re.IGNORECASE)).first.fill(secrets.token_urlsafe(12))
    shot(page, "2-sign-up")
    page.get_by_role("main").get_by_role("button", name=re.compile("sign up|create", re.IGNORECASE)).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        re.compile("mail|confirm|verify", re.IGNORECASE)
    )


def confirm_from_the_outbox(running: Running, page: Page, person: str, portal: str = "") -> None:
    portal = portal or running.facts["portal"]
    page.goto(portal + "/outbox/")
    page.get_by_role("row", name=re.compile(person)).get_by_role("link").first.click()
    code = re.search(r"^\d{6}$", page.locator(".mail").inner_text(), re.MULTILINE)
    assert code, page.locator(".mail").inner_text()
    page.goto(portal + "/accounts/confirm-email/")
    page.get_by_label("Code").fill(code.group())
    page.get_by_role("main").get_by_role("button", name="Confirm").click()


def status_of(curl: str) -> str:
    """Run the line that the page shows, and return the HTTP status."""
    command = [*shlex.split(curl), "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
