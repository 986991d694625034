from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import TestCase

from careers.models import CareerPath, Market, Requirement, Role, RoleCode, RoleRelation, SalaryRange, Skill, SkillAlias
from tests.factories import make_markets, make_path, make_role, make_salary, make_skill, make_table


class SalaryRangeTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.markets = make_markets()
        cls.role = make_role("ML Engineer")

    def unsaved(self, **values):
        return SalaryRange(
            **{"role": self.role, "market": self.markets["GB"], "low": 65_000, "high": 120_000, **values}
        )

    def test_it_reads_as_the_market_writes_it(self):
        texts = [
            str(self.unsaved()),
            str(self.unsaved(market=self.markets["US"], low=140_000, high=250_000, is_open_ended=True)),
            str(self.unsaved(low=65_500, high=None, is_open_ended=True)),
            str(self.unsaved(low=70_000, high=70_000)),
            str(self.unsaved(market=Market(code="CH", name="Switzerland", currency="CHF"))),
        ]

        self.assertEqual(texts, ["£65K–£120K", "$140K–$250K+", "£65,500+", "£70K", "CHF\u00a065K–CHF\u00a0120K"])

    def test_the_long_text_is_for_reading_aloud(self):
        salary = self.unsaved(is_open_ended=True)

        self.assertEqual(salary.text_long, "£65,000 to £120,000 or more a year")

    def test_the_currency_is_the_markets(self):
        salary = make_salary(self.role, self.markets["US"])

        self.assertEqual(salary.currency, "USD")

    def test_each_rule_has_a_message_and_holds_in_the_database(self):
        rules = [
            ({"low": 2, "high": 1}, "The lower figure cannot exceed the upper one."),
            ({"high": None}, "tick “open-ended”"),
            ({"median": 1}, "The median lies outside the range."),
            ({"sample_size": 0}, "A sample has at least one salary"),
            ({"as_of": "soon"}, "Write a year, a month or a day"),
            ({"kind": "guess"}, "is not a valid choice"),
            ({"period": "week"}, "is not a valid choice"),
        ]

        for values, message in rules:
            with self.subTest(values):
                with self.assertRaisesMessage(ValidationError, message):
                    self.unsaved(**values).full_clean()
                with self.assertRaises(IntegrityError), transaction.atomic():
                    self.unsaved(**values).save()

    def test_one_current_range_of_a_kind(self):
        first = make_salary(self.role, self.markets["GB"])
        second = self.unsaved(published_at=first.published_at)

        with self.assertRaisesMessage(ValidationError, "There is a current range of this kind already"):
            second.full_clean()
        with self.assertRaises(IntegrityError), transaction.atomic():
            second.save()
        make_salary(self.role, self.markets["GB"], kind="base")

    def test_a_figure_in_the_wrong_unit_is_noticed(self):
        with self.assertRaisesMessage(ValidationError, "more than a hundred million"):
            self.unsaved(high=1_200_000_000).full_clean()


