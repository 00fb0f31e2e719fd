"""Whether a colour can be read: contrast as WCAG 2.2 counts it. Pure."""

import re

from accounts.errors import Refused

HEX = re.compile(r"#[0-9a-fA-F]{6}")
# text of normal size, WCAG 2.2 AA
LEAST = 4.5
# the lightest and darkest surfaces that text in the accent stands on (static/css/tokens.css)
LIGHT_SURFACES = ("#ffffff", "#f1f3f6")
DARK_SURFACES = ("#0e1116", "#1c212a")


def contrast(one: str, other: str) -> float:
    """Return the ratio of two colours' luminance, 1 (the same) to 21 (black on white)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def check_accent(colour: str, *, dark: bool) -> str:
    """Return an accent in small letters, '' for none. Refused: no colour, or text in it cannot be read.

    The light one is also what buttons are filled with, below white text: that is the same as text on white.
    """
    field, surfaces = ("accent_dark", DARK_SURFACES) if dark else ("accent_light", LIGHT_SURFACES)
    colour = colour.strip().lower()
    if not colour:
        return ""
    if not HEX.fullmatch(colour):
        raise Refused("Write the colour as # and six digits 0 to f, such as #2a55c9.", field=field)
    worst = min(contrast(colour, surface) for surface in surfaces)
    if worst < LEAST:
        way = "lighter" if dark else "darker"
        message = f"Its contrast is {worst:.1f}:1 where {LEAST}:1 is needed to be read; take a {way} colour."
        raise Refused(message, field=field, code="contrast")
    return colour


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
