from django.urls import path

from . import archive, preferences, views

app_name = "newsletter"

urlpatterns = [
    path("", views.index, name="index"),
    path("check-your-inbox/", views.check_your_inbox, name="check-your-inbox"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
    path("confirmed/", views.confirmed, name="confirmed"),
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    # A one-click POST to an address that lost its slash must not be answered by a redirect.
    path("unsubscribe/<str:token>", views.unsubscribe),
    path("preferences/<str:token>/", preferences.preferences, name="preferences"),
    path("preferences/<str:token>/data/", preferences.data, name="preferences-data"),
    path("preferences/<str:token>/erase/", preferences.erase, name="preferences-erase"),
    path("reports/<slug:provider>/", views.reports, name="reports"),
    path("archive/", archive.index, name="archive"),
    path("<slug:slug>/", archive.edition, name="edition"),
]
