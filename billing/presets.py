"""Price lists that can be loaded into a rate card with one click. A list replaces only the meters it names.

Amazon API Gateway's public prices in us-east-1, in USD: requests and messages each, data out per GiB (2**30
bytes), connection time per minute, caches per hour. Source: Amazon API Gateway pricing page, Amazon EC2
on-demand pricing (data transfer out).
"""

from dataclasses import dataclass, field
from decimal import Decimal

from billing.pricing import Tier

MILLION = Decimal(1_000_000)
TIB = Decimal(1024)  # in GiB


@dataclass(frozen=True, slots=True)
class PresetPrice:
    """The price of one meter: a model's name, tiers, free units a month."""

    meter: str
    tiers: tuple[Tier, ...]
    free_units: Decimal = Decimal(0)
    model: str = "graduated"


@dataclass(frozen=True, slots=True)
class PresetMeter:
    """A meter of the provider's own that a list prices: its events are added up."""

    code: str
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class Preset:
    """A price list by name, in one currency."""

    name: str
    currency: str
    prices: tuple[PresetPrice, ...] = field(default=())
    meters: tuple[PresetMeter, ...] = field(default=())


REST_REQUESTS = (
    Tier(333 * MILLION, Decimal("0.0000035")),
    Tier(1_000 * MILLION, Decimal("0.0000028")),
    Tier(20_000 * MILLION, Decimal("0.00000238")),
    Tier(None, Decimal("0.00000151")),
)
DATA_OUT = (
    Tier(10 * TIB, Decimal("0.09")),
    Tier(50 * TIB, Decimal("0.085")),
    Tier(150 * TIB, Decimal("0.07")),
    Tier(None, Decimal("0.05")),
)
# AWS gives each account 100 GB of data out a month before the tiers begin.
DATA_OUT_FREE = Decimal(100)
# counted in increments of 512 KiB
HTTP_REQUESTS = (Tier(300 * MILLION, Decimal("0.000001")), Tier(None, Decimal("0.0000009")))
# counted in increments of 32 KiB, sent and received
WEBSOCKET_MESSAGES = (Tier(1_000 * MILLION, Decimal("0.000001")), Tier(None, Decimal("0.0000008")))
WEBSOCKET_MINUTES = (Tier(None, Decimal("0.00000025")),)
# size in GB -> USD per hour
CACHE_HOURS = {
    "0.5": "0.020",
    "1.6": "0.038",
    "6.1": "0.200",
    "13.5": "0.250",
    "28.4": "0.500",
    "58.2": "1.000",
    "118": "1.900",
    "237": "3.800",
}

_REST = PresetPrice("requests", REST_REQUESTS)
_HTTP = PresetPrice("http_requests", HTTP_REQUESTS)
_OUT = PresetPrice("bytes_out", DATA_OUT, DATA_OUT_FREE)
_WEBSOCKET = (PresetPrice("ws_messages", WEBSOCKET_MESSAGES), PresetPrice("ws_minutes", WEBSOCKET_MINUTES))
_WEBSOCKET_METERS = (
    PresetMeter("ws_messages", "WebSocket messages (started 32 KiB)", "message"),
    PresetMeter("ws_minutes", "WebSocket connection minutes", "minute"),
)


def _cache(size: str, price: str) -> Preset:
    hours = PresetPrice("cache_hours", (Tier(None, Decimal(price)),))
    return Preset(f"AWS cache of {size} GB, by the hour", "USD", (hours,))


PRESETS: dict[str, Preset] = {
    "aws-rest": Preset("AWS REST prices with data out (first 100 GiB free)", "USD", (_REST, _OUT)),
    "aws-rest-requests": Preset("AWS REST prices, requests only", "USD", (_REST,)),
    "aws-http": Preset("AWS HTTP prices with data out (first 100 GiB free)", "USD", (_HTTP, _OUT)),
    "aws-http-requests": Preset("AWS HTTP prices, requests only", "USD", (_HTTP,)),
    "aws-websocket": Preset(
        "AWS WebSocket prices, messages and connection minutes", "USD", _WEBSOCKET, _WEBSOCKET_METERS
    ),
    "aws-data-out": Preset("AWS data out, first 100 GiB free", "USD", (_OUT,)),
    "aws-data-out-from-first": Preset(
        "AWS data out, nothing free", "USD", (PresetPrice("bytes_out", DATA_OUT),)
    ),
    **{f"aws-cache-{size}": _cache(size, price) for size, price in CACHE_HOURS.items()},
}
