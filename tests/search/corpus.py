"""Articles of any number, drawn by lot from a seed, with words as common and as rare as words are (Zipf's law)."""

import random
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from django.db import transaction

from articles.documents import FORMAT
from articles.models import Article, ArticleVersion
from tests.factories import make_category

from .lexicon import EVERYWHERE, word

VOCABULARY, WORDS = 20_000, 500


@transaction.atomic
def make_articles(number: int, *, seed: int = 1, words: int = WORDS, first: int = 1) -> None:
    """Published articles, a day apart, numbered from `first` on; they are in the index once it is rebuilt."""
    lot = random.Random(seed)  # noqa: S311 - nothing is kept secret by it
    vocabulary = [word(rank) for rank in range(VOCABULARY)]
    weights = list(accumulate(1 / (rank + 1) for rank in range(VOCABULARY)))

    def text(count: int) -> str:
        return " ".join(lot.choices(vocabulary, cum_weights=weights, k=count))

    moments = [datetime(1999, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(number)]
    articles = Article.objects.bulk_create(
        (
            Article(number=n, slug=f"article-{n}", title=f"Draft {n}", published_at=m)
            for n, m in enumerate(moments, first)
        ),
        batch_size=500,
    )
    category = make_category()
    versions = ArticleVersion.objects.bulk_create(
        (
            ArticleVersion(
                article=article,
                title=text(7).capitalize(),
                category=category,
                published_at=article.published_at,
                document=_document(f"On {EVERYWHERE}. {text(words)}"),
            )
            for article in articles
        ),
        batch_size=500,
    )
    for article, version in zip(articles, versions, strict=True):
        article.live_version = version
    Article.objects.bulk_update(articles, ["live_version"], batch_size=500)


def _document(text: str) -> dict[str, object]:
    half = len(text) // 2
    blocks = [{"type": "rich-text", "html": f"<p>{part}</p>"} for part in (text[:half], text[half:])]
    return {"format": FORMAT, "standfirst": "What it is about.", "blocks": blocks}
