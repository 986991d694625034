from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.csp import CSP
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_protect

# The block editor and the text editor each add one style element. Its hash depends on their version and on the
# admin's language; the browser tests fail on any violation and print the hash that is asked for.
EDITOR_STYLES = [
    "'sha256-N1v+9oYdxeZd/nv2iKYNMLWqP5BlGZff7wM0R1mK4ws='",
    "'sha256-PlumsSlvJ7vvWzjqibGAYKq92O3y/4JTxWWsWJvyUYA='",
]

# As for readers, and besides: the admin's own scripts and styles carry a nonce, a chosen picture is shown, and so is a
# draft in a frame.
ADMIN_CSP: Mapping[str, Collection[str] | str] = {
    **settings.SECURE_CSP,
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE, *EDITOR_STYLES],
    "img-src": [CSP.SELF, "blob:"],
    "frame-src": [CSP.SELF],
}


class VeltrixAdminConfig(AdminConfig):
    default_site = "veltrix.admin_site.VeltrixAdminSite"


class VeltrixAdminSite(AdminSite):
    """The stock admin with the site's name, and with a policy of its own on every answer, sign-in included."""

    site_header = "Veltrix."
    site_title = "Veltrix."
    index_title = "The desk"
    enable_nav_sidebar = True
    site_url = "/"
    csp = ADMIN_CSP

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models with an admin whose acts are written into the audit log, whoever wrote the admin."""
        from veltrix.audited import Audited

        admin_class = admin_class or ModelAdmin
        super().register(model_or_iterable, type(admin_class.__name__, (Audited, admin_class), {}), **options)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        return csp_override(ADMIN_CSP)(super().admin_view(view, cacheable))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        # The site is made before the models are.
        from articles.admin.review import review
        from veltrix.sign_in.urls import sign_in_urls

        review_urls = [path("review/", self.admin_view(review), name="review")]
        return [*review_urls, *sign_in_urls(self), *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from .desk import desk_of

        return super().index(request, {"desk": desk_of(request.user), **(extra_context or {})})

    @method_decorator(csp_override(ADMIN_CSP))
    @method_decorator(never_cache)
    @method_decorator(csrf_protect)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from veltrix.sign_in.entering import sign_in

        return sign_in(request)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from veltrix.sign_in.leaving import end_this_session

        if request.method == "POST":
            end_this_session(request)
        return super().logout(request, extra_context)

    @method_decorator(never_cache)
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from veltrix.sign_in.leaving import change_password

        return change_password(request, lambda: super(VeltrixAdminSite, self).password_change(request, extra_context))
