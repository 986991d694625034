from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.core.paginator import EmptyPage, Paginator
from django.core.paginator import Page as ListPage
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from veltrix.page_cache.views import keep_out, kept
from veltrix.prepared import Prepared
from veltrix.private_pages import private

from . import markdown_files, shares, structured_data
from .asked import is_bare, page_number
from .cards import Card
from .citations import Citation
from .clocks import Clocks
from .documents import document_of
from .figure_pages import articles_showing, changes_of, corrections, count_figures, figures_of, line_of
from .history import points_of
from .models import Article, Author, Category, Series, Source, Statistic
from .models.article import ArticleQuerySet
from .onward import previous_and_next, related
from .pages import Page
from .step_chart import StepChart

ARTICLES_A_PAGE = 20
SOURCES_A_PAGE = 100
# RFC 7763.
MARKDOWN = "text/markdown; charset=utf-8"


def page_asked_for(request: HttpRequest) -> int:
    """The page of a list that `?page=` asks for; 404 where that is no number of a page."""
    number = page_number(request.GET.get("page", "1"))
    if number is None:
        raise Http404("There is no such page.")
    return number


_PUBLISHED = Prepared(
    lambda now, slug: Article.objects.published(now).filter(slug=slug).select_related("live_version"),
    now=datetime,
    slug=str,
)


def published_article(slug: str) -> Article | None:
    """The article that readers see at an address, with its live version."""
    return next(iter(_PUBLISHED.objects(now=timezone.now(), slug=slug)), None)


class Cards(Paginator):
    """A list of articles. A late page finds its keys in an index, and loads cards for those alone."""

    def _get_page(self, articles: Any, number: Any, paginator: Any) -> ListPage:
        return ListPage(Article.objects.filter(pk__in=articles.values("pk")).for_index(), number, paginator)


def listed(request: HttpRequest, articles: ArticleQuerySet, count: int | None = None) -> ListPage:
    """The page of a list of articles, of which the number may be known; 404 where there is no such page."""
    cards = Cards(articles.newest_first(), ARTICLES_A_PAGE)
    if count is not None:
        cards.count = count
    return page_of(cards, request)


def page_of(paginator: Paginator, request: HttpRequest) -> ListPage:
    """The page of a list; 404 where there is no such page."""
    try:
        number = paginator.validate_number(page_asked_for(request))
    except EmptyPage as error:
        raise Http404("There is no such page.") from error
    # Not cut off at the count, which is of a moment before: what has been published since would push the last row out.
    start = (number - 1) * paginator.per_page
    rows = paginator.object_list[start : start + paginator.per_page]
    return cast("ListPage", paginator._get_page(rows, number, paginator))  # type: ignore[attr-defined]


@kept("topic", "page", names_others=True)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    chosen = request.GET.get("topic", "")
    topic = Category.objects.filter(slug=chosen).select_related("parent").first() if chosen else None
    published, topics = Article.objects.published(), Category.objects.with_articles()
    articles = published.under(topic) if topic else published
    # Every article belongs to one topic; those of a topic above count in those of the ones below.
    within = [each for each in topics if each == topic or (topic is None and each.parent_id is None)]
    ignored = [f"topic={chosen}"] if chosen and not topic else []
    ignored += [f"{name}={request.GET[name]}" for name in request.GET if name not in {"topic", "page"}]
    if ignored:
        keep_out(request)
    context = {
        "articles": listed(request, articles, sum(each.article_count for each in within)),
        "topics": topics,
        "topic": topic,
        "ignored": ignored,
    }
    return render(request, "articles/index.html", context)


@kept()
@require_safe
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    article = published_article(slug)
    if article is None:
        gone = get_object_or_404(Article.objects.withdrawn(), slug=slug)
        return render(request, "articles/withdrawn.html", {"article": gone}, status=410)
    previous, next_ = previous_and_next(article)
    page = Page.live(article)
    card = Card.live(article, page.highest_number)
    context = {
        "article": article,
        "card": card,
        "card_url": card.address(article.slug),
        "page": page,
        "previous": previous,
        "next": next_,
        "related": related(article),
        "is_draft": False,
        "structured_data": structured_data.of_article(article, page, card),
    }
    return render(request, "articles/detail.html", context)


