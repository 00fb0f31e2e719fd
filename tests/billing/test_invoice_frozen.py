"""A finalized invoice never changes, by whatever way one comes."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.errors import Refused
from billing.invoices import mark_paid, void
from billing.models import FinalizedInvoiceError, InvoiceState
from billing.rate_cards import change_rate_card
from tests.billing.factories import (
    close,
    close_one,
    october,
    subscribed,
    use,
)
from tests.factories import audit_actions, make_user

pytestmark = pytest.mark.django_db
D = Decimal


def test_what_is_frozen_does_not_move_with_the_rate_card(pro):
    subscription = subscribed(pro)
    use(subscription, october(5), 1_000_000)
    invoice = close_one(pro.organization)
    before = invoice.frozen
    change_rate_card(rate_card=pro.price.rate_card, base_fee="99", name="Dearer", actor=None)
    invoice.refresh_from_db()
    assert invoice.frozen == before
    assert before["customer"]["name"] == subscription.organization.name
    (copy,) = before["subscriptions"]
    assert (copy["id"], copy["plan"]["name"]) == (subscription.pk, "Pro")
    (card,) = before["rate_cards"]
    (version,) = card["versions"]
    assert (card["name"], card["tiers_over"], version["base_fee"]) == ("AWS", "customer", "10")
    assert version["prices"][1]["tiers"][0] == {
        "up_to": "333000000",
        "unit_price": "0.0000035",
        "flat_fee": "0",
    }
    (october_2026,) = before["months"]
    usage, fee = october_2026["workings"]
    assert (usage["meter"], usage["segments"][0]["units"]) == (
        "requests",
        {subscription.pk: {"a": "1000000"}},
    )
    assert (fee["kind"], fee["active"], fee["whole"]) == ("fee", "2678400", "2678400")


def test_payment_is_noted_once_and_audited(pro):
    alice = make_user("alice")
    use(subscribed(pro), october(5), 1)
    invoice = mark_paid(invoice=close_one(pro.organization), actor=alice)
    assert (invoice.state, invoice.paid_at is not None) == (InvoiceState.PAID, True)
    assert audit_actions()[-4:] == ["period.closed", *["payment.succeeded"] * 2, "invoice.paid"]
    for verb in (mark_paid, void):
        with pytest.raises(Refused, match="is paid") as refused:
            verb(invoice=invoice, actor=alice)
        assert refused.value.code == "wrong_state"


def test_the_model_refuses_to_change_a_finalized_invoice(pro):
    use(subscribed(pro), october(5), 1)
    invoice = close_one(pro.organization)
    line = invoice.lines.first()
    invoice.total = 0
    for attempt in (invoice.save, invoice.delete, line.save, line.delete):
        with pytest.raises(FinalizedInvoiceError, match="never changes"):
            attempt()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_invoice SET total = 0",
        "UPDATE billing_invoice SET frozen = '{}'",
        "UPDATE billing_invoice SET number = 77",
        "UPDATE billing_invoice SET state = 'draft', number = NULL, finalized_at = NULL",
        "DELETE FROM billing_invoice",
        "UPDATE billing_invoiceline SET amount = 0",
        "DELETE FROM billing_invoiceline",
        """INSERT INTO billing_invoiceline
           SELECT (jsonb_populate_record(l, '{"id": 9999}')).* FROM billing_invoiceline l LIMIT 1""",
    ],
)
def test_the_database_refuses_to_change_a_finalized_invoice(pro, statement):
    use(subscribed(pro), october(5), 1)
    close(pro.organization)
    with (
        pytest.raises(IntegrityError, match="never change"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
