from collections.abc import Iterable, Mapping
from typing import Self, cast

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.urls import reverse

from .roles import CareerPath, Role

# A merged skill is kept for its address alone.
UNMERGED = {"merged_into": None}


class SkillQuerySet(models.QuerySet["Skill"]):
    def unmerged(self) -> Self:
        return self.filter(**UNMERGED)

    def with_all_it_has(self) -> Self:
        """Fetch the lines that ask for each, whose they are, other names and narrower skills: three further queries."""
        lines = Requirement.objects.select_related("role", "path")
        return self.select_related("broader").prefetch_related(
            models.Prefetch("requirements", queryset=lines), "aliases", "narrower"
        )

    def required(self) -> Self:
        """Skills that some role or path requires, or that such a skill implies."""
        required = [Requirement.Importance.CORE, Requirement.Importance.MUST]
        asked = self.filter(requirements__importance__in=required, merged_into=None)
        broader = asked.exclude(broader=None).values("broader")
        return self.filter(Q(pk__in=asked.values("pk")) | Q(pk__in=broader), merged_into=None)


def chain_above(skill: int, broader: Mapping[int, int | None]) -> list[int]:
    """Keys of all that a skill implies, the nearest first; `broader` gives the key of what a key implies."""
    chain = [skill]
    while (above := broader.get(chain[-1])) and above not in chain:
        chain.append(above)
    return chain[1:]


