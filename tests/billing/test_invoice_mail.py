"""Invoices go out once, with their PDF."""

from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail

from billing import invoice_mail
from billing.invoice_mail import send_waiting, waiting
from billing.invoices import void
from billing.tasks import mail_invoices
from tests.billing.documents.factories import make_bill
from tests.billing.factories import AFTER_OCTOBER

pytestmark = pytest.mark.django_db
SOON = AFTER_OCTOBER + timedelta(minutes=1)


def test_an_invoice_is_mailed_once_with_its_pdf():
    invoice = make_bill()
    assert (send_waiting(at=SOON), send_waiting(at=SOON)) == (1, 0)
    (sent,) = mail.outbox
    assert sent.subject == f"Invoice {invoice.label} from Acme APIs GmbH"
    assert (sent.to, sent.reply_to) == (["bob@example.com"], ["billing@acme.example"])
    assert "Total: 1,404.32 USD" in sent.body
    assert f"/console/invoices/{invoice.pk}/" in sent.body
    ((name, content, kind),) = sent.attachments
    assert (name, kind, content[:5]) == (f"invoice-{invoice.label}.pdf", "application/pdf", b"%PDF-")
    invoice.refresh_from_db()
    assert invoice.mailed_at is not None


def test_without_a_billing_address_it_goes_to_the_owners():
    invoice = make_bill()
    invoice.frozen["customer"]["billing_email"] = ""
    assert invoice_mail.recipients(invoice) == ["bob@example.com"]


def test_a_mail_server_that_is_down_is_tried_again(monkeypatch):
    make_bill()

    def down(self):
        raise SMTPServerDisconnected

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", down)
        assert send_waiting(at=SOON) == 0
    assert send_waiting(at=SOON) == 1


def test_what_is_void_or_days_old_is_not_sent():
    invoice = make_bill()
    assert list(waiting(AFTER_OCTOBER + timedelta(days=4))) == []
    void(invoice=invoice, actor=None)
    assert list(waiting(SOON)) == []


def test_the_setting_switches_it_off(settings, monkeypatch):
    sent = []
    monkeypatch.setattr("billing.tasks.send_waiting", lambda: sent.append("run"))
    for settings.INVOICE_MAIL in (False, True):
        mail_invoices()
    assert sent == ["run"]
