from django.db import models

from articles.models import Block


class NewsletterSignUp(Block):
    """The sign-up form with words of the editor's above it."""

    type = "newsletter-sign-up"
    is_sign_up = True
    unsearched = ("heading", "text")

    heading = models.CharField(max_length=120)
    text = models.CharField(max_length=300, blank=True, help_text="What the newsletter brings, in a sentence or two.")

    class Meta(Block.Meta):
        verbose_name = "newsletter sign-up"

    def summary(self) -> str:
        return self.heading
