from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from articles.feeds import in_both_forms
from newsletter.feeds import EditionsFeed

from . import views
from .page_cache.views import kept

handler500 = "veltrix.outages.server_error"

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("articles.urls")),
    path("careers/", include("careers.urls")),
    path("newsletter/", include("newsletter.urls")),
    path("feeds/editions.atom", kept()(EditionsFeed()), name="editions-feed"),

    *in_both_forms("feeds/editions", EditionsFeed, "editions-feed"),
    path("media/<path:name>", views.media, name="media"),
    path(settings.ADMIN_PATH, admin.site.urls),
]
