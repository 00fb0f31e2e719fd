"""Who is billed how: names and addresses on invoices, terms with customers, tax rates, taxes of invoices."""

import accounts.fields
import accounts.ids
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


# The function is that of invoice lines: nothing comes to, changes on or leaves a finalized invoice.
FORWARD = """
CREATE TRIGGER invoice_taxes_stay BEFORE INSERT OR UPDATE OR DELETE ON billing_invoicetax
    FOR EACH ROW EXECUTE FUNCTION billing_invoice_lines_stay();
"""
BACKWARD = "DROP TRIGGER invoice_taxes_stay ON billing_invoicetax;"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("billing", "0004_settled_amounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="BillingProfile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "legal_name",
                    models.CharField(
                        blank=True,
                        help_text="As registered; empty = the organization's name.",
                        max_length=200,
                    ),
                ),
                (
                    "address",
                    models.TextField(
                        blank=True, help_text="Street, postal code and town, by line.", max_length=500
                    ),
                ),
                ("country", models.CharField(blank=True, help_text="ISO 3166-1, such as DE.", max_length=2)),
                (
                    "region",
                    models.CharField(blank=True, help_text="State or province, such as CA.", max_length=50),
                ),
                (
                    "tax_ids",
                    models.JSONField(
                        blank=True, default=list, help_text='[{"kind": "VAT ID", "value": "DE123456789"}]'
                    ),
                ),
                (
                    "payment_instructions",
                    models.TextField(
                        blank=True,
                        help_text="As a provider: how to pay, such as bank and account number.",
                        max_length=2000,
                    ),
                ),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="billing_profile",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TaxRate",
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
                ("name", models.CharField(help_text="As printed, such as VAT.", max_length=60)),
                (
                    "percent",
                    models.DecimalField(decimal_places=6, help_text="Such as 19 or 8.875.", max_digits=9),
                ),
                (
                    "inclusive",
                    models.BooleanField(
                        default=False, help_text="Prices contain this tax already; else it is added to them."
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        help_text="Customers of this country (ISO 3166-1); empty = of all.",
                        max_length=2,
                    ),
                ),
                (
                    "region",
                    models.CharField(
                        blank=True,
                        help_text="Customers of this state or province only, such as CA.",
                        max_length=50,
                    ),
                ),
                (
                    "reverse_charge_note",
                    models.CharField(
                        blank=True,
                        help_text="Printed for customers under reverse charge; empty = the usual words.",
                        max_length=200,
                    ),
                ),
                ("valid_from", models.DateTimeField(blank=True, help_text="Empty = always was.", null=True)),
                (
                    "valid_until",
                    models.DateTimeField(blank=True, help_text="Exclusive; empty = no end.", null=True),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tax_rates",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["organization", "country", "region", "name", "created_at"],
            },
        ),
        migrations.CreateModel(
            name="TaxRateCustomer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "tax_rate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chosen",
                        to="billing.taxrate",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="taxrate",
            name="customers",
            field=models.ManyToManyField(
                blank=True,
                help_text="Only these customers, wherever they are; none = by country and region.",
                related_name="+",
                through="billing.TaxRateCustomer",
                through_fields=("tax_rate", "customer"),
                to="accounts.organization",
            ),
        ),
        migrations.CreateModel(
            name="CustomerTerms",
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
                    "due_days",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="Days to pay; empty = those of the installation.", null=True
                    ),
                ),
                (
                    "tax_treatment",
                    models.CharField(
                        choices=[
                            ("standard", "Taxed"),
                            ("reverse_charge", "Reverse charge: the customer accounts for the tax"),
                            ("exempt", "Exempt"),
                        ],
                        default="standard",
                        max_length=20,
                    ),
                ),
                (
                    "tax_note",
                    models.CharField(
                        blank=True,
                        help_text="Printed where no tax is charged, such as the certificate's number.",
                        max_length=200,
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="terms_received",
                        to="accounts.organization",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="terms_given",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "customer terms",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "customer"), name="customer_terms_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceTax",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                ("name", models.CharField(max_length=60)),
                ("percent", models.DecimalField(decimal_places=6, max_digits=9)),
                ("inclusive", models.BooleanField()),
                (
                    "base",
                    models.DecimalField(
                        decimal_places=12, help_text="The net amount that is taxed.", max_digits=24
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=12, max_digits=24)),
                ("note", models.CharField(blank=True, help_text="Why nothing is charged.", max_length=200)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="taxes",
                        to="billing.invoice",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invoice_taxes",
                        to="accounts.organization",
                    ),
                ),
                (
                    "tax_rate",
                    models.ForeignKey(
                        help_text="Empty = exempt.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charged",
                        to="billing.taxrate",
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "position"), name="invoice_tax_once")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="taxratecustomer",
            constraint=models.UniqueConstraint(
                fields=("tax_rate", "customer"), name="tax_rate_customer_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="taxrate",
            constraint=models.CheckConstraint(
                condition=models.Q(("percent__gte", 0), ("percent__lte", 100)),
                name="tax_rate_percent_in_bounds",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
