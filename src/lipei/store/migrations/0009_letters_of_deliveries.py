"""A delivery says which letter went out with it. What older entries say of theirs is written beside them, once."""

import json

from django.db import migrations, models


def fill(apps, schema_editor):
    entries, deliveries = apps.get_model("store", "Entry"), apps.get_model("store", "Delivery")
    sent = entries.objects.filter(kind="notice.sent", payload__contains="letter_digest").order_by("id")
    for body in sent.values_list("payload", flat=True).iterator(chunk_size=1000):
        facts = json.loads(body)["facts"]
        if facts.get("letter_digest"):
            deliveries.objects.filter(id=facts["delivery"]).update(letter_digest=facts["letter_digest"])


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0008_kept_editions"),
    ]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="letter_digest",
            field=models.CharField(db_default="", default="", max_length=64),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("letter_digest", ""), _negated=True),
                fields=["letter_digest"],
                name="delivery_letter",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
