"""An invoice's frozen copy is kept as compressed bytes.

PostgreSQL took a sixth of a month end's time to take its JSON apart and to compress it; nobody asks it about what is
in there. Rows there are become JSON's text, which is read as before (metering/packed.py).
"""

from django.db import migrations

from metering.packed import PackedJSONField

FORWARD = """
ALTER TABLE billing_invoice ALTER COLUMN frozen TYPE bytea USING convert_to(frozen::text, 'UTF8');
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0018_fewer_indexes_of_invoices")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "invoice",
                    "frozen",
                    PackedJSONField(
                        default=dict, help_text="Copies of provider, customer, plans and prices as billed."
                    ),
                )
            ],
            database_operations=[migrations.RunSQL(FORWARD)],
        ),
    ]
