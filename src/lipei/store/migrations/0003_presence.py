"""Who has a claim open on a screen: a table beside the journal, forgotten within the hour."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0002_claim_reopened_at")]

    operations = [
        migrations.CreateModel(
            name="Presence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("claim_id", models.BigIntegerField()),
                ("staff_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "presence",
                "indexes": [models.Index(fields=["at"], name="presence_at")],
                "constraints": [models.UniqueConstraint(fields=("claim_id", "staff_id"), name="presence_once")],
            },
        ),
    ]
