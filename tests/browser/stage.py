"""What the browser tests find on the site, set up once in an empty VAR_DIR.

The launch content, an article of every block, a statistic with a history, a draft, two editions, an editor, a chief
editor, an author, an administrator and two subscribers.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from io import BytesIO

import time_machine
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from PIL import Image as Pillow

from articles.models import (
    Article,
    CallOut,
    FaqItem,
    Image,
    Quote,
    Source,
    Statistic,
    StatisticBlock,
    StatisticValue,
    TableBlock,
)
from articles.pictures import take_in
from careers.models import CareerPath, ComparisonTable, RoleTable, SkillList
from newsletter import composing, signing, wording
from newsletter.models import ConsentEvent, Edition, EditionPart, NewsletterSignUp, Subscriber
from tests.factories import make_draft, make_user, publish_as_is


def main() -> None:
    """Set it up; print as JSON what cannot be known beforehand, because it is signed or drawn by lot."""
    call_command("migrate", verbosity=0)
    call_command("load_launch_content", stdout=sys.stderr)
    call_command("collectstatic", verbosity=0, interactive=False)
    make_user("Editor", username="editor")
    make_user("Chief editor", username="chief")
    make_user("Author", username="author")
    make_user("Administrator", username="administrator")
    make_draft(number=2, slug="a-draft", title="A draft that nobody sees")
    make_article_of_every_block()
    make_a_history()
    make_past_editions()
    asked = ask("pending@example.com")
    subscriber = ask("subscribed@example.com").subscriber
    subscriber.confirm(subscriber.consent_events.get(), network_digest="")
    staged = {
        "stamp": stamp_of_a_minute_ago(),
        "confirm": f"/newsletter/confirm/{signing.sign_confirmation(asked.pk)}/",
        "unsubscribe": f"/newsletter/unsubscribe/{subscriber.token}/",
        "preferences": f"/newsletter/preferences/{subscriber.token}/",
    }
    print(json.dumps(staged))


def stamp_of_a_minute_ago() -> str:
    """The mark of a form that was not sent quicker than people type."""
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=1)):
        return signing.stamp("/newsletter/")


def make_article_of_every_block() -> None:
    """An old article, so that the launch articles stay in front, which shows the blocks that they lack."""
    html = "<h2>Words</h2><p>Some <strong>strong</strong> words.</p><ul><li><p>One</p></li></ul><h3>More</h3><p>…</p>"
    for reference in ("statistic:new-ai-roles-projected", "salary:ml-engineer/gb"):
        html += f'<p>About <data value="{reference}"></data>, and so on.</p>'
    values = {"number": 1, "slug": "every-block", "title": "An article of every block", "html": html}
    article = make_draft(**values, published_at=datetime(2020, 1, 1, tzinfo=UTC))
    blocks = [
        *(StatisticBlock(statistic=statistic) for statistic in Statistic.objects.all()),
        CallOut(heading="A call-out", html="<p>Its text.</p>"),
        RoleTable(table=ComparisonTable.objects.first(), caption="Pay and core skills"),
        SkillList(path=CareerPath.objects.first()),
        FaqItem(question="A question?", html="<p>An answer.</p>"),
        FaqItem(question="Another question?", html="<p>Another answer.</p>"),
        Quote(text="What somebody said", attribution="Somebody"),
        TableBlock(caption="A table", cells=[["Year", "Count"], ["2025", "12"]], note="Small print."),
        Image(
            file=take_in(ContentFile(picture(), "teal.png")),
            width=640,
            height=400,
            alt="A teal field",
            credit="Nobody",
            caption="Teal",
        ),
        NewsletterSignUp(heading="Once a week", text="It comes on Thursdays."),
    ]
    for place, block in enumerate(blocks, start=2):
        block.parent, block.region, block.ordering = article, "main", place * 10
        block.save()
    publish_as_is(article)


def make_a_history() -> None:
    """A statistic that was updated, corrected and updated again."""
    statistic = Statistic.objects.create(
        slug="with-a-history", claim="of people count on their fingers.", unit="share of adults", scope="Everywhere"
    )
    years = [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 3, 6, 9)]
    value = StatisticValue.objects.create(
        statistic=statistic,
        value=40,
        display_text="40%",
        as_of="2021",
        published_at=years[0],
        source=Source.objects.first(),
    )
    value = value.publish_successor(at=years[1], value=44, display_text="44%", as_of="2022", why="update")
    correction = {"why": "correction", "why_note": "Two fingers had been counted twice."}
    value = value.publish_successor(at=years[2], value=42, display_text="42%", **correction)
    value.publish_successor(at=years[3], value=51, display_text="51%", as_of="2024", why="update")


def make_past_editions() -> None:
    """Two editions with articles and figures of the launch content, and words of their own."""
    send(Edition(slug="skills-asked-for", subject="Which skills are asked for"), part(61), days_ago=7)
    send(
        Edition(
            slug="what-pay-did",
            subject="What AI roles pay, and what is not known of it",
            preheader="Eight roles in two countries, and the ways in for those who do not write code.",
            intro='<p>The figure to begin with is <data value="statistic:with-a-history"></data>.</p>',
            closing="<p>Until next week.</p>",
        ),
        part(60, heading="First", text='<p>Read <a href="/careers/">what it pays</a> beside it.</p>'),
        part(59),
        EditionPart(heading="Elsewhere", text="<ul><li><p>One</p></li><li><p>Another</p></li></ul>"),
        part(62),
    )


def part(number: int, **values: str) -> EditionPart:
    return EditionPart(article=Article.objects.get(number=number), **values)


def send(edition: Edition, *parts: EditionPart, days_ago: int = 0) -> None:
    """Leave of an edition what readers see once it was sent."""
    moment = timezone.now() - timedelta(days=days_ago)
    edition.state = Edition.State.SENT
    edition.scheduled_at = edition.prepared_at = edition.started_at = edition.finished_at = moment
    edition.save()
    for place, each in enumerate(parts):
        each.edition, each.position = edition, place
        each.save()
    composing.freeze(edition)


def picture() -> bytes:
    file = BytesIO()
    Pillow.new("RGB", (640, 400), "teal").save(file, "PNG")
    return file.getvalue()


def ask(email: str) -> ConsentEvent:
    """What a sign-up with this address leaves."""
    with transaction.atomic():
        subscriber = Subscriber.objects.get_or_add(email)
    return subscriber.consent_events.create(kind="asked", form="/newsletter/", wording=wording.REQUEST_RECORD)
