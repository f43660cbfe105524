from django.contrib import admin

from accounts.owned_admin import OwnedAdmin
from campaigns.models import ContactImport


@admin.register(ContactImport)
class ContactImportAdmin(OwnedAdmin):
    pass
