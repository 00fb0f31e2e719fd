"""Invoice lines say which item of the month's bill they are, and may belong to several subscriptions."""

import django.db.models.deletion
from django.db import migrations, models

# Former lines were by subscription, at the card that became version 1; a closing after this one goes on from them.
ITEMS = """
ALTER TABLE billing_invoiceline DISABLE TRIGGER invoice_lines_stay;
UPDATE billing_invoiceline l
SET item = CASE
    WHEN l.meter = '' THEN 'fee:' || s.id || ':' || coalesce(p.rate_card_id || '.1', '')
    ELSE 'usage:' || coalesce(p.rate_card_id || '.1', '') || ':' || l.meter || '::' || l.tier || ':' || s.id
END
FROM access_subscription s
LEFT JOIN billing_planprice p ON p.plan_id = s.plan_id
WHERE s.id = l.subscription_id;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
ALTER TABLE billing_invoiceline ENABLE TRIGGER invoice_lines_stay;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0012_rate_card_versions")]

    operations = [
        migrations.RemoveIndex("invoiceline", "invoice_line_billed"),
        migrations.AddField(
            "invoiceline",
            "item",
            models.CharField(
                max_length=200, default="", help_text="Such as usage:{card}.{version}:requests::1."
            ),
        ),
        migrations.AddField(
            "invoiceline",
            "breakdown",
            models.JSONField(
                default=dict,
                help_text="Subscription id -> [units, money] as text, where several share the line. They add up to it.",
            ),
        ),
        migrations.AddField(
            "invoiceline",
            "packages",
            models.DecimalField(
                max_digits=30,
                decimal_places=12,
                null=True,
                help_text="What is priced, where the price is a package's.",
            ),
        ),
        migrations.AlterField(
            "invoiceline",
            "meter",
            models.CharField(max_length=40, blank=True, help_text="Empty = a fee."),
        ),
        migrations.AlterField(
            "invoiceline",
            "subscription",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invoice_lines",
                to="access.subscription",
                help_text="Empty = several share it; `breakdown` has their parts.",
            ),
        ),
        migrations.RunSQL(ITEMS, migrations.RunSQL.noop),
    ]
