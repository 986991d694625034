from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    name = "newsletter"

    def ready(self) -> None:
        from articles import frozen
        from veltrix.page_cache.content import watch

        from . import links, news, search_entries  # noqa: F401 - enter what they know
        from .models import Edition, EditionContent

        frozen.keep(EditionContent)
        # The archive shows editions and what they hold, and nobody who gets them.
        kinds = self.get_models(include_auto_created=True)
        columns = {field.name for field in Edition._meta.concrete_fields} - {"id", "slug", "started_at"}
        watch.leave_out_columns(Edition, *columns)
        watch.leave_out(*(kind for kind in kinds if kind not in {Edition, EditionContent}))
