"""Passkeys in a real browser with a virtual authenticator: sign up, sign in, second step, remove."""

import re
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.scenarios.browsing import shot
from tests.scenarios.running import Running
from tests.scenarios.test_browser import confirm_from_the_outbox


@pytest.fixture
def portal(running: Running) -> str:
    """Browsers make passkeys for the name localhost, not for its number."""
    return running.facts["portal"].replace("127.0.0.1", "localhost")


@pytest.fixture
def authenticator(page: Page) -> Iterator[None]:
    """A device that holds passkeys and always finds that it is her."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield
    session.send("WebAuthn.disable")


def test_without_any_password(running: Running, portal: str, page: Page, authenticator: None) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    person = f"dora-{secrets.token_hex(4)}@developers.example"
    page.goto(portal + "/accounts/signup/")
    page.get_by_role("link", name="Sign up with a passkey").click()
    page.get_by_label(re.compile("e-?mail", re.IGNORECASE)).fill(person)
    page.get_by_role("button", name="Go on").click()
    confirm_from_the_outbox(running, page, person, portal)
    expect(page.get_by_role("heading", name="Make your passkey")).to_be_visible()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page).to_have_url(re.compile("/console/"))

    page.goto(portal + "/console/security/")
    expect(page.get_by_role("row", name=re.compile("Laptop.*Signs you in alone"))).to_be_visible()
    shot(page, "7-security")
    sign_out(page)

    page.goto(portal + "/accounts/login/?next=/console/security/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Security")).to_be_visible()
    expect(page.get_by_text(f"How you sign in as {person}")).to_be_visible()

    # what changes her way in asks for the passkey again
    page.get_by_role("link", name="Set a password").click()
    if page.get_by_role("button", name="Use the passkey").is_visible():
        page.get_by_role("button", name="Use the passkey").click()
    word = secrets.token_urlsafe(12)
    page.get_by_label("Password", exact=True).fill(word)
    page.get_by_label("Password (again)").fill(word)
    page.get_by_role("button", name="Set the password").click()
    sign_out(page)

    # beside a password the same passkey is a second step
    page.goto(portal + "/accounts/login/")
    page.get_by_label(re.compile("e-?mail", re.IGNORECASE)).fill(person)
    page.get_by_label("Password").fill(word)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey or security key").click()
    expect(page).to_have_url(re.compile("/console/"))
    assert errors == []


def test_a_passkey_that_is_not_there_says_so(portal: str, page: Page, authenticator: None) -> None:
    """A device without a passkey for this site: the page stays, and tells."""
    page.goto(portal + "/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="No passkey was used")).to_be_visible()


def sign_out(page: Page) -> None:
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
