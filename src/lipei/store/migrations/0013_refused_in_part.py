"""What a decision refuses in part: of those that were made before nothing was told, and nothing is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0012_number_tokens")]

    operations = [
        migrations.AddField(model_name="exposure", name="refused_minor", field=models.BigIntegerField(default=0)),
    ]
