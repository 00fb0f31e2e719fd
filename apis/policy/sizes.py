"""Sizes in bytes."""

from typing import Any

from apis.policy.reading import whole

COMPRESS_AT_MOST = 10_485_760
BODY_AT_MOST = 2_147_483_647


def read_compress_from(raw: Any, at: str) -> int | None:
    """Read from how many bytes on answers are compressed (AWS's minimumCompressionSize); None = never."""
    return None if raw is None else whole(raw, at, 0, COMPRESS_AT_MOST, "bytes")


def read_max_body(raw: Any, at: str) -> int:
    """Read how many bytes the body of a call may have."""
    return whole(raw, at, 0, BODY_AT_MOST, "bytes")
