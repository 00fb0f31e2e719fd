"""Invoices gain subtotal, tax, what is still due and until when; invoices of before had no tax."""

from django.db import migrations, models

MONEY = {"max_digits": 24, "decimal_places": 12, "default": 0}

FORWARD = """
CREATE OR REPLACE FUNCTION billing_invoice_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mutable CONSTANT text[] := ARRAY['state', 'paid_at', 'voided_at', 'amount_due'];
BEGIN
    IF OLD.state = 'draft' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' OR NEW.state = 'draft' OR to_jsonb(NEW) - mutable IS DISTINCT FROM to_jsonb(OLD) - mutable THEN
        RAISE EXCEPTION 'invoice % is finalized and never changes', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""
BACKWARD = FORWARD.replace(", 'amount_due'", "")

FILL = """
ALTER TABLE billing_invoice DISABLE TRIGGER invoice_stays;
UPDATE billing_invoice SET
    subtotal = total,
    amount_due = CASE WHEN state IN ('paid', 'void') THEN 0 ELSE total END,
    due_at = finalized_at + interval '14 days';
ALTER TABLE billing_invoice ENABLE TRIGGER invoice_stays;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_invoice_stays")]

    operations = [
        migrations.AddField(
            "invoice",
            "subtotal",
            models.DecimalField(**MONEY, help_text="The lines' sum, without the tax in it."),
        ),
        migrations.AddField("invoice", "tax_total", models.DecimalField(**MONEY)),
        migrations.AlterField(
            "invoice", "total", models.DecimalField(**MONEY, help_text="Subtotal and tax.")
        ),
        migrations.AddField(
            "invoice",
            "amount_due",
            models.DecimalField(**MONEY, help_text="Still to be paid, after credits and payments."),
        ),
        migrations.AddField(
            "invoice",
            "due_at",
            models.DateTimeField(null=True, blank=True, help_text="Payment is late after this moment."),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AddConstraint(
            "invoice",
            models.CheckConstraint(
                condition=models.Q(total=models.F("subtotal") + models.F("tax_total")),
                name="invoice_total_adds_up",
            ),
        ),
    ]
