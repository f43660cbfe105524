"""The merge fields that every message may use, whatever was imported."""

# Those of every contact.
STANDARD_FIELDS = ("email", "first_name", "last_name", "name")
# Those that come from the workspace rather than from the contact.
WORKSPACE_FIELDS = ("postal_address",)
# Those that lead the recipient of this one message somewhere.
LINK_FIELDS = ("unsubscribe_url", "preferences_url", "view_url")
# Of these, without a public address all are empty but the first, which then is a mail.
PUBLIC_FIELDS = ("preferences_url", "view_url")
