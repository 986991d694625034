"""Articles of any number, drawn by lot from a seed: the same seed and size give the same content."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from articles.documents import FORMAT
from articles.models import Article, ArticleVersion, Author, Category, Series, Source, Statistic, StatisticValue
from articles.models.versions import AuthorReference, StatisticReference

TOPICS, SERIES, AUTHORS, SOURCES = 12, 5, 8, 150
FIRST = datetime(2010, 1, 4, 8, tzinfo=UTC)
WORDS = ["pay", "skills", "roles", "work", "tools", "models", "hiring", "learning", "data", "courses", "firms", "tasks"]


@dataclass(frozen=True)
class ArticlesSize:
    articles: int
    statistics: int
    # Of each statistic, a figure a year.
    years: int = 5
    seed: int = 1


@transaction.atomic
def make_articles(size: ArticlesSize) -> None:
    """Fill empty tables: topics two deep, series, authors, sources, figures with their history, published articles."""
    lot = random.Random(size.seed)  # noqa: S311 - nothing is kept secret by it
    statistics = _make_statistics(lot, size)
    topics = [Category.objects.create(slug=f"topic-{n}", name=f"Topic {n}") for n in range(TOPICS // 3)]
    topics += [
        Category.objects.create(slug=f"topic-{n}", name=f"Topic {n}", parent=topics[n % (TOPICS // 3)])
        for n in range(TOPICS // 3, TOPICS)
    ]
    series = [Series.objects.create(slug=f"series-{n}", name=f"Series {n}") for n in range(SERIES)]
    authors = [Author.objects.create(slug=f"author-{n}", name=f"Author {n}") for n in range(AUTHORS)]
    articles = Article.objects.bulk_create(_drafts(lot, size, topics, series, statistics), batch_size=500)
    shown = {article.pk: lot.sample(statistics, min(3, len(statistics))) for article in articles}
    wrote = {article.pk: lot.choice(authors) for article in articles}
    versions = ArticleVersion.objects.bulk_create(
        [_version(lot, article, articles, shown[article.pk], wrote[article.pk]) for article in articles],
        batch_size=200,
    )
    for article, version in zip(articles, versions, strict=True):
        article.live_version = version
    Article.objects.bulk_update(articles, ["live_version"], batch_size=200)
    StatisticReference.objects.bulk_create(
        (StatisticReference(article_id=key, target=target) for key, targets in shown.items() for target in targets),
        batch_size=500,
    )
    AuthorReference.objects.bulk_create(
        (AuthorReference(article_id=key, target=author) for key, author in wrote.items()), batch_size=500
    )


def _make_statistics(lot: random.Random, size: ArticlesSize) -> list[Statistic]:
    """Figures of which every year publishes the successor; every tenth of those corrects the one before."""
    sources = Source.objects.bulk_create(
        Source(slug=f"report-{n}", producer=f"Institute {n}", title="Report on work", published=str(2010 + n % 15))
        for n in range(SOURCES)
    )
    statistics = Statistic.objects.bulk_create(
        Statistic(slug=f"statistic-{n}", claim=f"of {lot.choice(WORDS)} are counted, number {n}", unit="share")
        for n in range(size.statistics)
    )
    before: list[StatisticValue | None] = [None] * len(statistics)
    for year in range(2026 - size.years + 1, 2027):
        rows = [
            StatisticValue(
                statistic=statistic,
                value=(number := lot.randrange(1, 99)),
                display_text=f"{number}%",
                source=lot.choice(sources),
                as_of=str(year),
                why=(why := "new" if earlier is None else lot.choice(["correction", *["update"] * 9])),
                why_note="It was counted twice." if why == "correction" else "",
                supersedes=earlier,
                published_at=datetime(year, 3, 1, tzinfo=UTC),
                superseded_at=None if year == 2026 else datetime(year + 1, 3, 1, tzinfo=UTC),
            )
            for statistic, earlier in zip(statistics, before, strict=True)
        ]
        before = list(StatisticValue.objects.bulk_create(rows, batch_size=500))
    return statistics


def _drafts(
    lot: random.Random,
    size: ArticlesSize,
    topics: Sequence[Category],
    series: Sequence[Series],
    statistics: Sequence[Statistic],
) -> list[Article]:
    return [
        Article(
            number=n,
            slug=f"article-{n}",
            title=f"What {lot.choice(WORDS)} say about {lot.choice(WORDS)}, {n}",
            standfirst=_sentence(lot, 25),
            category=lot.choice(topics),
            series=lot.choice([None, *series]),
            headline=lot.choice([None, *statistics]),
            published_at=FIRST + timedelta(hours=12 * n),
        )
        for n in range(1, size.articles + 1)
    ]


def _version(
    lot: random.Random, article: Article, articles: Sequence[Article], shown: Sequence[Statistic], author: Author
) -> ArticleVersion:
    """The live version: texts that link to other articles and refer to figures, and figures set large."""
    blocks: list[dict[str, Any]] = [{"type": "statistic", "statistic": statistic.slug} for statistic in shown[1:]]
    for _ in range(4):
        other = lot.choice(articles)
        link = f'<a href="/articles/{other.slug}/">{_sentence(lot, 4)}</a>'
        figure = f'<data value="statistic:{shown[0].slug}"></data>'
        text = f"<p>{_sentence(lot, 60)} {link} {_sentence(lot, 20)}</p><p>{figure} {_sentence(lot, 60)}</p>"
        blocks.append({"type": "rich-text", "html": text})
    assert article.category
    assert article.published_at
    document = {
        "format": FORMAT,
        "number": article.number,
        "slug": article.slug,
        "title": article.title,
        "standfirst": article.standfirst,
        "social_text": "",
        "category": article.category.slug,
        "series": article.series.slug if article.series else None,
        "headline": article.headline.slug if article.headline else None,
        "published_at": article.published_at.isoformat(),
        "bylines": [{"author": author.slug, "credit": "Written by"}],
        "blocks": blocks,
    }
    return ArticleVersion(
        article=article,
        document=document,
        title=article.title,
        standfirst=article.standfirst,
        category=article.category,
        series=article.series,
        headline=article.headline,
        published_at=article.published_at,
    )


def _sentence(lot: random.Random, words: int) -> str:
    return " ".join(lot.choices(WORDS, k=words)).capitalize() + "."
