#!/usr/bin/env python3
"""Recompute an invoice from its records and price list: python3 recompute.py [DIRECTORY]

Reads invoice.json, price_list.json, records.csv, meters.csv and seals.json, which Gatehouse wrote. Needs nothing but
Python 3.11.
It shares no code with what made the invoice; Gatehouse runs this same file when it audits one.

1. Each record must be as it was sealed, each seal must have its hash and go on from the one before, and the chain must
   pass through the hashes that the invoice keeps.
2. Units are added up from the records as they were when the invoice was made.
3. Units are priced by the frozen prices; what earlier invoices of the month held is taken off; each line must agree.
"""

import csv
import hashlib
import json
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, getcontext, setcontext
from fractions import Fraction
from pathlib import Path

ZERO = Decimal(0)
HOUR = timedelta(hours=1)
NAMES = ("subscription_id", "key_id", "stage_id", "operation_id", "status_class", "verdict", "canary")
DERIVED = ("organization_id", "application_id", "api_id", "version_id")
SUMS = (
    "calls", "http_requests", "stream_requests", "cache_hits", "cache_misses",
    "bytes_out", "bytes_in", "latency_ms", "integration_ms",
)  # fmt: skip
# of cache-hours and providers' own meters; `at` is a quarter of an hour
METER_NAMES = ("subscription_id", "at", "meter", "api_id", "part")
METER_DERIVED = ("organization_id", "application_id")
METER_SUMS = ("value", "events", "last_at")
COUNTED = {
    "requests": "calls",
    "http_requests": "http_requests",
    "stream_requests": "stream_requests",
    "bytes_out": "bytes_out",
    "bytes_in": "bytes_in",
}
GIB_METERS = ("bytes_out", "bytes_in")
TRILLIONTH = Decimal("1e-12")
# a new price of one of these looks at its own units only ...
ANEW = ("volume", "tiered_package_total")
# ... one of these at the units of its own card, all others at the whole count
OWN = ("flat", "package")


def check(invoice, price_list, records, meters, seals):
    """Return {"ok", "lines", "findings", "remarks", "records", "seals"}.

    `records`, `meters`: rows of records.csv and meters.csv as dicts of texts; the others as in their files.
    """
    before = getcontext()
    setcontext(Context(prec=76))
    try:
        ledger = Ledger(records, meters, seals, invoice["seals"])
        lines = compare(invoice, price_list, ledger)
    finally:
        setcontext(before)
    return {
        "ok": not ledger.findings and all(line["ok"] for line in lines),
        "lines": lines,
        "findings": ledger.findings,
        "remarks": ledger.remarks,
        "records": len(ledger.calls.now) + len(ledger.meters.now),
        "seals": len(seals["seals"]),
    }


# --- 1. records and seals ---------------------------------------------------------------------------------------


def sha(value):
    return hashlib.sha256(value.encode()).hexdigest()


