from django.contrib import admin

from accounts.owned_admin import OwnedAdmin
from campaigns.models import Contact


@admin.register(Contact)
class ContactAdmin(OwnedAdmin):
    pass
