import re
from datetime import UTC, datetime

import time_machine
from django.test import TestCase
from django.urls import URLPattern, URLResolver, get_resolver

from tests.factories import (
    add_role_table,
    make_draft,
    make_markets,
    make_path,
    make_role,
    make_salary,
    make_source,
    make_table,
    publish_as_is,
)

SITE = "http://127.0.0.1:8000"
FRAMED = {"careers:embed_role", "careers:embed_table"}
PREVIEWS = {"articles_article_preview", "articles_article_add_preview", "newsletter_edition_mail"}


def a_line(role, market="GB"):
    """A range as of 2024, updated as of 2026, which was corrected later."""
    values = {"low": 60_000, "high": 90_000, "as_of": "2024", "published_at": datetime(2026, 1, 5, tzinfo=UTC)}
    salary = make_salary(role, make_markets()[market], **values)
    salary = salary.publish_successor(
        at=datetime(2026, 3, 5, tzinfo=UTC), low=64_000, high=99_000, as_of="2026-02", why="update"
    )
    return salary.publish_successor(
        at=datetime(2026, 6, 5, tzinfo=UTC), high=96_000, why="correction", why_note="Bonuses were counted."
    )


@time_machine.travel("2026-11-24 12:00Z", tick=False)
class EmbedTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.role = make_role("Analyst", core=["SQL"])
        a_line(cls.role)
        make_table(cls.role, make_role("Builder", pay={"US": (1000, 2000)}), slug="two", title="Two roles")

    def test_a_role_shows_its_current_pay_with_its_evidence(self):
        response = self.client.get("/careers/embed/role/analyst/")

        for text in ("£64K–£96K", "£64,000 to £96,000 a year", "No source stated", "Corrected 5 Jun 2026", "range-bar"):
            self.assertContains(response, text)
        self.assertContains(response, "Current figures")
        self.assertContains(response, f'<a href="{SITE}/careers/analyst/">Sources and checks</a>', html=True)
        self.assertContains(response, f'<link rel="canonical" href="{SITE}/careers/analyst/">')
        self.assertContains(response, '<meta name="robots" content="noindex">')
        self.assertContains(response, '<base target="_top">')
        self.assertNotContains(response, "<nav")

    def test_a_table_shows_its_roles_in_their_order_with_notes_that_stay_in_the_frame(self):
        response = self.client.get("/careers/embed/table/two/")

        self.assertRegex(response.text, "(?s)Two roles.*Analyst.*£64K–£96K.*SQL.*Builder.*\\$1K–\\$2K")
        self.assertContains(response, '<a href="#table-note-a" target="_self"')
        self.assertContains(response, f'href="{SITE}/careers/?roles=analyst,builder">Sources and checks</a>')

    def test_a_frozen_one_shows_what_was_true_on_its_day_and_says_so(self):
        for path in ("role/analyst", "table/two"):
            for as_of in ("2025", "2025-06", "2026-01-31"):
                with self.subTest(path, as_of=as_of):
                    response = self.client.get(f"/careers/embed/{path}/?as_of={as_of}")

                    self.assertContains(response, "£60K–£90K")
                    self.assertNotContains(response, "£96K")
                    self.assertContains(response, ", frozen, by what is known now")
        self.assertContains(
            self.client.get("/careers/embed/role/analyst/?as_of=2025"), "As of 31 December 2025, frozen"
        )

    def test_a_frozen_one_shows_a_correction_and_no_later_update(self):
        response = self.client.get("/careers/embed/role/analyst/?as_of=2026-02-28")
        self.assertContains(response, "£64K–£96K")
        self.assertNotContains(response, "£99K")

        self.role.salary_ranges.get(superseded_at=None).publish_successor(high=120_000, as_of="2026-11", why="update")

        for path in ("role/analyst", "table/two"):
            self.assertContains(self.client.get(f"/careers/embed/{path}/?as_of=2026-02-28"), "£64K–£96K")
            self.assertContains(self.client.get(f"/careers/embed/{path}/"), "£64K–£120K")

    def test_the_axis_of_a_frozen_one_is_frozen_too(self):
        path = "/careers/embed/role/analyst/?as_of=2025"
        before = self.client.get(path).text

        make_role("Chief", pay={"GB": (400_000, 900_000)})

        self.assertEqual(self.client.get(path).text, before)
        self.assertContains(self.client.get("/careers/embed/role/analyst/"), "£900K")

    def test_a_time_that_runs_still_is_not_called_frozen(self):
        response = self.client.get("/careers/embed/role/analyst/?as_of=2026")

        self.assertContains(response, "As of 2026 so far, frozen once it has passed")

    def test_pay_by_the_day_can_be_frozen(self):
        make_salary(self.role, make_markets()["GB"], period="day", low=400, high=None, is_open_ended=True, as_of="2025")

        self.assertContains(self.client.get("/careers/embed/role/analyst/?as_of=2025"), "£400+")

    def test_a_day_before_all_figures_has_none(self):
        self.assertContains(
            self.client.get("/careers/embed/role/analyst/?as_of=1999"), "No figure is on record for 1999."
        )
        self.assertContains(self.client.get("/careers/embed/table/two/?as_of=1999"), "No figure")

    def test_withdrawn_pay_is_shown_as_withdrawn_and_no_longer_as_true(self):
        self.role.salary_ranges.get(superseded_at=None).publish_successor(why="retraction", why_note="Made up.")

        live, frozen = (self.client.get(f"/careers/embed/role/analyst/{query}") for query in ("", "?as_of=2026-10"))

        self.assertContains(live, "Withdrawn")
        self.assertContains(live, "Made up.")
        self.assertNotContains(frozen, "£96K")

    def test_a_date_that_cannot_be_shown_is_refused_and_no_other_shown(self):
        for asked in ("2027", "2026-12", "soon", "2025-02-30", "", "%FF", "%ED%A0%80", "9" * 500, "2025&as_of=2024"):
            for path in ("role/analyst", "table/two"):
                with self.subTest(path, asked=asked):
                    response = self.client.get(f"/careers/embed/{path}/?as_of={asked}")

                    self.assertContains(response, "as_of", status_code=400)
                    self.assertNotContains(response, "£", status_code=400)

    def test_what_a_host_appends_is_left_alone(self):
        response = self.client.get("/careers/embed/role/analyst/?utm_source=x&theme=dark&as_of=2025")

        self.assertContains(response, "£60K–£90K")

    def test_what_there_is_not_is_not_found_in_a_small_page(self):
        for path in ("role/none", "table/none"):
            response = self.client.get(f"/careers/embed/{path}/")

            self.assertContains(response, "Nothing to show here", status_code=404)
            self.assertContains(response, 'class="embed"', status_code=404)

    def test_a_table_without_roles_says_so(self):
        make_table(slug="empty")

        self.assertContains(self.client.get("/careers/embed/table/empty/"), "This table has no roles.")

    def test_the_number_of_queries_does_not_grow(self):
        queries = {"role/analyst/": 4, "role/analyst/?as_of=2025": 4, "table/two/": 10, "table/two/?as_of=2025": 10}
        for path, count in queries.items():
            with self.subTest(path), self.assertNumQueries(count):
                self.client.get(f"/careers/embed/{path}")
        more = [make_role(pay={"GB": (1, 2), "US": (3, 4)}, core=["Python"]) for _ in range(30)]
        for place, role in enumerate(more):
            self.role.tables.get().rows.create(role=role, order=10 + place)
            salary = make_salary(self.role, make_markets()["US"], level=f"level {place}", source=make_source())
            for changed in (salary, role.salary_ranges.get(market__code="GB")):
                changed.publish_successor(low=1, high=5, as_of="2025", why="update")
        for path, count in queries.items():
            with self.subTest(path), self.assertNumQueries(count):
                self.client.get(f"/careers/embed/{path}")

    def test_an_article_offers_the_frame_of_its_table(self):
        article = make_draft()
        add_role_table(article, self.role.tables.get(), caption="Pay & skills")
        publish_as_is(article)

        response = self.client.get(article.get_absolute_url())

        self.assertContains(response, f"&lt;iframe src=&quot;{SITE}/careers/embed/table/two/&quot;")
        self.assertContains(response, "title=&quot;Pay &amp;amp; skills&quot;")

    def test_the_page_of_a_role_offers_its_frame_live_and_frozen(self):
        response = self.client.get("/careers/analyst/")

        self.assertContains(response, f"&lt;iframe src=&quot;{SITE}/careers/embed/role/analyst/&quot;")
        self.assertContains(response, f'href="{SITE}/careers/embed/role/analyst/?as_of=2026-11-24"')


