"""Sentences that end in a name. Names of companies end in a dot themselves ("S.A."), which then ends the sentence."""

import re

from django.utils.safestring import SafeData, mark_safe

# two dots before a blank or the end; three are an ellipsis
_TWO_DOTS = re.compile(r"(?<!\.)\.\.(?=\s|$)")


def one_dot(text: str) -> str:
    """Return the text without the second dot of sentences that end in a name's own; safe HTML stays safe."""
    mended = _TWO_DOTS.sub(".", text)
    return mark_safe(mended) if isinstance(text, SafeData) else mended  # noqa: S308 -- it was safe, and a dot is


def ended(name: object) -> str:
    """Return a name as the end of a sentence."""
    return one_dot(f"{name}.")
