"""All that an invoice is made from, as files: invoice, price list, records, seals, and the program that checks."""

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from accounts.errors import Refused
from billing.audit import recompute
from billing.audit.rows import (
    HEADER,
    METER_HEADER,
    Extent,
    Row,
    extent_of,
    meter_rows,
    record_rows,
    seal_rows,
)
from billing.documents.files import File
from billing.models import Invoice
from billing.periods import month_of
from billing.pricing import plain
from metering.billable_rules import DEFAULT
from metering.models import BillableRule

PROGRAM = Path(recompute.__file__)
ZIP = "application/zip"
# an archive above this size is put together on disk
_IN_MEMORY = 8_000_000


@dataclass(frozen=True, slots=True)
class Bundle:
    """What an invoice is made from. `records()` and `meters()` yield rows of their files, as often as one likes."""

    invoice: dict[str, Any]
    price_list: dict[str, Any]
    seals: dict[str, Any]
    extent: Extent

    def records(self) -> Iterator[Row]:
        return record_rows(self.extent)

    def meters(self) -> Iterator[Row]:
        # of an invoice from before they were sealed, there is nothing to compare with
        return meter_rows(self.extent) if "meters" in self.price_list else iter(())

    def tables(self) -> tuple[tuple[str, Sequence[str], Iterator[Row]], ...]:
        """Return (file, header, rows) of what was counted."""
        return ("records.csv", HEADER, self.records()), ("meters.csv", METER_HEADER, self.meters())


def make_bundle(invoice: Invoice) -> Bundle:
    """Collect it. Refused for a draft, and for an invoice from before spans and seals were kept on it."""
    if not invoice.is_frozen:
        raise Refused("A draft is not checked; it has no number yet.", field="state", code="draft")
    frozen = invoice.frozen
    if "seals" not in frozen:
        raise Refused(
            f"{invoice} was made before invoices kept what is needed to recompute them.",
            field="state",
            code="too_old",
        )
    names = ("month", "rounding", "subscriptions", "rate_cards", "overrides", "months", "meters")
    price_list = {name: frozen[name] for name in names if name in frozen} | {
        "billable": billable_rules(invoice.organization_id)
    }
    extent = extent_of(price_list)
    return Bundle(_invoice(invoice), price_list, seal_rows(extent, frozen["seals"]), extent)


def billable_rules(provider_id: str) -> list[dict[str, Any]]:
    """Which calls are billed, by verdict and status class, from when on. 1 query."""
    own = BillableRule.objects.filter(organization=provider_id).order_by("effective_from")
    rules = [(rule.effective_from.isoformat(), rule.verdicts, rule.status_classes) for rule in own]
    return [
        {"from": start, "verdicts": list(verdicts), "status_classes": list(classes)}
        for start, verdicts, classes in [(None, *DEFAULT), *rules]
    ]


def bundle_file(invoice: Invoice) -> File:
    """Return the bundle as a download."""
    bundle = make_bundle(invoice)
    archive = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 -- closed when it is sent
    write_zip(bundle, archive)
    archive.seek(0)
    return File(f"invoice-{invoice.label}-records.zip", ZIP, _in_pieces(archive))


def _in_pieces(archive: IO[bytes]) -> Iterator[bytes]:
    with archive:
        while piece := archive.read(65_536):
            yield piece


def write_zip(bundle: Bundle, target: IO[bytes]) -> None:
    """Write the six files into a zip archive."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _documents(bundle).items():
            archive.writestr(name, text)
        for name, header, rows in bundle.tables():
            with archive.open(name, "w") as file, io.TextIOWrapper(file, "utf-8", newline="") as text_file:
                _write_rows(text_file, header, rows)


def write_files(bundle: Bundle, directory: Path) -> None:
    """Write the six files into a directory, which is made if it is not there."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in _documents(bundle).items():
        (directory / name).write_text(text, "utf-8")
    for name, header, rows in bundle.tables():
        with (directory / name).open("w", encoding="utf-8", newline="") as file:
            _write_rows(file, header, rows)


def _documents(bundle: Bundle) -> dict[str, str]:
    return {
        "invoice.json": _json(bundle.invoice),
        "price_list.json": _json(bundle.price_list),
        "seals.json": _json(bundle.seals),
        "recompute.py": PROGRAM.read_text("utf-8"),
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _write_rows(file: IO[str], header: Sequence[str], rows: Iterable[Row]) -> None:
    writer = csv.DictWriter(file, header)
    writer.writeheader()
    writer.writerows(rows)


def _invoice(invoice: Invoice) -> dict[str, Any]:
    zone = invoice.frozen["month"]["timezone"]
    names = ("provider", "customer")
    assert invoice.finalized_at is not None
    return {
        "id": invoice.pk,
        "number": invoice.label,
        **{name: {key: invoice.frozen[name][key] for key in ("id", "name")} for name in names},
        "currency": invoice.currency,
        "finalized_at": invoice.finalized_at.isoformat(),
        **{name: plain(getattr(invoice, name)) for name in ("subtotal", "tax_total", "total")},
        "seals": invoice.frozen["seals"],
        "lines": [
            {
                "month": month_of(line.month_start, zone).key,
                "item": line.item,
                "description": line.description,
                "meter": line.meter,
                "quantity": plain(line.quantity),
                "unit_price": plain(line.unit_price),
                "amount": plain(line.amount),
            }
            for line in invoice.lines.all()
        ],
    }
