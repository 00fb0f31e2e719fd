"""Looks at a page in a real Chromium as axe, a keyboard, a phone and a network see it."""

import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, sync_playwright

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
LOOKS = Path(__file__).with_name("looks.js").read_text()
SHIFTS = Path(__file__).with_name("shifts.js").read_text()
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# of Web Vitals' "good"
MOST_SHIFT = 0.1


class Inspector:
    """A browser that is signed in with `cookies`; `inspect` returns what is wrong with a page, in words."""

    def __init__(self, page: Page, host: str, seen: set[str] | None = None) -> None:
        """`seen`: parts whose colours and sizes were looked at already; several that share it look once."""
        self.page, self.host = page, host
        self._heard: list[str] = []
        self._seen = set() if seen is None else seen
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._heard.append(f"script: {error}"))
        page.on("request", self._on_request)

    def inspect(
        self, path: str, *, known: Collection[str] = (), ours: bool = True, dark: bool = True
    ) -> list[str]:
        """Open a page and look at it: on a desk light and dark, and on a phone.

        `known`: axe rules that it is known to break. `ours`: it is made of our layouts, so it has their skip link,
        ring of focus and width. `dark`: not where the same parts were seen in the dark on other pages.
        """
        self._heard.clear()
        self.page.goto(self.host + path)
        return self.look(known=known, ours=ours, dark=dark)

    def look(self, *, known: Collection[str] = (), ours: bool = True, dark: bool = True) -> list[str]:
        """Look at the page that is open."""
        if not self._evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        found, new = self._settled(), self._new_parts()
        rules = {"color-contrast": {"enabled": new}}
        found += self._axe({"runOnly": {"type": "tag", "values": list(RULES)}, "rules": rules})
        found += self._frame(ours)
        if dark and new:
            self.page.emulate_media(color_scheme="dark")
            found += [f"dark: {each}" for each in self._rules("color-contrast")]
        self.page.set_viewport_size(PHONE)
        if new:
            found += [f"phone: {each}" for each in self._rules("target-size", "scrollable-region-focusable")]
        if ours:
            found += self._evaluate("tooWide()")
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size(DESKTOP)
        found += self._heard
        self._heard.clear()
        return [each for each in found if not any(rule in each.partition(" (")[0] for rule in known)]

    def _settled(self) -> list[str]:
        """Wait for parts that come later, then say what moved meanwhile."""
        moved = self._evaluate("shifts()")
        return [f"moves by {moved['sum']:.2f}: {moved['what']}"] if moved["sum"] >= MOST_SHIFT else []

    def _frame(self, ours: bool) -> list[str]:
        self.page.keyboard.press("Tab")  # from here on focus is a keyboard's
        return self._evaluate(f"frame({json.dumps(ours)})")

    def _new_parts(self) -> bool:
        """Whether there is a part (an element with its classes in its parent) that no page before had.

        Colours and sizes come by these: those of a page without one were seen, in light and dark and on a phone.
        """
        parts = set(self._evaluate("parts()"))
        new = bool(parts - self._seen)
        self._seen |= parts
        return new

    def _rules(self, *rules: str) -> list[str]:
        return self._axe({"runOnly": {"type": "rule", "values": rules}})

    def _axe(self, options: dict[str, Any]) -> list[str]:
        options |= {"resultTypes": ["violations"], "preload": False}
        return self._evaluate(f"violations({json.dumps(options)})")

    def _evaluate(self, script: str) -> Any:
        return self.page.evaluate(f"async () => {{ {LOOKS}; return await {script}; }}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._heard.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.host, "data:", "blob:")):
            self._heard.append(f"another host: {request.url}")


def launch(playwright: Playwright) -> Browser:
    """Start the distribution's Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "install the distribution's chromium: make setup-dev"
    return playwright.chromium.launch(executable_path=chromium)


@contextmanager
def inspectors(host: str, *cookies: dict[str, str]) -> Iterator[list[Inspector]]:
    """One Chromium with an inspector for each of the persons whose cookies (name -> value) are given."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        found = []
        for hers in cookies:
            context = browser.new_context(viewport=DESKTOP, reduced_motion="reduce")
            context.add_init_script(SHIFTS)
            context.add_init_script(AXE)  # sent once, not again for each page
            context.add_cookies([{"name": name, "value": value, "url": host} for name, value in hers.items()])
            found.append(Inspector(context.new_page(), host))
        yield found
        browser.close()
