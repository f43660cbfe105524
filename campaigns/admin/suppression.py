from django.contrib import admin

from accounts.owned_admin import OwnedAdmin
from campaigns.models import Suppression


@admin.register(Suppression)
class SuppressionAdmin(OwnedAdmin):
    pass
