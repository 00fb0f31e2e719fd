"""What other meters than calls counted so far is to be sealed, too."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("metering", "0010_request_log")]

    operations = [
        migrations.RunSQL(
            "INSERT INTO metering_usagemark (claimed, organization_id, at) "
            "SELECT DISTINCT false, developer_id, date_trunc('hour', at, 'UTC') FROM metering_meterrecord "
            "ORDER BY 2, 3 ON CONFLICT DO NOTHING",
            migrations.RunSQL.noop,
        )
    ]
