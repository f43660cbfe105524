from django.db import migrations

from campaigns.models.address_hash import address_hash

A_BATCH = 1_000


def fill(apps, schema_editor):
    """Every contact and every suppression gets the hash of its address."""
    for name in ("Contact", "Suppression"):
        model = apps.get_model("campaigns", name)
        last = 0
        while rows := list(
            model.objects.filter(pk__gt=last).only("pk", "email_key").order_by("pk")[:A_BATCH]
        ):
            for row in rows:
                row.email_hash = address_hash(row.email_key)
            model.objects.bulk_update(rows, ["email_hash"], batch_size=200)
            last = rows[-1].pk


class Migration(migrations.Migration):

    dependencies = [("campaigns", "0006_what_comes_back")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
