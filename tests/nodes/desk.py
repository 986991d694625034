"""Somebody at the desk of one machine, in a process of their own: acts by lines of JSON, and says when each is done."""

import json
import sys
from datetime import timedelta

SECRET = "nobody may read this"


def stage() -> None:
    """Fill an empty database with what the desk changes and readers watch."""
    from tests.factories import make_article, make_role, make_statistic

    statistic = make_statistic("0%", slug="watched")
    make_article(number=1, slug="watched", title="Number 0", statistics=[statistic])
    make_article(number=2, slug="comes-and-goes", title="Comes and goes")
    make_role("Watched", pay={"GB": (1, 2)})
    # A reader may be there before the first change.
    role(0)


def publish(number: int) -> None:
    from articles.publishing import publish

    article = _draft(f"Number {number}")
    publish(article, by=None, reason="They are all we have.")


def schedule(number: int, seconds: float) -> float:
    """A change to come; its moment, in seconds since 1970."""
    from django.utils import timezone

    from articles import schedule

    moment = timezone.now() + timedelta(seconds=seconds)
    schedule.schedule(_draft(f"Number {number}"), at=moment, by=None, reason="They are all we have.")
    return moment.timestamp()


def draft(number: int) -> None:
    _draft(f"Draft {number}: {SECRET}")


def figure(number: int) -> None:
    """The successor of a figure that the article shows."""
    from articles.models import StatisticValue

    current = StatisticValue.objects.get(statistic__slug="watched", superseded_at=None)
    current.publish_successor(why="update", value=number, display_text=f"{number}%")


def role(number: int) -> None:
    from careers.models import Role

    Role.objects.filter(slug="watched").update(summary=f"Role {number}.")


def withdraw() -> None:
    from articles import schedule
    from articles.models import Article

    schedule.withdraw(Article.objects.get(slug="comes-and-goes"))


def put_back() -> None:
    from articles.models import Article
    from articles.publishing import publish

    publish(Article.objects.get(slug="comes-and-goes"), by=None)


def _draft(title: str) -> object:
    from articles.models import Article

    article = Article.objects.get(slug="watched")
    article.title = title
    article.save()
    return article


ACTS = {act.__name__: act for act in (publish, schedule, draft, figure, role, withdraw, put_back)}


def main() -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        act, *arguments = json.loads(line)
        print(json.dumps(ACTS[act](*arguments)), flush=True)


if __name__ == "__main__":
    import django

    django.setup()
    main()
