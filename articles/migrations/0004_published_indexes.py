from django.db import migrations, models

from veltrix.postgresql.indexes import AddIndexWhileInUse


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("articles", "0003_live_category"),
    ]

    operations = [
        AddIndexWhileInUse(
            model_name="article",
            index=models.Index(
                condition=models.Q(("live_version__isnull", False)),
                fields=["-published_at", "-number", "withdrawn_at", "live_version"],
                name="article_published",
            ),
        ),
        AddIndexWhileInUse(
            model_name="article",
            index=models.Index(
                condition=models.Q(("live_version__isnull", False)),
                fields=["live_category", "-published_at", "-number", "withdrawn_at", "live_version"],
                name="article_published_by_category",
            ),
        ),
    ]
