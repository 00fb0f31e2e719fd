"""A month's end writes each index once for each line: those that nothing asks are dropped.

Django makes a second index of text keys for LIKE; ids are only compared.
"""

import django.db.models.deletion
from django.db import migrations, models

FOR_LIKE = (
    "billing_invoice_id_b61f20ac_like",
    "billing_invoice_customer_id_12e1ebba_like",
    "billing_invoiceline_invoice_id_ff507e12_like",
    "billing_invoiceline_subscription_id_7b3b3333_like",
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_webhooks"),
        ("billing", "0017_rate_card_versions_only_to_come"),
    ]

    operations = [
        migrations.AlterField(
            "invoice",
            "organization",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="issued_invoices",
                to="accounts.organization",
            ),
        ),
        migrations.AlterField(
            "invoiceline",
            "organization",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="invoice_lines",
                to="accounts.organization",
            ),
        ),
        *(migrations.RunSQL(f"DROP INDEX IF EXISTS {name}", migrations.RunSQL.noop) for name in FOR_LIKE),
    ]