class PolicyTests(TestCase):
    """Embeds may be framed by anybody, everything else by nobody."""

    @classmethod
    def setUpTestData(cls):
        make_table(make_role("x", pay={"GB": (1, 2)}, path=make_path(slug="x")), slug="x")

    def test_embeds_and_their_refusals_may_be_framed_and_set_no_cookie(self):
        for path, status in {
            "role/x/": 200,
            "table/x/": 200,
            "role/none/": 404,
            "table/none/": 404,
            "role/x/?as_of=soon": 400,
            "table/x/?as_of=soon": 400,
        }.items():
            with self.subTest(path):
                response = self.client.get(f"/careers/embed/{path}")

                self.assertEqual(response.status_code, status)
                self.assertNotIn("X-Frame-Options", response.headers)
                self.assertEqual(response.headers["Cross-Origin-Resource-Policy"], "cross-origin")
                policy = response.headers["Content-Security-Policy"]
                self.assertIn("frame-ancestors *", policy)
                for strict in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'"):
                    self.assertIn(strict, policy)
                self.assertFalse(response.cookies)
                self.assertNotIn("Set-Cookie", response.headers)
        self.assertEqual(self.client.post("/careers/embed/role/x/").status_code, 405)

    def test_no_other_address_of_the_site_may_be_framed(self):
        seen = set()
        for name, path in self.addresses():
            seen.add(name)
            if name in FRAMED:
                continue
            with self.subTest(name, path=path):
                headers = self.client.get(path).headers

                self.assertEqual(headers["X-Frame-Options"], "DENY")
                # The preview stands beside its form; without having signed in, nobody sees it.
                ancestors = "'self'" if name in PREVIEWS else "'none'"
                self.assertIn(f"frame-ancestors {ancestors}", headers["Content-Security-Policy"])
                self.assertEqual(headers["Cross-Origin-Resource-Policy"], "same-origin")
        self.assertLessEqual(
            {*FRAMED, "careers:role", "careers:oembed", "articles:detail", "admin:index", "home"}, seen
        )
        self.assertGreater(len(seen), 60)

    def addresses(self):
        """Every named address, with “x” or 1 in the place of what varies, and one that is none."""
        yield "none", "/careers/embed/none/"
        yield from self.below(get_resolver().url_patterns, "/", "")

    def below(self, patterns, start, prefix):
        for pattern in patterns:
            path = start + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from self.below(pattern.url_patterns, path, f"{pattern.namespace or ''}:".lstrip(":"))
            elif isinstance(pattern, URLPattern) and "(?" not in path:
                yield f"{prefix}{pattern.name}", re.sub("<(int)?[^>]*>", lambda m: "1" if m[1] else "x", path)
