from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from articles import searched
from articles.asked import is_bare

from . import finding, index, results
from .asking import LONGEST, Asked

SUGGESTIONS = 8
RETRY_AFTER = "30"


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    asked = Asked.read(request.GET)
    context = {"asked": asked, "kinds": searched.kinds().values(), "longest": LONGEST, "is_bare": is_bare(request.GET)}
    try:
        with finding.answering():
            index.settle_quietly()
            context["answer"] = results.answer(asked)
    except finding.NoAnswerError:
        response = render(request, "search.html", context, status=503)
        response.headers["Retry-After"] = RETRY_AFTER
        return response
    return render(request, "search.html", context, status=400 if asked.problem else 200)


@require_safe
def finder(request: HttpRequest) -> HttpResponse:
    """A few pages whose names begin with what is typed, as options of a list for the quick finder: part of a page."""
    asked = Asked.read(request.GET)
    context = {"asked": asked, "results": [], "all_url": asked.narrowed("")}
    try:
        with finding.answering():
            index.settle_quietly()
            context["results"] = results.begun(asked.typed, SUGGESTIONS)
    except finding.NoAnswerError:
        # The last option leads to the page, which says so.
        pass
    response = render(request, "_finder.html", context)
    response.headers["X-Robots-Tag"] = "noindex"
    return response
