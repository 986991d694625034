from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate, pre_migrate

from . import frozen, live_categories


class ArticlesConfig(AppConfig):
    name = "articles"

    def ready(self) -> None:
        from veltrix.page_cache.content import watch

        from . import article_rules, figure_rules, news, search_entries  # noqa: F401 - enter what they know
        from .models import Announcement, Article, Byline, DraftSave, ExternalLink, ReviewMark, ShareLink, WorkingCopy
        from .models.blocks import Block

        # A draft is what its rows say; readers see versions.
        watch.leave_out(*(kind for kind in apps.get_models() if issubclass(kind, Block)))
        watch.leave_out(Announcement, Byline, DraftSave, ReviewMark, ShareLink, WorkingCopy)
        draft = ["title", "standfirst", "category", "series", "headline", "social_text", "changed_at"]
        watch.leave_out_columns(Article, *draft)
        watch.leave_out(ExternalLink, ExternalLink.articles.through, ExternalLink.sources.through)

        # For every app that holds figures, those of floors above included.
        pre_migrate.connect(frozen.take_off, dispatch_uid="articles.frozen")
        post_migrate.connect(frozen.install, dispatch_uid="articles.frozen")
        pre_migrate.connect(live_categories.take_off, sender=self, dispatch_uid="articles.live_categories")
        post_migrate.connect(live_categories.install, sender=self, dispatch_uid="articles.live_categories")
