"""Chains of sealed hours. Hours that are there already are marked, so that the first run seals them."""

import django.utils.timezone
import metering.packed
from django.db import migrations, models

FORWARDS = """
CREATE FUNCTION metering_usage_seal_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'seal % of % never changes', OLD.number, OLD.organization_id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER usage_seal_stays BEFORE UPDATE OR DELETE ON metering_usageseal
    FOR EACH ROW EXECUTE FUNCTION metering_usage_seal_stays();

INSERT INTO metering_usagemark (claimed, organization_id, at)
SELECT DISTINCT false, developer_id, at FROM metering_usagehour WHERE developer_id <> '';
"""

BACKWARDS = """
DROP TRIGGER usage_seal_stays ON metering_usageseal;
DROP FUNCTION metering_usage_seal_stays();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0007_custom_meters_and_billable_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsageChain",
            fields=[
                (
                    "organization_id",
                    models.CharField(
                        help_text="The developer.", max_length=10, primary_key=True, serialize=False
                    ),
                ),
                (
                    "number",
                    models.PositiveBigIntegerField(default=0, help_text="Of the newest seal; 0 = none yet."),
                ),
                ("hash", models.CharField(blank=True, max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="UsageMark",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "claimed",
                        "organization_id",
                        "at",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("claimed", models.BooleanField(default=False)),
                ("organization_id", models.CharField(help_text="The developer.", max_length=10)),
                ("at", models.DateTimeField(help_text="Start of the hour (UTC).")),
            ],
        ),
        migrations.CreateModel(
            name="UsageSeal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "organization_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("organization_id", models.CharField(help_text="The developer.", max_length=10)),
                ("number", models.PositiveBigIntegerField()),
                ("at", models.DateTimeField(help_text="Start of the hour (UTC).")),
                ("sealed_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "content",
                    metering.packed.PackedJSONField(
                        help_text='{"columns": [name], "records": [[text]]}, ordered.'
                    ),
                ),
                (
                    "previous",
                    models.CharField(blank=True, help_text="The hash of the seal before.", max_length=64),
                ),
                (
                    "hash",
                    models.CharField(
                        help_text="SHA-256, hexadecimal; metering/chain/content.py.", max_length=64
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "at"], name="usage_seal_hour")],
            },
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
