"""A form field for tiers: a small table of rows, one a tier, instead of raw JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.errors import Refused
from billing.pricing import read_tiers, write_tiers

COLUMNS = {
    "up_to": "Up to (inclusive)",
    "unit_price": "Price a unit",
    "flat_fee": "Flat fee, once",
}
SPARE_ROWS = 2


def shown_tiers(tiers: Sequence[Mapping[str, Any]]) -> SafeString:
    """Return stored tiers as a table to read."""
    rows = [
        [
            "and more" if row.get("up_to") is None else row["up_to"],
            row["unit_price"],
            row.get("flat_fee", "0"),
        ]
        for row in tiers
    ]
    return render_to_string(
        "admin/billing/tiers_shown.html", {"columns": list(COLUMNS.values()), "rows": rows}
    )


class TiersWidget(forms.Widget):
    """Inputs named `{name}-{column}`, one of each in a row. Empty rows are spare."""

    template_name = "admin/billing/tiers.html"

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        rows = [row for row in value or [] if isinstance(row, Mapping)]
        cells = [[("" if row.get(c) is None else row.get(c)) for c in COLUMNS] for row in rows]
        cells += [[""] * len(COLUMNS)] * SPARE_ROWS
        named = [
            [
                (f"{name}-{column}", label, cell)
                for (column, label), cell in zip(COLUMNS.items(), row, strict=True)
            ]
            for row in cells
        ]
        context = {"columns": list(COLUMNS.values()), "rows": named, "id": (attrs or {}).get("id", "")}
        return render_to_string(self.template_name, context)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, str]]:
        columns = [[text.strip() for text in data.getlist(f"{name}-{column}")] for column in COLUMNS]
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=False)]
        return [row for row in rows if any(row.values())]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-unit_price" not in data

    def id_for_label(self, id_: str) -> str:
        return f"{id_}-0" if id_ else ""


class TiersField(forms.Field):
    """Cleans to the stored form of tiers; says which tier is wrong."""

    widget = TiersWidget

    def clean(self, value: Any) -> list[dict[str, str | None]]:
        try:
            return write_tiers(read_tiers(value))
        except Refused as refused:
            raise forms.ValidationError(refused.message) from refused

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return write_tiers(read_tiers(data)) != (initial or [])
        except Refused:
            return bool(data)


class OptionalTiersField(TiersField):
    """Tiers, or none at all."""

    def clean(self, value: Any) -> list[dict[str, str | None]]:
        return super().clean(value) if value else []
