import json
import re
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.test import TestCase
from django.utils.html import strip_tags

from articles import bare_figures
from articles.documents import document_of
from articles.models import Article, RichText, Source, Statistic, StatisticValue
from articles.models.blocks import block_types
from careers.merging import merge
from careers.models import CareerPath, Requirement, Role, RoleCode, SalaryRange, Skill
from tests.factories import make_user

ARTICLES = Path(__file__).resolve().parent.parent / "veltrix" / "launch" / "articles"


def load():
    call_command("load_launch_content", stdout=StringIO())


class LaunchContentTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        load()

    def test_the_eight_roles_have_their_ranges(self):
        ranges = {
            role.name: [str(salary) for salary in role.salary_ranges.order_by("market__order")]
            for role in Role.objects.all()
        }

        self.assertEqual(
            ranges,
            {
                "ML Engineer": ["£65K–£120K", "$140K–$250K+"],
                "Data Scientist": ["£50K–£95K", "$110K–$180K"],
                "AI Product Manager": ["£60K–£110K", "$130K–$220K"],
                "AI Engineer (LLM)": ["£55K–£105K", "$130K–$220K"],
                "Prompt Engineer": ["£45K–£85K", "$100K–$160K"],
                "AI Ethics / Policy": ["£50K–£90K", "$100K–$170K"],
                "MLOps Engineer": ["£60K–£105K", "$130K–$200K"],
                "AI Research Scientist": ["£80K–£150K+", "$180K–$350K+"],
            },
        )

    def test_every_range_says_that_its_evidence_is_missing(self):
        evidence = SalaryRange.objects.values_list("source", "kind", "as_of", "check_status").distinct()

        self.assertEqual(list(evidence.order_by()), [(None, "unstated", "2026-04", "unchecked")])

    def test_the_three_statistics_carry_their_sources_and_check_states(self):
        values = StatisticValue.objects.current().order_by("statistic__slug")

        self.assertEqual(
            [(v.statistic.slug, int(v.value), v.source.slug, v.check_status, str(v.checked_on)) for v in values],
            [
                ("ml-engineer-median-us", 185_000, "levels-fyi", "not-found", "2026-11-23"),
                ("new-ai-roles-projected", 97_000_000, "wef-future-of-jobs-2023", "disputed", "2026-11-23"),
                ("postings-per-candidate", 3, "linkedin-jobs-report", "not-found", "2026-11-23"),
            ],
        )
        self.assertTrue(all(value.check_note for value in values))

    def test_what_was_said_before_the_check_is_on_record(self):
        page = self.client.get("/statistics/new-ai-roles-projected/?published_on=2026-06")

        self.assertEqual(page.context["value"].check_status, "unchecked")
        self.assertNotContains(
            self.client.get("/statistics/new-ai-roles-projected/?published_on=2026-03"), "97M</span>"
        )

    def test_editions_lead_to_newer_ones(self):
        oldest = Source.objects.get(slug="wef-future-of-jobs-2020")

        self.assertEqual(oldest.newer_edition.newer_edition.projection_horizon, 2030)

    def test_lists_are_whole_and_share_their_skills(self):
        self.assertEqual(CareerPath.objects.count(), 4)
        for path in CareerPath.objects.all():
            lines = Requirement.by_importance(path.requirements.all())
            self.assertEqual((len(lines["must"]), len(lines["nice"])), (4, 2))
        self.assertFalse(Requirement.objects.filter(skills=None).exists())
        python = Skill.objects.get(slug="python")
        self.assertGreater(python.requirements.filter(importance="core").count(), 3)
        self.assertGreater(python.requirements.filter(importance="must").count(), 0)

    def test_exactly_the_codes_that_were_looked_up_ship(self):
        codes = RoleCode.objects.order_by("role__slug", "scheme", "code")

        self.assertEqual(
            [(code.role.slug, str(code), code.label, code.match, code.checked_in) for code in codes],
            [
                (
                    "ai-ethics-policy",
                    "ESCO caf7b8fb-b2d6-46b7-bffa-bea7f8e4aed8",
                    "policy officer",
                    "broad",
                    "ESCO v1.0 occupations CSV",
                ),
                (
                    "ai-product-manager",
                    "ESCO a79170ad-0b7b-4697-864f-1748359aa10a",
                    "ICT product manager",
                    "broad",
                    "ESCO v1.0 occupations CSV",
                ),
                (
                    "ai-research-scientist",
                    "ESCO e3229e40-f571-4b26-baca-29edc8fe313e",
                    "computer scientist",
                    "broad",
                    "ESCO v1.0 occupations CSV",
                ),
                (
                    "data-scientist",
                    "ESCO 258e46f9-0075-4a2e-adae-1ff0477e0f30",
                    "data scientist",
                    "exact",
                    "ESCO v1.0 occupations CSV",
                ),
                ("data-scientist", "O*NET-SOC 15-2051.00", "Data Scientists", "exact", "O*NET OnLine"),
                (
                    "data-scientist",
                    "UK SOC 2020 2433/04",
                    "Statistical data scientists",
                    "close",
                    "IfATE occupational map OCC0585",
                ),
                (
                    "ml-engineer",
                    "ESCO 35553663-deab-4d9a-bf22-15c1625d28e8",
                    "ICT intelligent systems designer",
                    "close",
                    "ESCO v1.0 occupations CSV",
                ),
            ],
        )
        self.assertEqual({str(code.checked_on) for code in codes}, {"2026-11-23"})

    def test_four_articles_are_live_and_use_different_blocks(self):
        articles = Article.objects.published().order_by("number")
        used = [{block["type"] for block in article.live_version.document["blocks"]} for article in articles]

        self.assertEqual([article.number for article in articles], [59, 60, 61, 62])
        self.assertTrue(all(article.live_version.published_at == article.published_at for article in articles))
        self.assertEqual(set.union(*used), set(block_types()) - {"image"})
        self.assertGreater(len({frozenset(types) for types in used}), 2)

    def test_the_launch_article_has_its_parts_in_order(self):
        document = Article.objects.get(number=60).live_version.document

        self.assertEqual(
            [block["type"] for block in document["blocks"]],
            [
                "rich-text",
                *["statistic"] * 3,
                "role-table",
                *["skill-list"] * 4,
                "call-out",
                *["faq-item"] * 2,
                "newsletter-sign-up",
            ],
        )
        self.assertEqual(document["bylines"][0]["credit"], "Written by")
        self.assertIn("<h2>Skills for an AI Career</h2>", document["blocks"][0]["html"])

    def test_the_further_articles_have_500_to_900_words(self):
        for file in ARTICLES.glob("*.json"):
            document = json.loads(file.read_text("utf-8"))
            text = " ".join(
                f"{block.get('html', '')} {block.get('question', '')} {block.get('text', '')}"
                for block in document["blocks"]
            )
            words = len(strip_tags(text.replace("<", " <")).split())
            with self.subTest(f"{file.name}: {words} words"):
                self.assertTrue(500 <= words <= 900)

    def test_no_figure_is_typed_into_prose(self):
        figure = re.compile(r"[£$€]\s?\d|\d[\d,.]*\s?(?:K|M|bn|%|million|thousand|per cent)\b", re.IGNORECASE)
        for file in ARTICLES.glob("*.json"):
            for block in json.loads(file.read_text("utf-8"))["blocks"]:
                with self.subTest(f"{file.name} {block['type']}"):
                    self.assertIsNone(figure.search(strip_tags(block.get("html", ""))))

    def test_every_internal_link_leads_somewhere(self):
        for article in Article.objects.published():
            for block in article.live_version.document["blocks"]:
                for href in re.findall(r'href="(/[^"#]*)"', block.get("html", "")):
                    with self.subTest(f"{article}: {href}"):
                        self.assertEqual(self.client.get(href).status_code, 200)

    def test_no_article_holds_a_bare_figure(self):
        for article in Article.objects.all():
            with self.subTest(str(article)):
                self.assertEqual(bare_figures.in_document(document_of(article)), [])

    def test_loading_again_changes_nothing(self):
        before = [document_of(article) for article in Article.objects.all()]
        counts = {model: model.objects.count() for model in (Role, Skill, Requirement, SalaryRange, StatisticValue)}

        load()

        self.assertEqual([document_of(article) for article in Article.objects.all()], before)
        self.assertEqual({model: model.objects.count() for model in counts}, counts)

    def test_loading_again_does_not_stumble_over_a_changed_address(self):
        Role.objects.filter(slug="ml-engineer").update(slug="machine-learning-engineer")
        Skill.objects.filter(slug="sql").update(slug="structured-query-language", name="sql")

        load()

        self.assertEqual(Role.objects.count(), 8)

    def test_a_list_that_is_loaded_again_asks_for_what_skills_were_merged_into(self):
        torch = Skill.objects.get(slug="pytorch")
        merge(Skill.objects.filter(slug="tensorflow"), torch, make_user("Editor"))
        Requirement.objects.filter(path__slug="ml-engineering-data-science").delete()

        load()

        line = Requirement.objects.get(label="Deep learning framework")
        self.assertEqual(list(line.skills.all()), [torch])

    def test_loading_again_leaves_what_an_editor_changed(self):
        Article.objects.filter(number=60).update(title="Ours now")
        RichText.objects.filter(parent__number=60).delete()
        Role.objects.filter(slug="ml-engineer").update(name="Machine-learning engineer")
        Requirement.objects.filter(role__slug="ml-engineer").delete()
        Statistic.objects.get(slug="postings-per-candidate").current.publish_successor(display_text="2×", why="update")
        salary = SalaryRange.objects.get(role__slug="ml-engineer", market__code="GB")
        salary.publish_successor(high=125_000, why="update")

        load()

        article = Article.objects.get(number=60)
        self.assertEqual(article.title, "Ours now")
        self.assertFalse(article.articles_richtext_set.exists())
        self.assertFalse(Requirement.objects.filter(role__slug="ml-engineer").exists())
        self.assertEqual(Statistic.objects.get(slug="postings-per-candidate").current.display_text, "2×")
        self.assertEqual(str(SalaryRange.objects.current().get(pk=salary.successor.pk)), "£65K–£125K")
