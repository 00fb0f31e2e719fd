from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("nodes", "0002_leases_and_problems")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE nodes_generation",
            "DROP SEQUENCE nodes_generation",
        )
    ]
