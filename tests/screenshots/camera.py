"""Takes pictures of a running Gatehouse, always of the same width, and keeps them small."""

import io
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.scenarios.browsing import Visitor
from tests.scenarios.running import ROOT, Running

FOLDER = ROOT / "docs" / "images" / "guide"
WIDTH, PHONE = 1200, 390
MOST_BYTES = 90_000
_COLOURS = (256, 128, 64)


class Camera:
    """Opens a browser of its own for each person. `taken` = names of the pictures so far."""

    def __init__(self, browser: Browser, running: Running, folder: Path = FOLDER) -> None:
        self.browser, self.running, self.folder = browser, running, folder
        self.taken: list[str] = []
        self._people: dict[str, Visitor] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def person(self, role: str) -> Visitor:
        """Somebody of the demo (`admin`, `developer`, `shop`), signed in; any other role is a visitor."""
        if role not in self._people:
            self._people[role] = self._visitor()
            if role in self.running.facts:
                self._people[role].sign_in(role)
        return self._people[role]

    def take(
        self, who: Visitor, name: str, *, height: int = 800, at: Locator | None = None, below: int = 90
    ) -> None:
        """Keep what a screen of this height shows as `name`.webp; `at` = what stands at its top, under the head."""
        who.page.set_viewport_size({"width": WIDTH, "height": height})
        self._keep(who.page, name, at, below)

    def take_dark(self, who: Visitor, name: str, *, height: int = 800, at: Locator | None = None) -> None:
        who.page.emulate_media(color_scheme="dark")
        who.page.reload()
        self.take(who, name, height=height, at=at)
        who.page.emulate_media(color_scheme="light")
        who.page.reload()

    def take_phone(self, who: Visitor, name: str, *, height: int = 844) -> None:
        who.page.set_viewport_size({"width": PHONE, "height": height})
        who.page.reload()
        self._keep(who.page, name, None, 0)

    def _visitor(self) -> Visitor:
        settings: dict[str, Any] = {"reduced_motion": "reduce", "locale": "en-GB", "timezone_id": "UTC"}
        context = self.browser.new_context(viewport={"width": WIDTH, "height": 800}, **settings)
        context.set_default_timeout(20_000)
        return Visitor(self.running, context.new_page())

    def _keep(self, page: Page, name: str, at: Locator | None, below: int) -> None:
        expect(page.get_by_text("Loading")).to_have_count(0)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        if at is None:
            page.evaluate("scrollTo(0, 0)")
        else:
            at.evaluate(f"each => scrollTo(0, each.getBoundingClientRect().top + scrollY - {below})")
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)
        (self.folder / f"{name}.webp").write_bytes(small(page.screenshot()))
        self.taken.append(name)
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()


def small(picture: bytes) -> bytes:
    """Return a WebP without losses, with as many colours as fit into MOST_BYTES."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in _COLOURS:
        kept = io.BytesIO()
        plain = image.quantize(colours, dither=Image.Dither.NONE).convert("RGB")
        plain.save(kept, "WEBP", lossless=True, quality=80)
        if kept.tell() < MOST_BYTES:
            break
    return kept.getvalue()
