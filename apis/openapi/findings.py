"""What an import noticed: informs, never gates."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

INFO, WARNING, ERROR = "info", "warning", "error"
SEVERITY = {ERROR: 0, WARNING: 1, INFO: 2}
MAX_FINDINGS = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """`level` is info, warning or error; `pointer` a JSON pointer (RFC 6901) into the document, '' = the root."""

    level: str
    pointer: str
    message: str


def pointer(*parts: str | int) -> str:
    """Return the JSON pointer of these keys, escaped by RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def as_rows(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as JSON rows `{level, pointer, message}`, worst first, at most MAX_FINDINGS of them."""
    rows = sorted(set(findings), key=lambda each: (SEVERITY[each.level], each.pointer, each.message))
    shown = [asdict(each) for each in rows[:MAX_FINDINGS]]
    if len(rows) > MAX_FINDINGS:
        more = f"{len(rows) - MAX_FINDINGS} more findings are not shown."
        shown.append(asdict(Finding(INFO, "", more)))
    return shown
