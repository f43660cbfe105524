"""The addresses of what a recipient can reach: `campaigns.delivery.public_pages` writes them."""

from django.urls import path, re_path

from campaigns.public import leave, pages, preferences, reach, track, view

app_name = "public"

urlpatterns = [
    path("u/<str:token>", leave.leave, name="leave"),
    path("u/<str:token>/back", leave.take_back, name="take_back"),
    path("p/<str:token>", preferences.preferences, name="preferences"),
    path("v/<str:token>", view.view, name="view"),
    path("c/<str:token>/<int:number>", track.click, name="click"),
    path("o/<str:token>.gif", track.open_, name="open"),
    path("reachable/<str:nonce>", reach.reach, name="reachable"),
    # A link that was torn in a mail must not end at the log-in.
    re_path(r"^[upvco]/.*$", pages.nothing, name="nothing"),
]
