from django.apps import AppConfig


class CareersConfig(AppConfig):
    name = "careers"

    def ready(self) -> None:
        from . import figure_rules, links, role_rules, search_entries  # noqa: F401 - enter what they know
