"""What an import noticed: informs, never gates."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

INFO, WARNING, ERROR = "info", "warning", "error"
SEVERITY = {ERROR: 0, WARNING: 1, INFO: 2}
MAX_FINDINGS = 500
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Finding:
    """`level` is info, warning or error; `pointer` a JSON pointer (RFC 6901), '' = the whole document."""

    level: str
    pointer: str
    message: str


def pointer(*parts: str | int) -> str:
    """Return the JSON pointer of these keys, escaped by RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _storable(finding: Finding) -> Finding:
    """Replace what a PostgreSQL text cannot hold (NUL and lone surrogates)."""
    return Finding(finding.level, clean(finding.pointer)[:2_000], clean(finding.message)[:1_000])


def clean(text: str) -> str:
    """Return a text that can be stored: NUL and lone surrogates become U+FFFD."""
    return UNSTORABLE.sub("\ufffd", text)


def as_rows(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as JSON rows `{level, pointer, message}`, worst first, at most MAX_FINDINGS of them."""
    rows = sorted(
        {_storable(each) for each in findings},
        key=lambda each: (SEVERITY[each.level], each.pointer, each.message),
    )
    shown = [asdict(each) for each in rows[:MAX_FINDINGS]]
    if len(rows) > MAX_FINDINGS:
        more = f"{len(rows) - MAX_FINDINGS} more findings are not shown."
        shown.append(asdict(Finding(INFO, "", more)))
    return shown
