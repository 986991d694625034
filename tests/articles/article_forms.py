"""What the article form posts."""

from articles.models import Byline, RichText
from articles.models.blocks import block_types

FORMSETS = [*(f"{model._meta.app_label}_{model._meta.model_name}_set" for model in block_types().values()), "bylines"]


def form_data(article=None, **values):
    """What the article form posts: no rows but those that `values` adds, by the names of the form's fields."""
    data = {}
    for prefix in FORMSETS:
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    fields = {"title": "A title", "number": 1, "slug": "a-title", "standfirst": "What it is about.", "social_text": ""}
    if article:
        article.refresh_from_db()
        fields = {name: getattr(article, name) for name in fields} | {"known": article.changed_at.isoformat()}
    return data | fields | {"published_at_0": "", "published_at_1": ""} | values


def row(prefix, *forms, initial=0):
    """The fields of a formset."""
    data = {f"{prefix}-TOTAL_FORMS": len(forms), f"{prefix}-INITIAL_FORMS": initial}
    for index, form in enumerate(forms):
        data |= {f"{prefix}-{index}-{name}": value for name, value in form.items()}
    return data


def changed(article, html, **values):
    """What the form of this article, with one text and one byline, posts."""
    block, byline = RichText.objects.get(parent=article), Byline.objects.get(article=article)
    text = {"id": block.pk, "parent": article.pk, "html": html, "region": "main", "ordering": 10}
    credit = {
        "id": byline.pk,
        "article": article.pk,
        "author": byline.author_id,
        "credit": byline.credit,
        "order": 0,
    }
    rows = row("articles_richtext_set", text, initial=1) | row("bylines", credit, initial=1)
    return form_data(article, category=article.category_id, **rows, **values)
