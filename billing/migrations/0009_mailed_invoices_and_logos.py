"""When an invoice was sent by mail, and logos of those who issue them."""

from django.db import migrations, models


FORWARD = """
CREATE OR REPLACE FUNCTION billing_invoice_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mutable CONSTANT text[] := ARRAY['state', 'paid_at', 'voided_at', 'amount_due', 'mailed_at'];
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
BACKWARD = FORWARD.replace(", 'mailed_at'", "")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("billing", "0008_ledger_holds"),
    ]

    operations = [
        migrations.AddField(
            model_name="billingprofile",
            name="logo",
            field=models.TextField(
                blank=True, help_text="As a provider: a PNG or JPEG as data: URI, up to 100 KiB."
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="mailed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(("mailed_at__isnull", True)),
                fields=["finalized_at"],
                name="invoice_to_mail",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
