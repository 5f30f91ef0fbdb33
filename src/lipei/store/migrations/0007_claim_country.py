"""Where a loss happened, by country: covers have territories."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0006_policy_tokens")]

    operations = [
        migrations.AddField(model_name="claim", name="country", field=models.TextField(default="")),
    ]
