"""Currencies and their decimals (ISO 4217), and the one place where money is rounded."""

from decimal import ROUND_HALF_UP, Context, Decimal

from accounts.errors import Refused

# ISO 4217 "minor units" where they are not 2; only money in circulation, no metals or funds.
_OTHER_DECIMALS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF",
         "XOF", "XPF"),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}  # fmt: skip
_TWO_DECIMALS = (
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BMD",
    "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CNY", "COP", "CRC",
    "CUP", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL",
    "GHS", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD",
    "KES", "KGS", "KHR", "KPW", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA",
    "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO",
    "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR",
    "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL",
    "THB", "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "UYU", "UZS", "VES", "WST",
    "XCD", "YER", "ZAR", "ZMW",
)  # fmt: skip
DEFAULT_CURRENCY = "USD"
# as wide as prices are exact (billing/pricing/numbers.py): no product of units and price is too long to round
_WIDE = Context(prec=76)
DECIMALS: dict[str, int] = {**dict.fromkeys(_TWO_DECIMALS, 2), **_OTHER_DECIMALS}
_STEPS = {code: Decimal(1).scaleb(-decimals) for code, decimals in DECIMALS.items()}


def check_currency(code: str) -> str:
    """Return the code in capitals; Refused(field `currency`) for one that is not in the table."""
    known = code.strip().upper()
    if known not in DECIMALS:
        raise Refused(
            f"{code!r} is not a currency we know. Use its ISO 4217 code, such as USD, EUR or JPY.",
            field="currency",
            code="unknown_currency",
        )
    return known


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Round to the currency's decimals, half away from zero (ROUND_HALF_UP), as invoices do by hand."""
    return amount.quantize(_STEPS[currency], rounding=ROUND_HALF_UP, context=_WIDE)