class Skill(models.Model):
    """One skill under its usual name. Whoever has it counts as having its broader skill too, never the reverse."""

    class Kind(models.TextChoices):
        PROGRAMMING = "programming", "Programming"
        DATA = "data", "Data and statistics"
        MACHINE_LEARNING = "machine-learning", "Machine learning"
        LLM = "llm", "Language models"
        CLOUD = "cloud", "Cloud"
        OPERATIONS = "operations", "Operations"
        PRODUCT = "product", "Product"
        POLICY = "policy", "Policy and law"
        RESEARCH = "research", "Research"
        COMMUNICATION = "communication", "Communication"
        DOMAIN = "domain", "Knowledge of a field"

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=Kind)
    broader = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="narrower",
        limit_choices_to=UNMERGED,
        help_text="The skill that this one implies.",
    )
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged", editable=False
    )

    objects = SkillQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="skill_name_is_unique",
                # The one that stays may take over the name of one that was merged into it.
                condition=Q(merged_into=None),
                violation_error_message="There is a skill of this name already.",
            ),
            models.CheckConstraint(
                name="skill_is_not_broader_than_itself",
                condition=Q(broader=None) | ~Q(broader=F("id")),
                violation_error_message="A skill cannot be broader than itself.",
            ),
            models.CheckConstraint(
                name="skill_is_not_merged_into_itself",
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")),
            ),
            models.CheckConstraint(
                name="skill_kind_is_known",
                condition=Q(
                    kind__in=[
                        "programming",
                        "data",
                        "machine-learning",
                        "llm",
                        "cloud",
                        "operations",
                        "product",
                        "policy",
                        "research",
                        "communication",
                        "domain",
                    ]
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("careers:skill", args=[self.slug])

    def clean(self) -> None:
        errors = {}
        if self.broader_id and self.broader_id != self.pk and self.broader_id in self.with_narrower():
            errors["broader"] = f"“{self.broader}” implies this skill already: two skills cannot imply each other."
        namesake = SkillAlias.objects.filter(alias__iexact=self.name).exclude(skill=self.pk).select_related("skill")
        if alias := namesake.first():
            errors["name"] = f"“{alias}” is another name of the skill “{alias.skill}”."
        if errors:
            raise ValidationError(errors)

    def kept(self) -> "Skill | None":
        """The skill that stands in this one’s place, itself where it was never merged: two queries if it was.

        None where the skills were led round in a circle.
        """
        if not self.merged_into_id:
            return self
        places = dict(Skill.objects.exclude(merged_into=None).values_list("pk", "merged_into"))
        *_, last = chain_above(self.pk, places)
        return Skill.objects.unmerged().filter(pk=last).first()

    def implied(self) -> list[int]:
        """Primary keys of all that this skill implies, the nearest first, in one query."""
        return chain_above(self.pk, dict(Skill.objects.values_list("pk", "broader")))

    def with_narrower(self) -> set[int]:
        """Primary keys of this skill and of all that imply it, however many steps away, in one query."""
        narrower: dict[int | None, list[int]] = {}
        for pk, broader in Skill.objects.exclude(broader=None).values_list("pk", "broader"):
            narrower.setdefault(broader, []).append(pk)
        family, waiting = {self.pk}, [self.pk]
        while waiting:
            new = set(narrower.get(waiting.pop(), [])) - family
            family |= new
            waiting.extend(new)
        return family


class SkillAlias(models.Model):
    skill = models.ForeignKey(Skill, models.CASCADE, related_name="aliases")
    alias = models.CharField(max_length=80, help_text="Another name that readers may type: “sklearn”, “RAG”.")

    class Meta:
        verbose_name_plural = "aliases"
        ordering = ["alias"]
        constraints = [
            models.UniqueConstraint(
                Lower("alias"),
                name="skill_alias_is_unique",
                violation_error_message="This alias belongs to a skill already.",
            ),
        ]

    def __str__(self) -> str:
        return self.alias

    def clean(self) -> None:
        # What a skill was called before it was merged is another name of the one that stayed.
        if namesake := Skill.objects.unmerged().filter(name__iexact=self.alias).exclude(pk=self.skill_id).first():
            raise ValidationError({"alias": f"“{namesake}” is a skill of its own. Merge the two if they are the same."})


class Requirement(models.Model):
    """A line of a role's or a path's list: what is asked, and the skills that meet it."""

    class Importance(models.TextChoices):
        CORE = "core", "Core skill in the comparison"
        MUST = "must", "Must have"
        NICE = "nice", "Nice to have"

    class Needs(models.TextChoices):
        ANY = "any", "Any one of its skills"
        ALL = "all", "All of its skills"

    role = models.ForeignKey(Role, models.CASCADE, null=True, blank=True, related_name="requirements")
    path = models.ForeignKey(CareerPath, models.CASCADE, null=True, blank=True, related_name="requirements")
    importance = models.CharField(max_length=4, choices=Importance)
    label = models.CharField(max_length=80, help_text="As the list prints it: “PyTorch/TensorFlow”.")
    detail = models.CharField(max_length=200, blank=True)
    needs = models.CharField(max_length=3, choices=Needs, default=Needs.ANY)
    skills = models.ManyToManyField(
        Skill, related_name="requirements", limit_choices_to=UNMERGED, help_text="Which skills meet it."
    )
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            models.CheckConstraint(
                name="requirement_is_of_a_role_or_a_path",
                condition=Q(role=None, path__isnull=False) | Q(role__isnull=False, path=None),
                violation_error_message="A requirement belongs to a role or to a path, not to both.",
            ),
            models.CheckConstraint(
                name="requirement_importance_is_known", condition=Q(importance__in=["core", "must", "nice"])
            ),
            models.CheckConstraint(name="requirement_needs_is_known", condition=Q(needs__in=["any", "all"])),
            models.UniqueConstraint(
                name="requirement_is_named_once_in_a_role",
                fields=["role", "importance", "label"],
                condition=Q(role__isnull=False),
                violation_error_message="This list has a line of this name already.",
            ),
            models.UniqueConstraint(
                name="requirement_is_named_once_in_a_path",
                fields=["path", "importance", "label"],
                condition=Q(path__isnull=False),
                violation_error_message="This list has a line of this name already.",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def only_skill(self) -> Skill | None:
        """The one skill that it asks for, None where there are several; of fetched skills no query."""
        skills = self.skills.all()
        return skills[0] if len(skills) == 1 else None

    @property
    def owner(self) -> Role | CareerPath:
        """Whose list the line stands in."""
        return cast("Role | CareerPath", self.role or self.path)

    @staticmethod
    def by_importance(lines: "Iterable[Requirement]") -> "dict[str, list[Requirement]]":
        """Sort lines into `core`, `must` and `nice`, keeping their order."""
        sorted_lines: dict[str, list[Requirement]] = {"core": [], "must": [], "nice": []}
        for line in lines:
            sorted_lines[line.importance].append(line)
        return sorted_lines
