from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client, RequestFactory, SimpleTestCase, TestCase

from tests.factories import make_article, make_path, make_role, make_skill, make_statistic, make_user
from tests.newsletter.lists import make_part, make_sent
from veltrix.wsgi import read_as_utf8


class HeadersTests(TestCase):
    """What every answer carries, whoever gives it."""

    @classmethod
    def setUpTestData(cls):
        article = make_article(statistics=[make_statistic()])
        role = make_role("Analyst", pay={"GB": (1, 2)}, path=make_path())
        version = article.live_version
        cls.pages = [
            "/",
            "/articles/",
            article.get_absolute_url(),
            version.category.get_absolute_url(),
            "/authors/ada-lovelace/",
            "/careers/",
            "/careers/?view=chart",
            "/careers/compare/",
            "/careers/fit/",
            role.get_absolute_url(),
            role.path.get_absolute_url(),
            "/careers/skills/",
            make_skill().get_absolute_url(),
            "/newsletter/",
            "/newsletter/archive/",
            make_sent(make_part()).get_absolute_url(),
        ]

    def test_pages_for_readers_set_no_cookie_and_have_the_strict_policy(self):
        for path in [*self.pages, "/no/such/page/"]:
            with self.subTest(path):
                response = self.client.get(path)

                self.assertEqual(response.status_code, 404 if "such" in path else 200)
                self.assertFalse(response.cookies)
                policy = response.headers["Content-Security-Policy"]
                self.assertIn("default-src 'none'", policy)
                self.assertNotIn("unsafe", policy)
                self.assertEqual(response.headers["Content-Type"], "text/html; charset=utf-8")

    def test_every_answer_has_the_safety_headers(self):
        for path in [
            *self.pages,
            "/no/such/page/",
            "/admin/login/",
            "/admin/",
            "/static/css/admin.css",
            "/?a=%00",
            "/healthz",
            "/readyz",
            "/metrics",
        ]:
            with self.subTest(path):
                headers = self.client.get(path).headers

                self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
                self.assertEqual(headers["X-Frame-Options"], "DENY")
                self.assertEqual(headers["Cross-Origin-Opener-Policy"], "same-origin")
                self.assertEqual(headers["Cross-Origin-Resource-Policy"], "same-origin")
                self.assertIn("Referrer-Policy", headers)
                self.assertIn("camera=()", headers["Permissions-Policy"])
                self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])

    def test_the_admin_has_a_policy_of_its_own_without_unsafe_words(self):
        self.client.force_login(make_user("Editor"))

        for path in ("/admin/", "/admin/articles/article/add/", "/admin/password_change/"):
            policy = self.client.get(path).headers["Content-Security-Policy"]
            self.assertIn("'nonce-", policy)
            self.assertNotIn("unsafe", policy)

    def test_reading_pages_answer_get_and_head_only(self):
        for path in [path for path in self.pages if path != "/newsletter/"]:
            with self.subTest(path):
                head = self.client.head(path)
                self.assertEqual((head.status_code, head.content), (200, b""))
                self.assertGreater(int(head.headers["Content-Length"]), 1000)
                self.assertEqual(self.client.post(path).status_code, 405)

    def test_odd_requests_are_refused_and_never_a_server_error(self):
        odd = [
            "/?a=%00",
            "/articles/%00/",
            "/articles/?page=0",
            "/articles/?page=99999999999999999999",
            "/articles/?page=%D9%A3",
            "/articles/?page=1&page=x",
            "/articles/?topic=%ED%A0%80",
            "/articles/" + "a" * 3000 + "/",
            "/careers/?min=9999999999999999&sort=&roles=,,,&market=%F0%9F%92%A5",
            "/careers/?skill=%ED%A0%80&path=%FF",
            "/careers/skills/%F0%9F%92%A5/",
            "/careers/..%2F..%2Fetc/",
            "/careers/charts/gb.svg?as_of=x&market=us",
            "/careers/charts/gb.png/",
            "/careers/compare/?roles=%ED%A0%80,a,b",
            "/media/../manage.py",
            "/media/%2e%2e/manage.py",
            "/media/x.svg",
            "/topics/none/",
            "/series/none/",
            "/authors/none/",
            "/newsletter/confirm/x/",
            "/newsletter/unsubscribe/x/",
            "/newsletter/archive/?page=-1",
            "/newsletter/%F0%9F%92%A5/",
            "/newsletter/" + "a" * 3000 + "/",
            "/healthz?a=%00",
            "/readyz?a=%ED%A0%80",
            "/metrics?a=%00",
        ]
        for path in odd:
            with self.subTest(path):
                self.assertLess(self.client.get(path).status_code, 500)

    def test_a_body_larger_than_any_form_is_refused_unread(self):
        self.assertEqual(self.client.post("/newsletter/", {"email": "x" * 70_000}).status_code, 413)
        self.assertEqual(self.client.post("/admin/login/", {"username": "x" * 70_000}).status_code, 200)

    def test_a_form_without_its_token_gets_the_sites_own_page(self):
        client = Client(enforce_csrf_checks=True)

        response = client.post("/admin/login/", {"username": "x"})

        self.assertEqual(response.status_code, 403)
        self.assertNotContains(response, "<style", status_code=403)


