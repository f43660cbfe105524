from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def take_over(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What a person accepted last, for any machine, holds for the account."""
    checks = apps.get_model("accounts", "ClockCheck").objects
    accounts = apps.get_model("accounts", "GmailAccount").objects
    for account_id, ahead in checks.order_by("id").values_list("account_id", "ahead"):
        accounts.filter(pk=account_id).update(clock_ahead=ahead)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_mail_by_hand")]

    operations = [
        migrations.AddField(
            model_name="gmailaccount",
            name="clock_ahead",
            field=models.FloatField(blank=True, default=0, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="clockcheck",
            name="unseen_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField(model_name="clockcheck", name="ahead"),
    ]
