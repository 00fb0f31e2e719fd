"""What may be said of a key: the closed list of codes, each with its HTTP status and message.

`status` is what a gateway answers its client; the verify endpoint itself answers 200 for any verdict.
"""

from enum import Enum


class KeyVerdict(Enum):
    """The members' names are the codes that programs see."""

    VALID = (200, "The key is valid.")
    MISSING = (401, "No key was given.")
    MALFORMED = (401, "This is not a Gatehouse key: its shape or its checksum is wrong.")
    NOT_FOUND = (401, "There is no such key.")
    REVOKED = (401, "The key was revoked.")
    EXPIRED = (401, "The key has expired.")
    ROTATED_OUT = (401, "The key was replaced by a newer one and its time of grace is over.")
    NOT_YET_VALID = (401, "The key is not valid yet.")
    DISABLED = (403, "The key is disabled.")
    APPLICATION_SUSPENDED = (403, "The application is suspended.")
    ACCOUNT_SUSPENDED = (403, "The organization is suspended.")
    IP_NOT_ALLOWED = (403, "The key may not be used from this address.")
    REFERRER_NOT_ALLOWED = (403, "The key may not be used from this page.")
    NOT_SUBSCRIBED = (403, "The application has no active subscription that opens this stage.")
    SUBSCRIPTION_PENDING = (403, "The subscription waits for the provider's approval.")
    API_RETIRED = (410, "This version of the API was retired.")
    RATE_LIMITED = (429, "The rate limit is reached; try again after the time in reset_after_s.")
    QUOTA_EXCEEDED = (429, "The quota of this period is used up.")

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message

    @property
    def code(self) -> str:
        """The stable word for programs, such as `NOT_FOUND`."""
        return self.name
