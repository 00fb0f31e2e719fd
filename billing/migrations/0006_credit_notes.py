"""Credit notes with lines and taxes, which the database itself never lets change."""

import accounts.fields
import accounts.ids
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


# A credit note is never changed or removed; its lines and taxes come before it in the same transaction (their
# foreign keys are checked at commit), so once it is there nothing can be added to it.
FORWARD = """
CREATE FUNCTION billing_credit_note_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- who issued it may be forgotten with the person
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'issued_by_id' = to_jsonb(OLD) - 'issued_by_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'credit note % never changes', OLD.id USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION billing_credit_note_parts_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' OR EXISTS (SELECT FROM billing_creditnote WHERE id = NEW.credit_note_id) THEN
        RAISE EXCEPTION 'lines and taxes of a credit note never change' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER credit_note_stays BEFORE UPDATE OR DELETE ON billing_creditnote
    FOR EACH ROW EXECUTE FUNCTION billing_credit_note_stays();
CREATE TRIGGER credit_note_lines_stay BEFORE INSERT OR UPDATE OR DELETE ON billing_creditnoteline
    FOR EACH ROW EXECUTE FUNCTION billing_credit_note_parts_stay();
CREATE TRIGGER credit_note_taxes_stay BEFORE INSERT OR UPDATE OR DELETE ON billing_creditnotetax
    FOR EACH ROW EXECUTE FUNCTION billing_credit_note_parts_stay();
"""
BACKWARD = """
DROP TRIGGER credit_note_taxes_stay ON billing_creditnotetax;
DROP TRIGGER credit_note_lines_stay ON billing_creditnoteline;
DROP TRIGGER credit_note_stays ON billing_creditnote;
DROP FUNCTION billing_credit_note_parts_stay();
DROP FUNCTION billing_credit_note_stays();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("billing", "0005_parties_and_taxes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CreditNote",
            fields=[
                (
                    "id",
                    accounts.fields.ShortIdField(
                        default=accounts.ids.short_id,
                        editable=False,
                        max_length=10,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "number",
                    models.PositiveIntegerField(
                        help_text="Without gaps per provider, apart from its invoices."
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("currency", models.CharField(max_length=3)),
                ("subtotal", models.DecimalField(decimal_places=12, max_digits=24)),
                ("tax_total", models.DecimalField(decimal_places=12, max_digits=24)),
                ("total", models.DecimalField(decimal_places=12, max_digits=24)),
                (
                    "refunded",
                    models.DecimalField(
                        decimal_places=12,
                        help_text="What was paid already and goes back to the customer.",
                        max_digits=24,
                    ),
                ),
                ("issued_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_notes",
                        to="accounts.organization",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_notes",
                        to="billing.invoice",
                    ),
                ),
                (
                    "issued_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="issued_credit_notes",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["-issued_at", "-number"],
            },
        ),
        migrations.CreateModel(
            name="CreditNoteLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("description", models.CharField(max_length=300)),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=12,
                        help_text="As the invoice's lines: with the taxes contained in prices.",
                        max_digits=24,
                    ),
                ),
                (
                    "credit_note",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="billing.creditnote",
                    ),
                ),
                (
                    "invoice_line",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credited",
                        to="billing.invoiceline",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="credit_note_lines",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
            },
        ),
        migrations.CreateModel(
            name="CreditNoteTax",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=12, max_digits=24)),
                (
                    "credit_note",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="taxes",
                        to="billing.creditnote",
                    ),
                ),
                (
                    "invoice_tax",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credited",
                        to="billing.invoicetax",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="credit_note_taxes",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["invoice_tax__position"],
            },
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.UniqueConstraint(
                fields=("organization", "number"), name="credit_note_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total",
                        django.db.models.expressions.CombinedExpression(
                            models.F("subtotal"), "+", models.F("tax_total")
                        ),
                    ),
                    ("total__gt", 0),
                ),
                name="credit_note_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnote",
            constraint=models.CheckConstraint(
                condition=models.Q(("refunded__gte", 0), ("refunded__lte", models.F("total"))),
                name="credit_note_refund_in_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditnotetax",
            constraint=models.UniqueConstraint(
                fields=("credit_note", "invoice_tax"), name="credit_note_tax_once"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
