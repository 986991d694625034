from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from articles.pictures import validate_name
from articles.renditions import Renditions

from .blocks import Block, Item

if TYPE_CHECKING:
    from articles.pages import SourceNotes


class Image(Block):
    type = "image"
    unsearched = ("file",)

    # The name of its original; see `articles.pictures`.
    file = models.CharField("picture", max_length=60, validators=[validate_name])
    # As it is seen upright.
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    alt = models.CharField(
        "alternative text", max_length=300, help_text="What the picture shows, for those who cannot see it."
    )
    caption = models.CharField(max_length=300, blank=True)
    credit = models.CharField(max_length=120, help_text="Who made it.")
    # The place that stays in sight where the picture is cropped, in percent from its left and upper edge.
    focus_x = models.PositiveSmallIntegerField(
        "focus, % from the left", default=50, validators=[MaxValueValidator(100)]
    )
    focus_y = models.PositiveSmallIntegerField("focus, % from the top", default=50, validators=[MaxValueValidator(100)])

    class Meta(Block.Meta):
        verbose_name = "picture"
        constraints = [
            *Block.Meta.constraints,
            models.CheckConstraint(
                name="image_has_alternative_text",
                condition=~Q(alt=""),
                violation_error_message="Describe the picture for those who cannot see it.",
            ),
            models.CheckConstraint(
                name="image_has_a_credit",
                condition=~Q(credit=""),
                violation_error_message="Say who made the picture.",
            ),
            models.CheckConstraint(
                name="image_focus_is_in_the_picture",
                condition=Q(focus_x__range=(0, 100), focus_y__range=(0, 100)),
                violation_error_message="The focus of a picture lies between 0 and 100 percent.",
            ),
        ]

    def summary(self) -> str:
        return self.alt

    @classmethod
    def load(cls, items: Sequence[Item]) -> dict[str, Renditions]:
        return {item["file"]: Renditions.of(item["file"]) for item in items}

    @classmethod
    def context(cls, item: Item, loaded: dict[str, Renditions], notes: "SourceNotes") -> dict[str, Any]:
        return {**item, "renditions": loaded[item["file"]]}