def one_form(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


class Calls:
    """Hour records: as they were sealed when the invoice was made (`then`), as they were sealed last, as they are."""

    names: tuple = NAMES
    derived: tuple = DERIVED
    columns: tuple = SUMS
    nothing: tuple = (0,) * len(SUMS)

    def __init__(self):
        self.then, self.latest, self.now, self.rows = {}, {}, {}, {}

    def key(self, row):
        """Return developer, hour, and what names the record within it."""
        return (row["developer_id"], row["at"], *(row[name] for name in self.names))

    def sums(self, row):
        return tuple(int(row[name]) for name in SUMS)

    def is_there(self, sums):
        return any(sums)

    def only_more(self, before, after):
        """Whether late counts can have made it."""
        return all(b >= a for a, b in zip(before, after, strict=True))

    def less(self, now, sealed_since):
        """Return what there is now, less what was sealed since: (before, after)."""
        before, after = sealed_since
        return tuple(n - (b - a) for n, a, b in zip(now, before, after, strict=True))

    def at_closing(self, key, unsealed):
        """Return the sums when the invoice was made: those of now, less what was sealed since."""
        then, latest, now = (
            self.sums(side[key]) if key in side else self.nothing
            for side in (self.then, self.latest, self.now)
        )
        return then if key[:2] in unsealed else self.less(now, (then, latest))

    def words(self, row):
        names = ", ".join(f"{name} {row[name]}" for name in self.names if row[name] and name != "at")
        return f"The record {row['at']} of {names}"

    def counted(self, row):
        return (
            ", ".join(f"{name} {row[name]}" for name in self.columns if row[name] not in ("0", ""))
            or "nothing"
        )


class Meters(Calls):
    """What cache-hours and providers' own meters counted in quarters of an hour, in the same way."""

    names, derived, columns, nothing = METER_NAMES, METER_DERIVED, METER_SUMS, (ZERO, 0, "")

    def key(self, row):
        hour = moment(row["at"]).replace(minute=0).isoformat()
        return (row["developer_id"], hour, *(row[name] for name in self.names))

    def sums(self, row):
        return (Decimal(row["value"]), int(row["events"]), row["last_at"])

    def is_there(self, sums):
        return sums[1] > 0

    def only_more(self, before, after):
        return after[1] > before[1]

    def less(self, now, sealed_since):
        before, after = sealed_since
        same = before == after
        return (now[0] - after[0] + before[0], now[1] - after[1] + before[1], now[2] if same else before[2])


class Ledger:
    """All records of the invoice's subscriptions, and the seals that they are checked against."""

    def __init__(self, records, meters, seals, heads):
        self.findings, self.remarks = [], []
        self.hashes = {(s["organization"], s["number"]): s for s in seals["seals"]}
        self.heads = {pk: head["number"] for pk, head in heads.items()}
        self.unsealed = {tuple(hour) for hour in seals["unsealed"]}
        self.calls, self.meters, self.minutes = Calls(), Meters(), defaultdict(list)
        self.check_chains(seals["seals"], heads)
        for kind, rows in ((self.calls, records), (self.meters, meters)):
            for row in rows:
                self.read(kind, row)
            self.check_records(kind)
        self.remark_late()
        self.by_subscription = self.sorted_out(self.calls)
        self.metered = self.sorted_out(self.meters)

    def sorted_out(self, kind):
        """Return subscription -> [(moment, row, sums when the invoice was made)] of what was there."""
        found = defaultdict(list)
        for key, row in kind.rows.items():
            counts = kind.at_closing(key, self.unsealed)
            if kind.is_there(counts):
                found[row["subscription_id"]].append((moment(row["at"]), row, counts))
        return found

    def found(self, kind, text, row=None):
        self.findings.append({"kind": kind, "text": text, "record": row or {}})

    def remark(self, text):
        if text not in self.remarks:
            self.remarks.append(text)

    def check_chains(self, seals, heads):
        before = None
        for seal in seals:
            said = {name: seal[name] for name in ("organization", "number", "hour", "sealed_at", "records")}
            name = f"Seal {seal['number']} of {seal['organization']}"
            if sha(f"{seal['previous']}\n{one_form(said)}") != seal["hash"]:
                self.found("broken", f"{name} is not what its hash says.")
            if before is not None and before["organization"] == seal["organization"]:
                if seal["number"] != before["number"] + 1:
                    self.found(
                        "gap",
                        f"The seal before number {seal['number']} of {seal['organization']} is missing.",
                    )
                elif seal["previous"] != before["hash"]:
                    self.found("unlinked", f"{name} does not go on from the seal before it.")
            before = seal
        for organization, head in heads.items():
            seal = self.hashes.get((organization, head["number"]))
            if seal is not None and seal["hash"] != head["hash"]:
                self.found(
                    "head", f"Seal {head['number']} of {organization} is not the one that the invoice keeps."
                )

    def read(self, kind, row):
        if row["kind"] == "minute":
            self.minutes[row["subscription_id"]].append((moment(row["at"]), row, kind.sums(row)))
            return
        key = kind.key(row)
        kind.rows.setdefault(key, row)
        if row["kind"] != "sealed":
            kind.rows[key] = row
            kind.now[key] = row
            return
        number = int(row["seal"])
        said = {name: row[name] for name in (*kind.names, *kind.derived, *kind.columns)}
        seal = self.hashes.get((row["developer_id"], number))
        if (
            seal is None
            or sha(one_form(said)) not in seal["records"]
            or moment(seal["hour"]) != moment(key[1])
        ):
            self.found("unsealed", f"{kind.words(row)} is not in seal {number}.", row)
        kind.latest[key] = row
        if number <= self.heads.get(row["developer_id"], 0):
            kind.then[key] = row

    def check_records(self, kind):
        for key in sorted(kind.latest.keys() | kind.now.keys()):
            sealed, row = kind.latest.get(key), kind.now.get(key)
            late = key[:2] in self.unsealed
            was_there = sealed is not None and kind.is_there(kind.sums(sealed))
            if row is None:
                if was_there:
                    text = f"{kind.words(sealed)} is missing; it was sealed with {kind.counted(sealed)}."
                    self.found("missing", text, sealed)
            elif not was_there:
                if not late:
                    text = f"{kind.words(row)} was never sealed; it says {kind.counted(row)}."
                    self.found("added", text, row)
            elif any(row[name] != sealed[name] for name in (*kind.derived, *kind.columns)):
                more = kind.only_more(kind.sums(sealed), kind.sums(row))
                if not (late and more and all(row[name] == sealed[name] for name in kind.derived)):
                    text = f"{kind.words(row)} was sealed with {kind.counted(sealed)} and is {kind.counted(row)}."
                    self.found("changed", text, row)

    def remark_late(self):
        kinds = (self.calls, self.meters)
        later = sum(row is not kind.then.get(key) for kind in kinds for key, row in kind.latest.items())
        if later or self.unsealed:
            self.remarks.append(
                f"{later} records were counted after the invoice was made, and {len(self.unsealed)} hours wait for"
                " their seal. They belong to a later invoice and are left out here."
            )

    def of_span(self, subscription, start, end):
        """Yield (row, sums) of the records in [start, end): hours, and minutes of the hours that it cuts."""
        cut = set()
        for at, row, counts in self.by_subscription[subscription]:
            if start <= at and at + HOUR <= end:
                yield row, counts
            elif at < end and start < at + HOUR:
                cut.add(at)
        for at in sorted(cut):
            self.check_minutes(subscription, at)
        for at, row, counts in self.minutes[subscription]:
            if start <= at < end and at.replace(minute=0) in cut:
                yield row, counts

    def check_minutes(self, subscription, hour):
        whole = [counts for at, _, counts in self.by_subscription[subscription] if at == hour]
        parts = [counts for at, _, counts in self.minutes[subscription] if at.replace(minute=0) == hour]
        if billed_sums(whole) != billed_sums(parts):
            text = f"The minutes of {hour:%Y-%m-%d %H:%M} of subscription {subscription} do not add up to its hour."
            if text not in [finding["text"] for finding in self.findings]:
                self.found("minutes", text)


def billed_sums(rows):
    """Add up what may be billed."""
    return {name: sum(counts[SUMS.index(name)] for counts in rows) for name in COUNTED.values()}


def moment(text):
    return datetime.fromisoformat(text)


# --- 2. units ---------------------------------------------------------------------------------------------------


def units_of(span, ledger, price_list):
    """Return (API, meter) -> units of a span. Rules say what is billed from when on; the first from ever."""
    raw = defaultdict(int)
    start, end = moment(span["from"]), moment(span["until"])
    rules = price_list["billable"]
    for rule, following in zip(rules, [*rules[1:], None], strict=True):
        first = start if rule["from"] is None else max(start, moment(rule["from"]))
        until = end if following is None else min(end, moment(following["from"]))
        for row, counts in ledger.of_span(span["subscription"], first, until) if first < until else ():
            if (
                row["verdict"] not in rule["verdicts"]
                or int(row["status_class"]) not in rule["status_classes"]
            ):
                continue
            by_name = dict(zip(SUMS, counts, strict=True))
            for meter, column in COUNTED.items():
                raw[row["api_id"], meter] += by_name[column]
    units = {}
    for (api, meter), count in raw.items():
        units[api, meter] = Decimal(count)
        if meter in GIB_METERS:
            units[api, meter] = (Decimal(count) / 2**30).quantize(TRILLIONTH)
    if "meters" in price_list:
        units |= metered_units(span["subscription"], ledger, price_list["meters"], start, end)
    return {key: value for key, value in units.items() if value}


def metered_units(subscription, ledger, adding_up, start, end):
    """Return (API, meter) -> units of other meters than calls: of each quarter of an hour that begins in the span."""
    found = defaultdict(list)
    for at, row, counts in ledger.metered[subscription]:
        if start <= at < end:
            found[row["api_id"], row["meter"]].append((counts[0], moment(counts[2]), row["part"]))
    units = {}
    for (api, meter), rows in found.items():
        values = [value for value, _, _ in rows]
        how = adding_up.get(meter, "sum")
        if how == "sum":
            units[api, meter] = sum(values, ZERO)
        elif how == "max":
            units[api, meter] = max(values)
        elif how == "last":
            units[api, meter] = max(rows, key=lambda row: row[1])[0]
        else:
            units[api, meter] = Decimal(len({part for _, _, part in rows}))
    return units


# --- 3. prices --------------------------------------------------------------------------------------------------


def price_lines(price, units):
    """Return tier -> (units, unit price, flat fee, packages or None); tier 0 is free."""
    free = min(units, Decimal(price["free_units"]))
    found, rest = ({0: (free, ZERO, ZERO, None)} if free else {}), units - free
    if not rest:
        return found
    tiers = [
        (
            each["up_to"] and Decimal(each["up_to"]),
            Decimal(each["unit_price"]),
            Decimal(each.get("flat_fee") or 0),
        )
        for each in price["tiers"]
    ]
    size = price["package_size"] and Decimal(price["package_size"])
    above = ZERO
    for number, (up_to, unit_price, flat_fee) in enumerate(tiers, start=1):
        if rest <= above:
            break
        inside = (rest if not up_to else min(rest, up_to)) - above
        above += inside
        if price["model"] in ANEW:
            if up_to and rest > up_to:
                continue
            inside = rest
        packages = None if not size else inside // size + (1 if inside % size else 0)
        found[number] = (inside, ZERO if price["model"] == "flat" else unit_price, flat_fee, packages)
    return found


def difference(price, before, after):
    """Return tier -> (units, unit price, exact amount) from one count to another."""
    earlier, later = price_lines(price, before), price_lines(price, after)
    found = {}
    for tier in sorted(earlier.keys() | later.keys()):
        (a, a_price, a_flat, a_packs), (b, b_price, b_flat, b_packs) = (
            side.get(tier, (ZERO, ZERO, ZERO, None)) for side in (earlier, later)
        )
        amount = (b if b_packs is None else b_packs) * b_price + b_flat
        amount -= (a if a_packs is None else a_packs) * a_price + a_flat
        if b - a or b_flat - a_flat or (b_packs or 0) - (a_packs or 0):
            found[tier] = (b - a, amount)
    return found


class Month:
    """What a month of an invoice comes to: item -> [units, exact amount, rate card, scope]."""

    def __init__(self, month, price_list, ledger, *, in_advance):
        self.month, self.price_list, self.ledger = month, price_list, ledger
        self.cards = {card["id"]: card for card in price_list["rate_cards"]}
        self.regions = {
            api: working["region"]
            for working in month["workings"]
            if "region" in working
            for units in used_in(working)
            for api in units
        }
        self.items, self.taken, self.groups = {}, defaultdict(Fraction), {}
        if not in_advance:
            self.use()
        self.fees()
        for (override, card, scope), amount in self.taken.items():
            exact = Decimal(amount.numerator) / Decimal(amount.denominator)
            self.add(
                f"discount:{override}:{card}" + (f":{scope}" if scope else ""), ZERO, -exact, card, scope
            )
        if not in_advance:
            self.bounds()

    def add(self, key, quantity, amount, card, scope):
        item = self.items.setdefault(key, [ZERO, ZERO, card, scope])
        item[0] += quantity
        item[1] += amount

    def rounded(self, item):
        step = Decimal(1).scaleb(-self.price_list["rounding"]["decimals"])
        return item[1].quantize(step, rounding=ROUND_HALF_UP)

    def version(self, card, number):
        return next(each for each in self.cards[card]["versions"] if each["number"] == number)

    def override(self, card, meter, at):
        found = [
            each
            for each in self.price_list["overrides"]
            if each["rate_card"] == card
            and each["meter"] in ("", meter)
            and moment(each["from"]) <= at
            and (not each["until"] or at < moment(each["until"]))
        ]
        return max(found, key=lambda each: (each["meter"] != "", moment(each["made_at"])), default=None)

    def use(self):
        """Sort each subscription's use into groups that add up, then price them."""
        by_subscription = defaultdict(list)
        for span in self.month["spans"]:
            by_subscription[span["subscription"]].append(span)
        for spans in by_subscription.values():
            self.sort(spans)
        if "meters" not in self.price_list:
            self.take_as_billed()
        for (card, region, scope), segments in self.groups.items():
            for meter in sorted({meter for segment in segments.values() for meter in segment["meters"]}):
                self.price_group(card, region, scope, meter, sorted(segments.items()))

    def sort(self, spans):
        count, known = defaultdict(Decimal), defaultdict(dict)
        for span in spans:
            pk, card = span["subscription"], span["rate_card"]
            units = units_of(span, self.ledger, self.price_list)
            if span["anew"]:
                count = defaultdict(Decimal)
            if card is None or span["trial"]:
                self.not_charged(span, units)
                continue
            scope = pk if self.cards[card]["tiers_over"] == "subscription" else ""
            for key in {*count, *known[card]}:
                self.segment(span, key[0], scope)["carried"][key[1]] += count[key] - known[card].get(
                    key, ZERO
                )
            for (api, meter), value in units.items():
                region = self.regions.get(api, "")
                count[region, meter] += value
                segment = self.segment(span, region, scope)
                segment["meters"].add(meter)
                segment["used"][meter] += value
            known[card] = dict(count)

    def segment(self, span, region, scope):
        return self.step(span["rate_card"], region, scope, moment(span["segment"]), span["version"])

    def step(self, card, region, scope, start, version):
        group = self.groups.setdefault((card, region, scope), {})
        made = {
            "version": version,
            "meters": set(),
            "used": defaultdict(Decimal),
            "carried": defaultdict(Decimal),
        }
        return group.setdefault(start, made)

    def take_as_billed(self):
        """Invoices from before other meters than calls were sealed: their units are what the invoice says."""
        for working in self.month["workings"]:
            meter = working.get("meter")
            if meter is None or meter in COUNTED:
                continue
            self.ledger.remark(
                f"Units of the meter {meter} were not sealed when the invoice was made: they are taken as billed."
            )
            if working["kind"] != "usage":
                for span in self.month["spans"]:
                    if span["from"] == working["from"] and span["subscription"] in working["units"]:
                        units = working["units"][span["subscription"]].items()
                        self.not_charged(span, {(api, meter): Decimal(value) for api, value in units})
                continue
            card, region, scope, count = (
                working["rate_card"],
                working["region"],
                working["subscription"] or "",
                ZERO,
            )
            for each in working["segments"]:
                step = self.step(card, region, scope, moment(each["from"]), each["version"])
                used = sum(Decimal(value) for units in each["units"].values() for value in units.values())
                step["meters"].add(meter)
                step["used"][meter] += used
                step["carried"][meter] += max(Decimal(each["counted_before"]) - count, ZERO)
                count = max(count, Decimal(each["counted_before"])) + used

    def not_charged(self, span, units):
        card = span["rate_card"]
        prices = {p["meter"] for p in self.version(card, span["version"])["prices"]} if card else set()
        kind = f"trial:{card}.{span['version']}" if card else "usage:"
        for (api, meter), value in units.items():
            if meter in prices or shown(meter, prices):
                key = f"{kind}:{meter}:{self.regions.get(api, '')}:0:{span['subscription']}"
                self.add(key, value, ZERO, card, span["subscription"])

    def price_group(self, card, region, scope, meter, segments):
        count = own = ZERO
        totals = {}
        for start, segment in segments:
            count += segment["carried"][meter]
            units = segment["used"][meter]
            if not units:
                continue
            price, key, cut = self.price_at(card, segment["version"], meter, start)
            place = (f"usage:{key}:{meter}:{region}:", f":{scope}" if scope else "", card, scope)
            if price is None:
                if shown(meter, {each["meter"] for each in self.version(card, segment["version"])["prices"]}):
                    self.add(f"{place[0]}0{place[1]}", units, ZERO, card, scope)
            elif price["model"] in ANEW:
                totals.setdefault(place, (price, []))[1].append((units, cut))
            else:
                before = own if price["model"] in OWN else count
                self.charge(place, difference(price, before, before + units), [(Fraction(1), cut)])
            count += units
            own += units
        for place, (price, parts) in totals.items():
            whole = sum(units for units, _ in parts)
            self.charge(
                place,
                difference(price, ZERO, whole),
                [(Fraction(units) / Fraction(whole), cut) for units, cut in parts],
            )

    def price_at(self, card, version, meter, start):
        """Return (price or None, its name in items, (discount's id, percent) or None)."""
        prices = {price["meter"]: price for price in self.version(card, version)["prices"]}
        override, key = self.override(card, meter, start), f"{card}.{version}"
        if override and "model" in override:
            return override, f"{key}o{override['id']}", None
        return prices.get(meter), key, (override["id"], Decimal(override["percent"])) if override else None

    def charge(self, place, tiers, parts):
        """Add the lines of some tiers, and what discounts take off. `parts`: (share, discount or None)."""
        before, after, card, scope = place
        for tier, (quantity, amount) in tiers.items():
            self.add(f"{before}{tier}{after}", quantity, amount, card, scope)
            for share, cut in parts:
                if cut:
                    self.taken[cut[0], card, scope] += Fraction(amount) * share * Fraction(cut[1]) / 100

    def fees(self):
        for working in self.month["workings"]:
            if working["kind"] != "fee":
                continue
            card, pk = working["rate_card"], working["subscription"]
            base_fee = Decimal(self.version(card, working["version"])["base_fee"])
            active, whole = Decimal(working["active"]), Decimal(working["whole"])
            scope = pk if self.cards[card]["tiers_over"] == "subscription" else ""
            amount = base_fee * active / whole
            self.add(
                f"fee:{pk}:{card}.{working['version']}",
                (active / whole).quantize(TRILLIONTH),
                amount,
                card,
                scope,
            )
            override = self.override_of(working["override"])
            if override and "percent" in override:
                fee = Fraction(base_fee) * Fraction(active) / Fraction(whole)
                self.taken[override["id"], card, scope] += fee * Fraction(override["percent"]) / 100

    def override_of(self, pk):
        return next((each for each in self.price_list["overrides"] if each["id"] == pk), None)

    def bounds(self):
        groups = defaultdict(list)
        for span in self.month["spans"]:
            if (
                span["rate_card"]
                and not span["trial"]
                and moment(span["paid_until"]) > moment(span["paid_from"])
            ):
                own = self.cards[span["rate_card"]]["tiers_over"] == "subscription"
                groups[span["rate_card"], span["subscription"] if own else ""].append(span)
        for (card, scope), spans in groups.items():
            last = max(spans, key=lambda span: moment(span["paid_until"]))
            version, suffix = self.version(card, last["version"]), f":{card}" + (f":{scope}" if scope else "")
            amount = sum(self.rounded(item) for item in self.items.values() if item[2:] == [card, scope])
            if version["maximum"] is not None and amount > Decimal(version["maximum"]):
                self.add(f"maximum{suffix}", ZERO, Decimal(version["maximum"]) - amount, card, scope)
            for working in self.month["workings"]:
                if working["kind"] == "minimum" and (working["rate_card"], working["subscription"] or "") == (
                    card,
                    scope,
                ):
                    due = Decimal(version["minimum"]) * Decimal(working["active"]) / Decimal(working["whole"])
                    self.add(f"minimum{suffix}", ZERO, due - amount, card, scope)


def used_in(working):
    """Yield API -> units of each subscription in a working."""
    yield from working.get("units", {}).values()
    for segment in working.get("segments", ()):
        yield from segment["units"].values()


def shown(meter, priced):
    """Whether use without a price is on the bill."""
    if meter == "requests" and priced & {"http_requests", "stream_requests"}:
        return False
    return meter in ("requests", "bytes_out")


def compare(invoice, price_list, ledger):
    """Return every line with what was recomputed: [{month, item, description, billed, recomputed, ok}]."""
    expected = {}
    for month in price_list["months"]:
        found = Month(month, price_list, ledger, in_advance=month["name"] > price_list["month"]["name"])
        for key, item in found.items.items():
            card = found.cards.get(item[2])
            charged_here = any(working["kind"] == "not charged" for working in month["workings"])
            if card["currency"] == invoice["currency"] if card else charged_here:
                expected[month["name"], key] = [item[0], found.rounded(item)]
        for key, billed in month["invoiced_before"].items():
            pair = expected.setdefault((month["name"], key), [ZERO, ZERO])
            pair[0] -= Decimal(billed["quantity"])
            pair[1] -= Decimal(billed["amount"])
    lines = []
    for line in invoice["lines"]:
        billed = [Decimal(line["quantity"]), Decimal(line["amount"])]
        recomputed = expected.pop((line["month"], line["item"]), [ZERO, ZERO])
        if line["item"] == "carried":
            # brings an invoice below zero to zero
            recomputed = [Decimal(1), billed[1] - Decimal(invoice["total"])]
        lines.append(as_line(line["month"], line["item"], line["description"], billed, recomputed))
    for (name, item), pair in sorted(expected.items()):
        if any(pair):
            lines.append(as_line(name, item, "Not on the invoice", [ZERO, ZERO], pair))
    return lines


def as_line(month, item, description, billed, recomputed):
    both = [dict(zip(("quantity", "amount"), map(plain, pair), strict=True)) for pair in (billed, recomputed)]
    return {
        "month": month,
        "item": item,
        "description": description,
        "billed": both[0],
        "recomputed": both[1],
        "ok": both[0] == both[1],
    }


def plain(value):
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def table(result):
    """Return the result as lines of text."""
    rows = [("", "units", "amount", "recomputed units", "amount", "line")]
    for line in result["lines"]:
        billed, again = line["billed"], line["recomputed"]
        pair = (billed["quantity"], billed["amount"], again["quantity"], again["amount"])
        rows.append(("ok" if line["ok"] else "DIFFERS", *pair, f"{line['month']} {line['description']}"))
    widths = [max(len(row[n]) for row in rows) for n in range(5)]
    text = ["  ".join([*(v.rjust(w) for v, w in zip(row[:5], widths, strict=True)), row[5]]) for row in rows]
    text += [f"FOUND: {finding['text']}" for finding in result["findings"]] + result["remarks"]
    text.append(f"{result['records']} records, {result['seals']} seals.")
    text.append("Every line agrees." if result["ok"] else "The invoice does not agree with its records.")
    return text


def main(arguments):
    folder = Path(arguments[0] if arguments else __file__).resolve()
    folder = folder if folder.is_dir() else folder.parent
    invoice, price_list, seals = (
        json.loads((folder / name).read_text()) for name in ("invoice.json", "price_list.json", "seals.json")
    )
    with (
        (folder / "records.csv").open(newline="") as calls,
        (folder / "meters.csv").open(newline="") as others,
    ):
        result = check(invoice, price_list, list(csv.DictReader(calls)), list(csv.DictReader(others)), seals)
    sys.stdout.write("\n".join([*table(result), ""]))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