class CharsetTests(SimpleTestCase):
    def test_a_claimed_charset_changes_nothing(self):
        for charset in ("undefined", "idna", "hex", "unicode_escape", "utf-16", "no-such"):
            with self.subTest(charset):
                environ = RequestFactory().get("/careers/?skill=%5Cud800&x=%C3%A9").environ
                environ["CONTENT_TYPE"] = f"text/plain; charset={charset}"

                request = WSGIRequest(read_as_utf8(environ))

                self.assertEqual(request.GET.dict(), {"skill": "\\ud800", "x": "é"})

    def test_what_else_a_content_type_says_is_kept(self):
        kept = read_as_utf8({"CONTENT_TYPE": "multipart/form-data; charset=hex; boundary=xyz"})

        self.assertEqual(kept["CONTENT_TYPE"], "multipart/form-data; boundary=xyz")


class MediaTests(TestCase):
    def test_pictures_are_served_as_pictures_and_nothing_else_is_served(self):
        picture = default_storage.save("articles/a.png", ContentFile(b"\x89PNG"))
        page = default_storage.save("articles/a.html", ContentFile(b"<script>"))
        self.addCleanup(default_storage.delete, picture)
        self.addCleanup(default_storage.delete, page)

        response = self.client.get(f"/media/{picture}")

        self.assertEqual((response.status_code, response.headers["Content-Type"]), (200, "image/png"))
        self.assertEqual(response.getvalue(), b"\x89PNG")
        self.assertEqual(response.headers["Cross-Origin-Resource-Policy"], "cross-origin")
        self.assertEqual(self.client.get(f"/media/{page}").status_code, 404)
        self.assertEqual(self.client.get("/media/articles/none.png").status_code, 404)
        self.assertEqual(self.client.get("/media/articles").status_code, 404)


class AccessTests(TestCase):
    """Every admin address, with and without its trailing slash, as each kind of person."""

    def admin_paths(self):
        from django.contrib import admin

        paths = ["/admin/", "/admin/password_change/", "/admin/autocomplete/", "/admin/jsi18n/", "/admin/review/"]
        for model, model_admin in admin.site._registry.items():
            base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            paths.append(base)
            for pattern in model_admin.get_urls():
                tail = str(pattern.pattern).replace("<path:object_id>", "1").replace("<int:pk>", "1")
                if "<" not in tail:
                    paths.append(base + tail.lstrip("/"))
        return paths

    def test_strangers_and_people_without_staff_rights_are_sent_to_the_sign_in(self):
        visitors = {"stranger": None, "reader": make_user(is_staff=False)}
        for name, user in visitors.items():
            if user:
                self.client.force_login(user)
            for path in self.admin_paths():
                for address in (path, path.rstrip("/")):
                    with self.subTest(f"{name} {address}"):
                        response = self.client.get(address)

                        self.assertIn(response.status_code, {301, 302, 404})
                        if response.status_code == 302:
                            self.assertIn("/admin/login/", response.headers["Location"])

    def test_staff_without_a_group_see_no_data(self):
        self.client.force_login(make_user())
        for path in self.admin_paths():
            if path in {"/admin/", "/admin/password_change/", "/admin/jsi18n/"}:
                continue
            with self.subTest(path):
                self.assertIn(self.client.get(path).status_code, {301, 302, 403, 404, 405})

    def test_each_group_may_open_what_it_is_for_and_nothing_else(self):
        open_to = {
            "Author": {"articles/article", "articles/statistic", "careers/role"},
            "Editor": {"articles/article", "articles/statistic", "careers/role", "newsletter/subscriber"},
            "Administrator": {"articles/article", "careers/role", "newsletter/subscriber", "auth/user"},
        }
        closed_to = {
            "Author": {"newsletter/subscriber", "auth/user", "auth/group"},
            "Editor": {"auth/user", "auth/group"},
            "Administrator": set(),
        }
        for group, models in open_to.items():
            self.client.force_login(make_user(group))
            for model in models:
                with self.subTest(f"{group} opens {model}"):
                    self.assertEqual(self.client.get(f"/admin/{model}/").status_code, 200)
            for model in closed_to[group]:
                with self.subTest(f"{group} is kept out of {model}"):
                    self.assertEqual(self.client.get(f"/admin/{model}/").status_code, 403)

    def test_an_administrator_cannot_become_a_superuser_nor_touch_one(self):
        administrator = make_user("Administrator")
        root = make_user(is_superuser=True)
        self.client.force_login(administrator)
        url = f"/admin/auth/user/{administrator.pk}/change/"

        self.assertNotContains(self.client.get(url), "is_superuser")
        self.client.post(url, {"username": "me", "is_superuser": "on", "is_staff": "on", "is_active": "on"})
        administrator.refresh_from_db()
        self.assertFalse(administrator.is_superuser)
        self.assertEqual(self.client.post(f"/admin/auth/user/{root.pk}/change/", {}).status_code, 403)
        self.assertEqual(self.client.post(f"/admin/auth/user/{root.pk}/password/", {}).status_code, 403)

    def test_an_editor_does_not_suppress_addresses(self):
        self.client.force_login(make_user("Editor"))

        self.assertEqual(self.client.get("/admin/newsletter/suppression/add/").status_code, 403)

    def test_an_author_reads_figures_and_may_not_change_them(self):
        statistic = make_statistic()
        self.client.force_login(make_user("Author"))
        url = f"/admin/articles/statisticvalue/{statistic.current.pk}/change/"

        self.assertEqual(self.client.get(url).status_code, 200)
        self.assertEqual(self.client.post(url, {"display_text": "1"}).status_code, 403)
