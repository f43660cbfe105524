"""The merge fields that every message may use, whatever was imported."""

# Those of every contact.
STANDARD_FIELDS = ("email", "first_name", "last_name", "name")
# Those that come from the workspace rather than from the contact.
WORKSPACE_FIELDS = ("postal_address",)
