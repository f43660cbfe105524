from django.contrib import admin

from accounts.models import GmailAccount
from accounts.owned_admin import OwnedAdmin


@admin.register(GmailAccount)
class GmailAccountAdmin(OwnedAdmin):
    pass
