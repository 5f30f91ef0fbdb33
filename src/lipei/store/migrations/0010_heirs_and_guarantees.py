"""A party who has died, whose agreement to an offer is there, what was promised to hospitals."""

from django.db import migrations, models

import lipei.store.fields


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0009_letters_of_deliveries"),
    ]

    operations = [
        migrations.AddField(
            model_name="claim",
            name="insured_died",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="exposure",
            name="guarantees",
            field=lipei.store.fields.CanonicalField(default=tuple),
        ),
        migrations.AddField(
            model_name="offer",
            name="agreed_parties",
            field=lipei.store.fields.CanonicalField(default=tuple),
        ),
        migrations.AddField(
            model_name="offer",
            name="code_for",
            field=models.BigIntegerField(default=None, null=True),
        ),
        migrations.AddField(
            model_name="party",
            name="deceased",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="party",
            name="mandate_reason",
            field=lipei.store.fields.EncryptedTextField(blank=True, default=""),
        ),
    ]
