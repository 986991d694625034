from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEW, ADD, CHANGE, DELETE = "view", "add", "change", "delete"

DRAFTS = {"articles": {"article": [VIEW, ADD, CHANGE]}}
READ = {
    "articles": {
        name: [VIEW]
        for name in ("source", "statistic", "statisticvalue", "category", "series", "author", "externallink", "redirect")
    },
    "careers": {
        name: [VIEW]
        for name in (
            "market", "role", "careerpath", "skill", "skillalias", "requirement", "salaryrange", "comparisontable",
            "comparisontablerow", "rolecode", "rolerelation",
        )
    },
}  # fmt: skip
WRITE = {
    app: {name: [VIEW, ADD, CHANGE, DELETE] for name in names} for app, names in READ.items()
} | {"articles": {name: [VIEW, ADD, CHANGE, DELETE] for name in [*READ["articles"], "article"]}}
SUBSCRIBERS = {"newsletter": {"subscriber": [VIEW], "consentevent": [VIEW], "suppression": [VIEW]}}
SUBSCRIBERS_ACTS = {
    "newsletter": {"subscriber": [CHANGE, "erase", "import", "export"], "suppression": [ADD, DELETE]}
}
EDITIONS = {
    "newsletter": {
        "edition": [VIEW, ADD, CHANGE, DELETE],
        "editionpart": [VIEW, ADD, CHANGE, DELETE],
        "delivery": [VIEW],
        "sender": [VIEW],
        "mailreport": [VIEW],
    }
}
SENDING = {"newsletter": {"edition": ["send"], "delivery": ["settle"]}}
REVIEW = {"articles": {"reviewmark": [VIEW, CHANGE]}}
PEOPLE = {"auth": {"user": [VIEW, ADD, CHANGE], "group": [VIEW]}, "veltrix": {"auditentry": [VIEW]}}

GROUPS = {
    "Author": [DRAFTS, READ],
    "Editor": [DRAFTS, WRITE, REVIEW, SUBSCRIBERS, EDITIONS],
    "Chief editor": [DRAFTS, WRITE, REVIEW, SUBSCRIBERS, EDITIONS, SENDING],
    "Administrator": [DRAFTS, WRITE, REVIEW, SUBSCRIBERS, SUBSCRIBERS_ACTS, EDITIONS, SENDING, PEOPLE],
}
PUBLISHERS = {
    "Editor": ["publish_article"],
    "Chief editor": ["publish_article", "publish_unresolved_article"],
    "Administrator": ["publish_article", "publish_unresolved_article"],
}


# People who look after the others' sign-in.
KEEPERS = {"Administrator": ["manage_sign_in"]}


def create_groups(apps, schema_editor):
    # Permissions are otherwise made after the last migration, too late for this one.
    for config in apps.get_app_configs():
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
        config.models_module = None
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    for name, sets in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        for permissions in sets:
            for app, models in permissions.items():
                for model, actions in models.items():
                    codenames = [f"{action}_{model}" for action in actions]
                    group.permissions.add(
                        *Permission.objects.filter(content_type__app_label=app, codename__in=codenames)
                    )
    for name, codenames in PUBLISHERS.items():
        publish = Permission.objects.filter(content_type__app_label="articles", codename__in=codenames)
        Group.objects.get(name=name).permissions.add(*publish)
    for name, codenames in KEEPERS.items():
        keep = Permission.objects.filter(content_type__app_label="veltrix", codename__in=codenames)
        Group.objects.get(name=name).permissions.add(*keep)


def delete_groups(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=GROUPS).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("veltrix", "0001_initial"),
        ("articles", "0001_initial"),
        ("careers", "0001_initial"),
        ("newsletter", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(create_groups, delete_groups)]
