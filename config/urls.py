from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("account/", include("accounts.urls")),
    # Outside of the admin: these are for recipients, who have no log-in.
    path("", include("campaigns.public.urls")),
    path("", admin.site.urls),
]
