from django.db import migrations

# From when on a contact is known is all that is known of when it agreed.
_NOTE = """
INSERT INTO campaigns_consentrecord (contact_id, kind, source, wording, at)
SELECT id, 'given', 'noted with the contact', consent, created_at
FROM campaigns_contact WHERE consent <> ''
"""


class Migration(migrations.Migration):
    """What is known so far of where the consent of each contact comes from."""

    dependencies = [("campaigns", "0009_key_marks")]

    operations = [migrations.RunSQL(_NOTE, migrations.RunSQL.noop)]
