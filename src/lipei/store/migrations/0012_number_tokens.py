"""Claims and policies are found by part of their numbers. Those that are here already are read once, a few hundred at a time."""

from django.db import migrations

from lipei.store import claim_tokens, policy_tokens

BATCH = 300


def fill(apps, schema_editor):
    claims = apps.get_model("store", "Claim").objects.only("pk", "policy_id", *claim_tokens.FOUND_BY["claim"])
    _each(claims, lambda rows: claim_tokens.fill(rows, apps.get_model("store", "SearchToken")))
    policies = apps.get_model("store", "Policy").objects.all()
    _each(policies, lambda rows: policy_tokens.write(rows, apps.get_model("store", "PolicyToken")))


def _each(query, fill_rows):
    last = None
    while rows := list((query if last is None else query.filter(pk__gt=last)).order_by("pk")[:BATCH]):
        fill_rows(rows)
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("store", "0011_codes_of_each_heir")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
