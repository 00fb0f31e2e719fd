"""Countries by ISO 3166-1: code -> name, from the list that the time zone data ships."""

from functools import cache
from importlib.resources import files

from accounts.errors import Refused

TABLE = files("tzdata") / "zoneinfo" / "iso3166.tab"


@cache
def countries() -> dict[str, str]:
    """Return code -> English name, by name."""
    rows = (line.split("\t") for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("#"))
    return dict(sorted(((code, name) for code, name in rows), key=lambda row: row[1]))


def check_country(code: str) -> str:
    """Return the code in capitals, '' for none; Refused(field `country`) for one that does not exist."""
    known = code.strip().upper()
    if known and known not in countries():
        raise Refused(
            f"{code!r} is no country. Use its two letters by ISO 3166, such as DE, US or JP.",
            field="country",
            code="unknown_country",
        )
    return known
