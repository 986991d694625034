from django.db import migrations

KINDS = [
    ("article", "articles", "Article"),
    ("statistic", "articles", "Statistic"),
    ("role", "careers", "Role"),
    ("skill", "careers", "Skill"),
    ("edition", "newsletter", "Edition"),
]


def mark_all(apps, schema_editor):
    """Let the worker, and whoever searches, enter what an installation has already."""
    mark = apps.get_model("veltrix", "SearchMark")
    for kind, app, model in KINDS:
        keys = apps.get_model(app, model).objects.order_by("pk").values_list("pk", flat=True)
        mark.objects.bulk_create((mark(kind=kind, key=key) for key in keys.iterator()), batch_size=1_000)


class Migration(migrations.Migration):
    dependencies = [
        ("veltrix", "0005_search_index"),
        ("articles", "0001_initial"),
        ("careers", "0001_initial"),
        ("newsletter", "0001_initial"),
    ]

    operations = [migrations.RunPython(mark_all, migrations.RunPython.noop)]
