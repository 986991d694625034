from django.urls import path

from . import downloads, views
from .article_feeds import ArticlesFeed, CorrectionsFeed, SeriesFeed, TopicFeed
from .feeds import patterns_of

app_name = "articles"

urlpatterns = [
    path("corrections/", views.corrections_index, name="corrections"),
    *patterns_of("feeds/articles", ArticlesFeed, "feed"),
    *patterns_of("feeds/topics/<slug:slug>", TopicFeed, "topic-feed"),
    *patterns_of("feeds/series/<slug:slug>", SeriesFeed, "series-feed"),
    *patterns_of("feeds/corrections", CorrectionsFeed, "corrections-feed"),
    path("sources/", views.sources, name="sources"),
    path("sources/<slug:slug>/", views.source, name="source"),
    path("statistics/<slug:slug>/", views.statistic, name="statistic"),
    path("articles/", views.index, name="index"),
    path("articles/<slug:slug>/", views.detail, name="detail"),
    path("articles/<slug:slug>.md", views.as_markdown, name="markdown"),
    path("articles/<slug:slug>/card.png", views.card, name="card"),
    path("drafts/<str:token>/", views.shared, name="shared"),
    path("topics/<slug:slug>/", views.topic, name="topic"),
    path("series/<slug:slug>/", views.series, name="series"),
    path("authors/<slug:slug>/", views.author, name="author"),
    path("sources.csv", downloads.sources_csv, name="sources_csv"),
    path("statistics.csv", downloads.statistics_csv, name="statistics_csv"),
]
