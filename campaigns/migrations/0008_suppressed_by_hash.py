from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("campaigns", "0007_address_hashes")]

    operations = [
        migrations.AddConstraint(
            model_name="suppression",
            constraint=models.UniqueConstraint(
                fields=("workspace", "email_hash"), name="suppression_unique"
            ),
        ),
    ]
