from django.db import migrations

# Each mail leaves two dead rows at the head of the queue's index, which every claim steps over until they are vacuumed.
# By default that waits for a fifth of the table: at a million rows a claim then takes 0.7 ms in place of 0.04 ms.
OFTEN = "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0"
RESET = "autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay"


def vacuum_often(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE newsletter_delivery SET ({OFTEN})")


def vacuum_as_usual(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE newsletter_delivery RESET ({RESET})")


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0001_initial")]

    operations = [migrations.RunPython(vacuum_often, vacuum_as_usual)]
