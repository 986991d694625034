import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("articles", "0002_announcement"),
    ]

    operations = [
        # It is filled by `articles.live_categories` once all migrations are done.
        migrations.AddField(
            model_name="article",
            name="live_category",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="articles.category",
            ),
        ),
    ]
