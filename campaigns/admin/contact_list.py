from django.contrib import admin

from accounts.owned_admin import OwnedAdmin
from campaigns.models import ContactList


@admin.register(ContactList)
class ContactListAdmin(OwnedAdmin):
    pass
