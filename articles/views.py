from django.core.paginator import Page as ListPage
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from .models import Article, Author, Category, Series
from .models.article import ArticleQuerySet
from .pages import Page, previous_and_next, related

ARTICLES_A_PAGE = 20


def listed(request: HttpRequest, articles: ArticleQuerySet) -> ListPage:
    """The page of a list that `?page=` asks for; 404 where there is no such page."""
    paginator = Paginator(articles.for_index(), ARTICLES_A_PAGE)
    number = request.GET.get("page", "1")
    if not (number.isascii() and number.isdigit() and len(number) < 8) or int(number) not in paginator.page_range:
        raise Http404("There is no such page.")
    return paginator.page(int(number))


def under(category: Category) -> ArticleQuerySet:
    """Published articles of a topic and of the topics below it."""
    return Article.objects.published().filter(
        Q(live_version__category=category) | Q(live_version__category__parent=category)
    )


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    chosen = request.GET.get("topic", "")
    topic = Category.objects.filter(slug=chosen).select_related("parent").first() if chosen else None
    articles = under(topic) if topic else Article.objects.published()
    ignored = [f"topic={chosen}"] if chosen and not topic else []
    ignored += [f"{name}={request.GET[name]}" for name in request.GET if name not in {"topic", "page"}]
    context = {
        "articles": listed(request, articles),
        "topics": Category.objects.with_articles(),
        "topic": topic,
        "ignored": ignored,
    }
    return render(request, "articles/index.html", context)


@require_safe
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article.objects.published().select_related("live_version"), slug=slug)
    previous, next_ = previous_and_next(article)
    context = {
        "article": article,
        "page": Page.live(article),
        "previous": previous,
        "next": next_,
        "related": related(article),
        "is_draft": False,
    }
    return render(request, "articles/detail.html", context)


@require_safe
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    category = get_object_or_404(Category.objects.select_related("parent"), slug=slug)
    return render(request, "articles/topic.html", {"category": category, "articles": listed(request, under(category))})


@require_safe
def series(request: HttpRequest, slug: str) -> HttpResponse:
    series = get_object_or_404(Series, slug=slug)
    articles = Article.objects.published().filter(live_version__series=series)
    return render(request, "articles/series.html", {"series": series, "articles": listed(request, articles)})


@require_safe
def author(request: HttpRequest, slug: str) -> HttpResponse:
    author = get_object_or_404(Author, slug=slug)
    articles = Article.objects.published().filter(authorreference__target=author)
    return render(request, "articles/author.html", {"author": author, "articles": listed(request, articles)})
