"""What a reader is told of one operation."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SchemaRow:
    """One property or element. `notes` are bounds and the like in words; `children` what it is made of."""

    name: str
    type: str
    required: bool = False
    description: str = ""
    notes: tuple[str, ...] = ()
    children: tuple["SchemaRow", ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """`place` is path, query, header or cookie. `example` is a value to call with; `shown` = samples send it."""

    name: str
    place: str
    required: bool
    description: str
    row: SchemaRow
    example: Any
    shown: bool
    choices: tuple[str, ...] = ()
    explode: bool = True


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body in one media type. `fields` are a form's: (name, required, is a file)."""

    media_type: str
    required: bool
    description: str
    row: SchemaRow
    example: Any
    fields: tuple[tuple[str, bool, bool], ...] = ()

    @property
    def is_json(self) -> bool:
        """Whether the example is a JSON value, not text."""
        return is_json(self.media_type)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: `status` is 200, 4XX or default; `example` is text, '' = none can be shown."""

    status: str
    description: str
    media_type: str = ""
    row: SchemaRow | None = None
    example: str = ""
    headers: tuple[SchemaRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """Something that a caller shows. `place` is header, query, cookie, bearer, basic or other.

    `is_key` = it is the gateway's own API key; all else is checked by an authorizer or the backend.
    """

    name: str
    place: str
    field: str = ""
    is_key: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `credentials` are ways to be let in, each a list of all that must be shown; none = open."""

    method: str
    path: str
    summary: str
    description: str
    operation_id: str
    deprecated: bool
    unserved: str
    parameters: list[Parameter] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    credentials: list[list[Credential]] = field(default_factory=list)

    @property
    def key(self) -> Credential | None:
        """Where the API key goes; None = it needs none."""
        return next((each for each in self.shown if each.is_key), None)

    @property
    def shown(self) -> list[Credential]:
        """The way in that samples take: one with the gateway's key, else the first."""
        ways = sorted(self.credentials, key=lambda way: not any(each.is_key for each in way))
        return ways[0] if ways else []


def is_json(media_type: str) -> bool:
    """Tell whether a media type is JSON: application/json, application/problem+json."""
    kind = media_type.partition(";")[0].strip().lower()
    return kind.endswith(("/json", "+json"))