@kept()
@require_safe
def as_markdown(request: HttpRequest, slug: str) -> HttpResponse:
    """A published article as a file, for whoever reads with programs."""
    article = published_article(slug)
    if article is None:
        get_object_or_404(Article.objects.withdrawn(), slug=slug)
        return HttpResponse("This article was withdrawn.\n", status=410, content_type=MARKDOWN)
    response = HttpResponse(markdown_files.of_article(article, Page.live(article)), content_type=MARKDOWN)
    response.headers["Link"] = f'<{settings.SITE_URL}{article.get_absolute_url()}>; rel="canonical"'
    return response


@require_safe
def card(request: HttpRequest, slug: str) -> HttpResponse:
    """The social card of a published article; the address that its page gives may be kept for good."""
    article = get_object_or_404(Article.objects.published().select_related("live_version"), slug=slug)
    card = Card.live(article, Article.objects.published().highest_number())
    etag = quote_etag(card.digest)
    response = get_conditional_response(request, etag) or HttpResponse(card.png(), content_type="image/png")
    is_that = request.GET.get("v") == card.digest
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_that else "public, no-cache"
    response.headers["ETag"] = etag
    # Other sites show it beside a link to the article.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@require_safe
@private
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """The saved draft of an article, for whoever has a link to it that has not ended."""
    link = shares.shared(token)
    if link is None:
        return render(request, "articles/link_ended.html", status=404)
    page = Page.of(document_of(link.article), published_at=link.article.published_at)
    context = {"article": link.article, "page": page, "is_draft": True, "shared_until": link.expires_at}
    return render(request, "articles/detail.html", context)


@kept("page")
@require_safe
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    category = get_object_or_404(Category.objects.select_related("parent"), slug=slug)
    context = {
        "category": category,
        "articles": listed(request, Article.objects.published().under(category)),
        "structured_data": structured_data.of_topic(category),
    }
    return render(request, "articles/topic.html", context)


@kept("page")
@require_safe
def series(request: HttpRequest, slug: str) -> HttpResponse:
    series = get_object_or_404(Series, slug=slug)
    articles = Article.objects.published().filter(live_version__series=series)
    return render(request, "articles/series.html", {"series": series, "articles": listed(request, articles)})


@kept("page")
@require_safe
def author(request: HttpRequest, slug: str) -> HttpResponse:
    author = get_object_or_404(Author, slug=slug)
    articles = Article.objects.published().filter(authorreference__target=author, authorreference__is_live=True)
    context = {
        "author": author,
        "articles": listed(request, articles),
        "structured_data": structured_data.of_author(author, articles),
    }
    return render(request, "articles/author.html", context)


@kept("as_of", names_others=True)
@require_safe
def statistic(request: HttpRequest, slug: str) -> HttpResponse:
    statistic = get_object_or_404(Statistic, slug=slug)
    line, clocks = line_of(statistic), Clocks.read(request.GET)
    if not line:
        raise Http404("This statistic has no published figure.")
    if clocks.wrong:
        keep_out(request)
    current = line[-1]
    points = points_of(line)
    context = {
        "statistic": statistic,
        "clocks": clocks,
        "current": current,
        "first": line[0],
        "value": clocks.answer(line) if clocks.is_set else current,
        "changes": changes_of(line),
        "chart": StepChart.of(points, timezone.localdate()),
        "articles": articles_showing(statistic),
        "citation": Citation.of_figure(current, statistic.slug),
        "ignored": clocks.ignored,
        "is_bare": is_bare(request.GET),
        "structured_data": structured_data.of_figure(current) if is_bare(request.GET) else [],
    }
    return render(request, "articles/statistic.html", context)


@kept("page")
@require_safe
def sources(request: HttpRequest) -> HttpResponse:
    page = page_of(Paginator(Source.objects.order_by("producer", "title", "-published", "pk"), SOURCES_A_PAGE), request)
    counts = count_figures(page.object_list)
    entries = [(source, counts[source.pk]) for source in page.object_list]
    return render(request, "articles/sources.html", {"page": page, "entries": entries})


@kept()
@require_safe
def source(request: HttpRequest, slug: str) -> HttpResponse:
    source = get_object_or_404(Source.objects.select_related("newer_edition"), slug=slug)
    context = {
        "source": source,
        "figures": figures_of(source),
        "older_editions": source.older_editions.all(),
        "citation": Citation.of_source(source),
        "structured_data": structured_data.of_source(source),
    }
    return render(request, "articles/source.html", context)


@kept("page")
@require_safe
def corrections_index(request: HttpRequest) -> HttpResponse:
    try:
        page = corrections(page_asked_for(request))
    except EmptyPage as error:
        raise Http404("There is no such page.") from error
    return render(request, "articles/corrections.html", {"page": page})
