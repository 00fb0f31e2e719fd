"""The price lists of the vectors."""

from decimal import Decimal

from billing.pricing import Tariff, Tier, make_tariff

D = Decimal
Number = int | str | Decimal


def tier(up_to: Number | None, unit_price: Number = 0, flat_fee: Number = 0) -> Tier:
    return Tier(None if up_to is None else D(up_to), D(unit_price), D(flat_fee))


def graduated(*tiers: Tier, free: Number = 0, **options: bool) -> Tariff:
    return make_tariff("graduated", tiers, free, **options)


def volume(*tiers: Tier, free: Number = 0, **options: bool) -> Tariff:
    return make_tariff("volume", tiers, free, **options)


def package(size: Number, price: Number, free: Number = 0) -> Tariff:
    return make_tariff("package", [tier(None, price)], free, package_size=size)


def per_unit(price: Number, free: Number = 0) -> Tariff:
    return make_tariff("per_unit", [tier(None, price)], free)


def flat(price: Number, free: Number = 0, **options: bool) -> Tariff:
    return make_tariff("flat", [tier(None, 0, price)], free, **options)


FONTS = [tier(5, 7), tier(10, "6.5"), tier(None, 6)]
WITH_FEES = [tier(10, 10, 2), tier(20, 5, 3), tier(None, 5, 3)]
LAGO_VOLUME = [tier(100, 2, 10), tier(200, 1), tier(None, "0.5", 50)]
ZUPLO = [tier(1_000, "0.1"), tier(10_000, "0.05"), tier(None, "0.01")]
OPEN_METER = [tier(5, 0, 100), tier(10, 0, 50), tier(15, 5), tier(None, 1)]
OPEN_METER_VOLUME = [tier(5, 0, 100), tier(10, 0, 150), tier(15, 10), tier(None, 5)]