class RuleTests(TestCase):
    """Each rule twice: the sentence that an editor reads, and the refusal of the database."""

    def assert_refused(self, row, message):
        with self.assertRaisesMessage(ValidationError, message):
            row.full_clean()
        with self.assertRaises(IntegrityError), transaction.atomic():
            row.save()

    def test_a_market_has_iso_codes(self):
        self.assert_refused(Market(code="uk", name="UK", currency="GBP"), "ISO 3166-1")
        self.assert_refused(Market(code="GB", name="UK", currency="£"), "ISO 4217")

    def test_a_skill_name_is_unique_whatever_its_case(self):
        make_skill("Python")

        self.assert_refused(
            Skill(slug="p", name="PYTHON", kind="programming"), "There is a skill of this name already."
        )

    def test_an_alias_is_unique_whatever_its_case(self):
        make_skill("scikit-learn").aliases.create(alias="sklearn")

        self.assert_refused(SkillAlias(skill=make_skill(), alias="SKLearn"), "This alias belongs to a skill already.")

    def test_a_skill_is_not_its_own_broader_skill(self):
        skill = make_skill()
        skill.broader = skill

        self.assert_refused(skill, "A skill cannot be broader than itself.")

    def test_no_skill_implies_itself_however_far_round(self):
        top = make_skill("Top")
        middle = make_skill("Middle", broader=top)
        bottom = make_skill("Bottom", broader=middle)
        middle.full_clean()

        for broader in (middle, bottom):
            top.broader = broader
            with (
                self.subTest(str(broader)),
                self.assertRaisesMessage(ValidationError, f"“{broader}” implies this skill"),
            ):
                top.full_clean()

    def test_one_name_means_one_skill(self):
        learn, torch = make_skill("scikit-learn"), make_skill("PyTorch")
        learn.aliases.create(alias="sklearn")

        with self.assertRaisesMessage(ValidationError, "“sklearn” is another name of the skill “scikit-learn”."):
            Skill(slug="x", name="SKLearn", kind="data").full_clean()
        with self.assertRaisesMessage(ValidationError, "“PyTorch” is a skill of its own."):
            SkillAlias(skill=learn, alias="pytorch").full_clean()
        Skill(slug="sklearn", name="Sklearn 2", kind="data").full_clean()
        SkillAlias(skill=learn, alias="torch").full_clean()
        learn.full_clean()
        Skill.objects.filter(pk=torch.pk).update(merged_into=learn)
        SkillAlias(skill=learn, alias="PyTorch").full_clean()

    def test_a_requirement_belongs_to_a_role_or_to_a_path(self):
        role, path = make_role(), make_path()
        message = "A requirement belongs to a role or to a path, not to both."

        self.assert_refused(Requirement(importance="must", label="SQL"), message)
        self.assert_refused(Requirement(role=role, path=path, importance="must", label="SQL"), message)

    def test_a_line_is_named_once_in_a_list(self):
        role, path = make_role(), make_path()
        Requirement.objects.create(role=role, importance="must", label="SQL")
        Requirement.objects.create(path=path, importance="must", label="SQL")
        message = "This list has a line of this name already."

        self.assert_refused(Requirement(role=role, importance="must", label="SQL"), message)
        self.assert_refused(Requirement(path=path, importance="must", label="SQL"), message)
        Requirement.objects.create(role=role, importance="nice", label="SQL")

    def test_a_role_is_not_related_to_itself_nor_twice_to_another(self):
        role, other = make_role(), make_role()
        RoleRelation.objects.create(role=role, related=other)

        self.assert_refused(RoleRelation(role=role, related=role), "A role cannot be related to itself.")
        self.assert_refused(RoleRelation(role=role, related=other), "This role is named already.")

    def test_a_code_is_given_once(self):
        code = {
            "scheme": "ESCO",
            "code": "1",
            "label": "x",
            "match": "exact",
            "checked_in": "y",
            "checked_on": "2026-11-23",
        }
        role = make_role()
        RoleCode.objects.create(role=role, **code)

        self.assert_refused(RoleCode(role=role, **code), "This role has this code already.")

    def test_a_table_shows_a_role_once(self):
        role = make_role()
        table = make_table(role)

        self.assert_refused(table.rows.model(table=table, role=role), "This role is in the table already.")

    def test_a_role_keeps_off_the_addresses_of_other_pages(self):
        self.assert_refused(Role(slug="fit", name="Fit"), "This address is taken by a page of the site.")

    def test_a_path_with_roles_cannot_be_deleted(self):
        path = make_path()
        make_role(path=path)

        with self.assertRaises(IntegrityError):
            CareerPath.objects.filter(pk=path.pk).delete()


class RoleTests(TestCase):
    def test_a_role_without_lists_of_its_own_has_its_paths(self):
        path = make_path()
        Requirement.objects.create(path=path, importance="must", label="SQL")
        role = make_role(path=path, core=["Python"])

        lists = role.lists()

        self.assertEqual([line.label for line in lists["core"]], ["Python"])
        self.assertEqual([line.label for line in lists["must"]], ["SQL"])

    def test_lists_of_its_own_replace_the_paths(self):
        path = make_path()
        Requirement.objects.create(path=path, importance="must", label="SQL")
        role = make_role(path=path)
        Requirement.objects.create(role=role, importance="nice", label="Statistics")

        lists = role.lists()

        self.assertEqual((lists["must"], [line.label for line in lists["nice"]]), ([], ["Statistics"]))
