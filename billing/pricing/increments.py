"""Metering increments: one call counts as many units as it started increments. Pure."""

KIB = 1024
# Amazon API Gateway pricing page: HTTP APIs, WebSocket messages, streamed answers of REST APIs
HTTP_INCREMENT = 512 * KIB
WEBSOCKET_INCREMENT = 32 * KIB
STREAM_INCREMENT = 10 * KIB * KIB


def units_of_size(size: int, increment: int) -> int:
    """Return how many increments `size` bytes started; at least 1, since an empty call is a call.

    513 KiB are 2 units of 512 KiB. ValueError for a negative size or an increment below 1.
    """
    if size < 0 or increment < 1:
        raise ValueError(f"{size} bytes in increments of {increment}")
    return max(1, -(-size // increment))
