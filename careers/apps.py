from django.apps import AppConfig


class CareersConfig(AppConfig):
    name = "careers"

    def ready(self) -> None:
        from . import figure_rules, links, role_rules  # noqa: F401 - enter their rules and addresses
