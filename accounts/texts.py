"""Texts that people give for others to read."""

from accounts.errors import Refused

LONGEST_REASON = 200


def reason_of(text: str) -> str:
    """Return a reason on one line; Refused(field `reason`) for none, or one that is too long."""
    reason = " ".join(text.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise Refused(f"Say why, in at most {LONGEST_REASON} characters: others read it.", field="reason")
    return reason
