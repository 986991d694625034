from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate

from . import frozen


class ArticlesConfig(AppConfig):
    name = "articles"

    def ready(self) -> None:
        from . import article_rules, figure_rules  # noqa: F401 - enter their rules

        # For every app that holds figures, those of floors above included.
        pre_migrate.connect(frozen.take_off, dispatch_uid="articles.frozen")
        post_migrate.connect(frozen.install, dispatch_uid="articles.frozen")
