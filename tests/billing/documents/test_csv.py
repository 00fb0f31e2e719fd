"""An invoice as a table."""

import csv
from decimal import Decimal

import pytest

from billing.documents.csv_file import invoice_csv
from billing.documents.tables import ROWS_AT_ONCE, cell, csv_lines
from tests.billing.documents.factories import make_bill


def table(pieces) -> list[dict[str, str]]:
    return list(csv.DictReader("".join(pieces).splitlines()))


@pytest.mark.django_db
def test_lines_and_taxes_add_up_to_the_total():
    invoice = make_bill()
    rows = table(invoice_csv(invoice))
    assert [row["kind"] for row in rows] == ["line"] * 5 + ["added tax"]
    assert sum(Decimal(row["amount"]) for row in rows) == invoice.total == Decimal("1404.32")
    assert rows[2] == {
        "invoice": invoice.label,
        "kind": "line",
        "position": "3",
        "month": "2026-10",
        "application": invoice.lines.all()[0].subscription.application.name,
        "plan": "Pro",
        "description": invoice.lines.all()[2].description,
        "meter": "requests",
        "tier": "2",
        "quantity": "1000000",
        "packages": "",
        "unit_price": "0.0000028",
        "flat_fee": "0",
        "amount": "2.8",
        "currency": "USD",
        "item": invoice.lines.all()[2].item,
    }
    assert rows[5]["description"] == "VAT 19 % of 1180.1"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_text_that_looks_like_a_formula_is_defused(text):
    assert cell(text) == f"'{text}"
    assert cell(Decimal(-1)) == "-1"


def test_rows_are_streamed():
    made = []

    def rows():
        for number in range(10 * ROWS_AT_ONCE):
            made.append(number)
            yield (number,)

    pieces = csv_lines(("n",), rows())
    next(pieces)
    assert len(made) == ROWS_AT_ONCE
    assert sum(piece.count("\r\n") for piece in pieces) == 9 * ROWS_AT_ONCE
