"""The closed list of problems that `/api/v1/` can answer, served at `/api/v1/problems`."""

from enum import Enum


class ProblemType(Enum):
    """Name in the URI, HTTP status, title, and what to do about it."""

    MALFORMED = ("malformed", 400, "Malformed request", "The body is not valid JSON (or form data). Mend it.")
    UNAUTHENTICATED = (
        "unauthenticated",
        401,
        "Not signed in",
        "Send `Authorization: Bearer gat_…` with a token that is neither revoked nor expired.",
    )
    FORBIDDEN = (
        "forbidden",
        403,
        "Not allowed",
        "The token is good, but it may not do this: it is read-only, or its person's role is not enough.",
    )
    NOT_FOUND = (
        "not-found",
        404,
        "Not found",
        "No such path or thing, or it belongs to an organization that this token does not act for.",
    )
    METHOD_NOT_ALLOWED = (
        "method-not-allowed",
        405,
        "Method not allowed",
        "The `Allow` header lists the methods of this path.",
    )
    NOT_ACCEPTABLE = ("not-acceptable", 406, "Not acceptable", "Answers are JSON; accept application/json.")
    CONFLICT = ("conflict", 409, "Conflict", "The thing changed meanwhile, or is still in use. Read again.")
    TOO_LARGE = ("too-large", 413, "Body too large", "Send less at once.")
    UNSUPPORTED_MEDIA_TYPE = (
        "unsupported-media-type",
        415,
        "Unsupported media type",
        "Send JSON (`Content-Type: application/json`); uploads of documents are multipart/form-data.",
    )
    INVALID_INPUT = (
        "invalid-input",
        422,
        "Invalid input",
        "`errors` names each field or query parameter, and why it cannot be taken.",
    )
    REFUSED = (
        "refused",
        422,
        "Refused by a rule",
        "The input is well formed, but a rule forbids it; `errors[0]` names the rule (`code`) and the field.",
    )
    TOO_MANY_REQUESTS = ("too-many-requests", 429, "Too many requests", "Wait for `Retry-After` seconds.")
    SERVER_ERROR = ("server-error", 500, "Internal error", "Report it with the `request_id`.")
    UNAVAILABLE = ("unavailable", 503, "Unavailable", "Try again after `Retry-After` seconds.")

    def __init__(self, slug: str, status: int, title: str, meaning: str) -> None:
        self.slug = slug
        self.status = status
        self.title = title
        self.meaning = meaning

    @property
    def uri(self) -> str:
        """`type` of the problem document: a path that answers with the meaning."""
        return f"/api/v1/problems/{self.slug}"

    @classmethod
    def for_status(cls, status: int) -> "ProblemType":
        """Return the general problem of an HTTP status."""
        for kind in cls:
            if kind.status == status:
                return kind
        return cls.SERVER_ERROR if status >= 500 else cls.MALFORMED
