"""Rows of batches as compressed bytes instead of jsonb."""

from django.db import migrations, models

import metering.packed


def move(apps, schema_editor):
    batches = apps.get_model("metering", "UsageBatch").objects
    for pk, rows in batches.values_list("pk", "rows").iterator(chunk_size=100):
        batches.filter(pk=pk).update(packed=rows)


def move_back(apps, schema_editor):
    batches = apps.get_model("metering", "UsageBatch").objects
    for pk, rows in batches.values_list("pk", "packed").iterator(chunk_size=100):
        batches.filter(pk=pk).update(rows=rows)


class Migration(migrations.Migration):
    dependencies = [("metering", "0004_partitions_and_increments")]

    operations = [
        migrations.AddField(
            model_name="usagebatch",
            name="packed",
            field=metering.packed.PackedJSONField(
                null=True, help_text="List of rows; see gateway/batches.py."
            ),
        ),
        migrations.AlterField(
            model_name="usagebatch",
            name="rows",
            field=models.JSONField(null=True, help_text="List of rows; see gateway/batches.py."),
        ),
        migrations.RunPython(move, move_back),
        migrations.RemoveField(model_name="usagebatch", name="rows"),
        migrations.RenameField(model_name="usagebatch", old_name="packed", new_name="rows"),
        migrations.AlterField(
            model_name="usagebatch",
            name="rows",
            field=metering.packed.PackedJSONField(
                default=list, help_text="List of rows; see gateway/batches.py."
            ),
            preserve_default=False,
        ),
    ]
