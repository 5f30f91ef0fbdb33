"""Policies are found by part of a name or plate. Those that are here already are read once, a few hundred at a time."""

import django.db.models.deletion
from django.db import migrations, models

from lipei.store import policy_tokens

BATCH = 300


def fill(apps, schema_editor):
    policies, tokens = apps.get_model("store", "Policy"), apps.get_model("store", "PolicyToken")
    last = 0
    while rows := list(policies.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        policy_tokens.write(rows, tokens)
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("store", "0005_owed_rows")]

    operations = [
        migrations.CreateModel(
            name="PolicyToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.BigIntegerField()),
                ("policy", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="store.policy")),
            ],
            options={
                "db_table": "policy_token",
                "constraints": [models.UniqueConstraint(fields=("token", "policy"), name="policy_token_once")],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
