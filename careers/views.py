from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from articles.asked import is_bare
from articles.open_data import LICENCE
from veltrix.page_cache.views import keep_out, kept

from . import structured_data
from .catalogue import Catalogue
from .comparison import LISTS, PARAMETERS, Comparison, Query, compare, order_note, summary
from .comparison.chart import charts_of
from .downloads import FILES
from .embeds import RoleEmbed
from .models import CareerPath, Requirement, Role, Skill
from .role_pages import ARTICLES_SHOWN, RolePage
from .side_by_side import Chosen, SideBySide, suggestions
from .skill_check import Asked, SkillCheck
from .skill_names import SkillNames
from .skill_pages import SkillPage, skills_by_kind


@kept(*PARAMETERS, lists=LISTS, names_others=True)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    query = Query.read(request.GET)
    comparison = compare(query)
    if query.is_roundabout:
        keep_out(request)
    context = {
        "comparison": comparison,
        "query": query,
        "charts": charts_of(comparison) if query.is_chart and comparison.has_figures else [],
        "markets": query.all_markets,
        "skills": Skill.objects.required().order_by(Lower("name")),
        "paths": CareerPath.objects.all(),
        "is_filtered": query.is_filtered,
        "summary": summary(comparison, query),
        "order_note": order_note(query),
        "files": FILES,
        "data_licence": LICENCE,
        "is_bare": is_bare(request.GET),
        "structured_data": structured_data.of_index() if is_bare(request.GET) else [],
    }
    return render(request, "careers/index.html", context)


@kept("skills", "know", "cut", "page", names_others=True)
@require_safe
def fit(request: HttpRequest) -> HttpResponse:
    names = SkillNames.load(Catalogue.load())
    asked = Asked.read(request.GET, names)
    if not asked.is_canonical:
        return HttpResponseRedirect(asked.url)
    check = SkillCheck.of(asked, names)
    if check.unknown or check.ignored:
        keep_out(request)
    return render(request, "careers/fit.html", {"check": check, "is_bare": is_bare(request.GET)})


@kept()
@require_safe
def role(request: HttpRequest, slug: str) -> HttpResponse:
    role = get_object_or_404(Role.objects.select_related("path"), slug=slug)
    page = RolePage.of(role)
    context = {
        "role": role,
        "page": page,
        "embed": RoleEmbed.of(role, page.pay),
        "structured_data": structured_data.of_role(role, page.pay, page.lists, page.codes),
    }
    return render(request, "careers/role.html", context)


@kept("roles", lists=("roles",), names_others=True)
@require_safe
def compare_roles(request: HttpRequest) -> HttpResponse:
    chosen = Chosen.read(request.GET)
    if chosen.is_roundabout:
        keep_out(request)
    catalogue = chosen.catalogue()
    context = {
        "chosen": chosen,
        "side_by_side": SideBySide.of(catalogue, chosen) if chosen.is_enough else None,
        "suggestions": suggestions(catalogue, chosen),
        "ignored": chosen.ignored,
        "is_bare": is_bare(request.GET),
    }
    return render(request, "careers/compare.html", context)


@kept()
@require_safe
def path(request: HttpRequest, slug: str) -> HttpResponse:
    path = get_object_or_404(CareerPath, slug=slug)
    lists = Requirement.by_importance(path.requirements.prefetch_related("skills"))
    context = {
        "path": path,
        "musts": lists["must"],
        "nices": lists["nice"],
        "comparison": roles_on(path),
        "articles": path.shown_in().for_index()[:ARTICLES_SHOWN],
        "structured_data": structured_data.of_path(path),
    }
    return render(request, "careers/path.html", context)


def roles_on(path: CareerPath) -> Comparison:
    """The roles of a path side by side, in the editors’ order."""
    query = Query.of_all()
    query.path = path
    return compare(query)


@kept()
@require_safe
def skill(request: HttpRequest, slug: str) -> HttpResponse:
    skill = get_object_or_404(Skill, slug=slug)
    kept = skill.kept()
    if kept is None:
        raise Http404("This skill was merged into none that is left.")
    if kept != skill:
        return redirect(kept, permanent=True)
    return render(request, "careers/skill.html", {"skill": skill, "page": SkillPage.of(skill)})


@kept()
@require_safe
def skills(request: HttpRequest) -> HttpResponse:
    return render(request, "careers/skills.html", {"kinds": skills_by_kind()})
