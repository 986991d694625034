from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from articles.feeds import patterns_of
from newsletter.feeds import EditionsFeed

from . import sitemaps, views, well_known
from .search import views as search

handler500 = "veltrix.outages.server_error"

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("articles.urls")),
    path("careers/", include("careers.urls")),
    path("newsletter/", include("newsletter.urls")),
    *patterns_of("feeds/editions", EditionsFeed, "editions-feed"),
    path("sitemap.xml", sitemaps.index, name="sitemap"),
    path("sitemaps/<slug:name>-<int:number>.xml", sitemaps.part, name="sitemap-part"),
    path("robots.txt", well_known.robots, name="robots"),
    path("llms.txt", well_known.llms, name="llms"),
    path(".well-known/security.txt", well_known.security, name="security"),
    path("<slug:key>.txt", well_known.indexnow_key, name="indexnow-key"),
    path("search/", search.search, name="search"),
    path("search/finder/", search.finder, name="finder"),
    path("media/<path:name>", views.media, name="media"),
    path(settings.ADMIN_PATH, admin.site.urls),
]
