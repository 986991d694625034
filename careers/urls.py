from django.urls import path

from . import downloads, embed_views, views

app_name = "careers"

urlpatterns = [
    path("", views.index, name="index"),
    path("roles.csv", downloads.roles_csv, name="roles_csv"),
    path("roles.json", downloads.roles_json, name="roles_json"),
    path("salaries.csv", downloads.salaries_csv, name="salaries_csv"),
    path("datapackage.json", downloads.package_json, name="datapackage"),
    path("veltrix-data.zip", downloads.package_zip, name="data_zip"),
    path("charts/<slug:market>.svg", downloads.chart_svg, name="chart_svg"),
    path("charts/<slug:market>.png", downloads.chart_png, name="chart_png"),
    path("compare/", views.compare_roles, name="compare"),
    path("embed/role/<slug:slug>/", embed_views.role, name="embed_role"),
    path("embed/table/<slug:slug>/", embed_views.table, name="embed_table"),
    path("fit/", views.fit, name="fit"),
    path("oembed/", embed_views.oembed, name="oembed"),
    path("paths/<slug:slug>/", views.path, name="path"),
    path("skills/", views.skills, name="skills"),
    path("skills/<slug:slug>/", views.skill, name="skill"),
    path("<slug:slug>/", views.role, name="role"),
]
