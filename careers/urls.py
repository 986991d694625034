from django.urls import path

from . import views

app_name = "careers"

urlpatterns = [
    path("", views.index, name="index"),
    path("paths/<slug:slug>/", views.path, name="path"),
    path("<slug:slug>/", views.role, name="role"),
]
