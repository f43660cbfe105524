from django.contrib import admin

from accounts.owned_admin import OwnedAdmin
from campaigns.models import Template


@admin.register(Template)
class TemplateAdmin(OwnedAdmin):
    pass
