from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    name = "newsletter"

    def ready(self) -> None:
        from articles import frozen

        from . import links  # noqa: F401 - enters its addresses
        from .models import EditionContent

        frozen.keep(EditionContent)
