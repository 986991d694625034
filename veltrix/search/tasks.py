from django.tasks import task

from .index import settle


@task
def settle_search() -> None:
    settle()
