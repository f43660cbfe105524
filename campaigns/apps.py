from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Campaigns")

    def ready(self) -> None:
        from accounts.clock.carrying import carried
        from campaigns import checks  # noqa: F401  registers the system checks
        from campaigns.delivery import carrying

        carried.connect(carrying.carry)
