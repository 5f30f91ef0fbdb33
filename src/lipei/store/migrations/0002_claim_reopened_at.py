from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="claim",
            name="reopened_at",
            field=models.DateTimeField(default=None, null=True),
        ),
    ]
