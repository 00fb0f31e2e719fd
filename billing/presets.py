"""Price lists that can be loaded into a rate card with one click.

Amazon API Gateway's public prices in us-east-1, in USD: requests each, data out per GiB (2**30 bytes).
Source: Amazon API Gateway pricing page (REST APIs), Amazon EC2 on-demand pricing (data transfer out).
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
class Preset:
    """A price list by name, in one currency."""

    name: str
    currency: str
    prices: tuple[PresetPrice, ...] = field(default=())


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

PRESETS: dict[str, Preset] = {
    "aws-rest": Preset(
        "AWS REST prices with data out (first 100 GiB free)",
        "USD",
        (PresetPrice("requests", REST_REQUESTS), PresetPrice("bytes_out", DATA_OUT, DATA_OUT_FREE)),
    ),
    "aws-rest-requests": Preset(
        "AWS REST prices, requests only", "USD", (PresetPrice("requests", REST_REQUESTS),)
    ),
}
