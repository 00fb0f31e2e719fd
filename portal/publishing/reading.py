"""A document as the pages show it: operations, and findings with their lines and ways out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

from apis.openapi import Document, DocumentError, parse
from apis.openapi.lines import lines_of
from apis.openapi.operations import ParsedOperation
from apis.openapi.servers import suggest_backends
from apis.openapi.ways_out import way_out
from apis.projection import read

# what a page's text field takes; larger documents are for the REST API, which takes files of 50 MB
MOST_CHARACTERS = 8_000_000
SHOWN_FINDINGS = 100
LINE = re.compile(r"\(line (\d+),")


class Remark(NamedTuple):
    """One finding. `line` counts from 1; 0 = not known."""

    level: str
    pointer: str
    message: str
    way_out: str
    line: int


@dataclass(slots=True)
class Reading:
    """`document` None = it cannot be read: then `problem` says why, and `line` where."""

    text: str
    document: Document | None = None
    problem: str = ""
    line: int = 0
    remarks: list[Remark] = field(default_factory=list)
    operations: list[ParsedOperation] = field(default_factory=list)
    suggested: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many remarks of each level."""
        levels = [each.level for each in self.remarks]
        return {level: levels.count(level) for level in ("error", "warning", "info") if level in levels}

    @property
    def needs_backend(self) -> int:
        """How many operations the version's backend would answer."""
        return sum(not each.integration.type and not each.unserved_reason for each in self.operations)


def look_at(text: str, fetched_from: str = "") -> Reading:
    """Read a document's text and say all that is to say about it."""
    try:
        document = parse(text, max_bytes=min(settings.DOCUMENT_MAX_BYTES, MOST_CHARACTERS))
    except DocumentError as error:
        found = LINE.search(str(error))
        return Reading(text, problem=str(error), line=int(found[1]) if found else 0)
    operations, findings = read(document)
    return Reading(
        text,
        document,
        remarks=remarks_of(text, findings),
        operations=operations,
        suggested=_suggested(document, fetched_from),
    )


def _suggested(document: Document, fetched_from: str) -> list[str]:
    """Return what the document names, then the server that it came from."""
    found = suggest_backends(document, fetched_from)
    parts = urlsplit(fetched_from)
    own = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return [*found, own] if own and own not in found else found


def remarks_of(text: str, findings: Sequence[dict[str, Any]]) -> list[Remark]:
    """Give findings (as `ApiVersion.findings` keeps them) their lines in a text, and ways out."""
    shown = findings[:SHOWN_FINDINGS]
    lines = lines_of(text, [each["pointer"] for each in shown])
    return [
        Remark(
            each["level"],
            each["pointer"],
            each["message"],
            way_out(each["message"]),
            lines[each["pointer"]],
        )
        for each in shown
    ]
