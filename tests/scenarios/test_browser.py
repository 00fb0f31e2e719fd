"""A developer's way in a real browser: sign up, verify, subscribe, read the key, make the call, see it counted."""

import re
import secrets
import shlex
import subprocess

from playwright.sync_api import Page, expect

from tests.scenarios.browsing import shot
from tests.scenarios.running import Running, eventually


def test_from_the_landing_page_to_a_counted_call(running: Running, page: Page) -> None:
    """At most five pages between the landing page and the key (the mail's page is not ours to count)."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    person = f"carol-{secrets.token_hex(4)}@developers.example"

    page.goto(running.facts["portal"] + "/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
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
    shot(page, "4-key")
    curl = page.locator("#new-curl").inner_text().strip()
    key = page.locator("#new-key").inner_text().strip()
    assert key.startswith("gh_live_")
    assert key in curl
    eventually(lambda: status_of(curl) == "200", 2)

    page.reload()
    expect(page.get_by_role("heading", name="This key was shown already")).to_be_visible()
    assert key not in page.content()

    page.goto(running.facts["portal"] + "/console/usage/")
    expect(page.get_by_text("1 counted").first).to_be_visible(timeout=10_000)
    shot(page, "5-usage")
    assert errors == []


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
    expect(page.get_by_text("/anything/{anything}").first).to_be_visible()
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
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("mail|verify", re.IGNORECASE))


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
