"""Claims are found by part of their numbers. Those that are here already are read once, a few hundred at a time."""

from django.db import migrations

from lipei.store import claim_tokens

BATCH = 300


def fill(apps, schema_editor):
    claims, tokens = apps.get_model("store", "Claim"), apps.get_model("store", "SearchToken")
    known = claims.objects.only("pk", *claim_tokens.FOUND_BY["claim"]).order_by("pk")
    last = None
    while rows := list((known if last is None else known.filter(pk__gt=last))[:BATCH]):
        claim_tokens.fill(rows, tokens)
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("store", "0011_codes_of_each_heir")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
