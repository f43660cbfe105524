from django.contrib import admin

from accounts.owned_admin import OwnedAdmin
from campaigns.models import Campaign


@admin.register(Campaign)
class CampaignAdmin(OwnedAdmin):
    pass
