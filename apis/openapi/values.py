"""Limits on parsed values: what JSON cannot say, what is too deep, too large, or goes in a circle."""

import math
from typing import Any

from apis.openapi.document import DocumentError

MAX_DEPTH = 200


def check_values(data: Any) -> None:
    """Raise DocumentError for values nested deeper than MAX_DEPTH and numbers that JSON cannot say.

    Meant for a tree without circles, as a parser makes it; walks without recursion.
    """
    level = [data]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for each in level:
            values = each.values() if isinstance(each, dict) else each if isinstance(each, list) else (each,)
            for value in values:
                if isinstance(value, dict | list):
                    below.append(value)
                elif isinstance(value, float) and not math.isfinite(value):
                    raise DocumentError("The document has a number that JSON cannot say (NaN or infinity).")
        if not below:
            return
        level = below
    raise too_deep()


def too_deep() -> DocumentError:
    """The error for a document that is nested too deeply."""
    return DocumentError(f"The document is nested more than {MAX_DEPTH} levels deep.")
