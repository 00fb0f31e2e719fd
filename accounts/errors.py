"""The one exception by which a verb says no.

Site and REST API turn it into a message at the field, or a problem document (RFC 9457).
"""

from accounts.sentences import one_dot


class Refused(Exception):
    """A rule forbids what was asked. Nothing was written.

    `field` names the input to change ('' = none in particular), `code` is stable for programs,
    the message says what is wrong and the way out.
    """

    def __init__(self, message: str, *, field: str = "", code: str = "invalid") -> None:
        self.message = one_dot(message)
        super().__init__(self.message)
        self.field = field
        self.code = code
