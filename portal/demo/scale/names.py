"""Names of people and companies, drawn by a seed."""

from random import Random


def _list(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(","))


_FIRST = _list(
    "Anna, Ben, Chidi, Dana, Elif, Farid, Grace, Hiro, Ines, Jonas, Kavya, Lucia, Marek, Noor, Olga, Pedro, Quinn, "
    "Rosa, Sven, Tomoko, Uma, Viktor, Wanjiru, Xin, Yusuf, Zoe"
)
_LAST = _list(
    "Abe, Bauer, Costa, Diaz, Eriksen, Fischer, Gupta, Haddad, Ivanova, Jensen, Kowalski, Lopez, Moreau, Nguyen, "
    "Okafor, Petrov, Rossi, Sato, Tanaka, Ueda, Varga, Weber, Yilmaz, Zhang"
)
_WORDS = _list(
    "Amber, Beacon, Cedar, Delta, Ember, Fjord, Granite, Harbour, Iris, Juniper, Kestrel, Lagoon, Maple, Nimbus, "
    "Orchard, Pioneer, Quartz, River, Summit, Tundra, Umbra, Vertex, Willow, Zenith"
)
_TRADES = _list(
    "Analytics, Bank, Cargo, Devices, Energy, Foods, Games, Health, Insurance, Labs, Logistics, Media, Mobility, "
    "Payments, Retail, Robotics, Software, Studios, Systems, Travel"
)
_ENDINGS = ("", "", "", " Ltd", " Inc.", " GmbH", " S.A.", " AB", " Pty Ltd")
# one in fifty is as long as names of real companies can be
_LONG = "Gesellschaft für Datenverarbeitung, Telekommunikation und angewandte Informatik mbH & Co. KG"
_PROGRAMS = _list(
    "Web shop, Mobile app, Nightly import, Dashboard, Back office, Checkout, Fleet tracker, Partner feed, Chat bot, "
    "Price watch, Reporting, Sandbox, Warehouse scanner, Newsletter, Point of sale"
)


def company(draw: Random, number: int) -> str:
    """Return the name of the company with this number; no two are equal."""
    word, trade = _WORDS[number % len(_WORDS)], draw.choice(_TRADES)
    if number % 50 == 49:
        return f"{word} {trade} {number} {_LONG}"[:120]
    again = number // len(_WORDS)
    return f"{word} {trade}{f' {again + 1}' if again else ''}{draw.choice(_ENDINGS)}"


def person(draw: Random) -> str:
    return f"{draw.choice(_FIRST)} {draw.choice(_LAST)}"


def program(number: int) -> str:
    """Return the name of an organization's application with this number; no two are equal."""
    again = number // len(_PROGRAMS)
    return _PROGRAMS[number % len(_PROGRAMS)] + (f" {again + 1}" if again else "")
