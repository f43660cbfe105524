from django.contrib import admin

from accounts.owned_admin import OwnedAdmin
from campaigns.models import Message


@admin.register(Message)
class MessageAdmin(OwnedAdmin):
    pass
