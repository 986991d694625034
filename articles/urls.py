from django.urls import path

from . import views

app_name = "articles"

urlpatterns = [
    path("articles/", views.index, name="index"),
    path("articles/<slug:slug>/", views.detail, name="detail"),
    path("topics/<slug:slug>/", views.topic, name="topic"),
    path("series/<slug:slug>/", views.series, name="series"),
    path("authors/<slug:slug>/", views.author, name="author"),
]
