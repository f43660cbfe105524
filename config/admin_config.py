from django.contrib.admin.apps import AdminConfig


class DaypostAdminConfig(AdminConfig):
    """Makes Daypost's own site the one that `admin.register` uses."""

    default_site = "config.admin_site.DaypostSite"
