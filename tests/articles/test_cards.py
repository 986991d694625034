import json
import os
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from unittest import mock

from django.core.files.storage import storages
from django.test import SimpleTestCase, TestCase
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from articles import cards
from articles.card_drawing import Words, drawn
from articles.cards import Card
from articles.models import Article
from articles.publishing import publish
from articles.typefaces import drawable
from tests.factories import make_article, make_draft, make_source, make_statistic, make_user, publish_as_is

from .pictures import kept
from .test_pictures import add_image

URL = "/articles/carded/card.png"


def image_in(content):
    image = Pillow.open(BytesIO(content))
    image.load()
    return image


MARGINS = (0, 0, 52, 630), (1140, 0, 1200, 630), (0, 0, 1200, 24), (0, 622, 1200, 630)


def margins_of(image, *boxes):
    """The colours outside the margins of a card, a little of a letter's curve allowed, or in other boxes."""
    boxes = boxes or MARGINS
    return {colour for box in boxes for _, colour in image.crop(box).getcolors(1_000_000)}


class CardTests(TestCase):
    def setUp(self):
        shutil.rmtree(storages["cards"].location, ignore_errors=True)

    def card(self, **values):
        statistic = make_statistic("97M", claim="of people count.", source=make_source(producer="Office"))
        make_article(slug="carded", title="What counts", headline=statistic, statistics=[statistic], **values)
        return statistic

    def address(self):
        """The card's address as the article's page gives it."""
        page = self.client.get("/articles/carded/").text
        return re.search(r'<meta property="og:image" content="http://127\.0\.0\.1:8000([^"]+)">', page)[1]

    def test_a_page_names_its_card_with_its_size_and_what_it_says(self):
        self.card(number=60, social_text="A line")
        make_article(number=62)

        response = self.client.get("/articles/carded/")

        address = self.address()
        self.assertRegex(address, rf"^{URL}\?v=[0-9a-f]{{20}}$")
        for name, content in [
            ("og:image:type", "image/png"),
            ("og:image:width", "1200"),
            ("og:image:height", "630"),
            ("og:image:alt", "Number 60 of 62: What counts 97M of people count."),
        ]:
            self.assertContains(response, f'<meta property="{name}" content="{content}">', html=True)
        self.assertContains(response, '<meta name="twitter:card" content="summary_large_image">', html=True)
        data = json.loads(re.search(r"<script type=\"application/ld\+json\">(.+?)</script>", response.text)[1])
        article = next(node for node in data["@graph"] if node["@type"] == "Article")
        self.assertEqual(article["image"], f"http://127.0.0.1:8000{address}")

    def test_a_card_is_a_png_that_may_be_kept_for_good_under_the_address_of_its_page(self):
        self.card()

        response = self.client.get(self.address())

        self.assertEqual(response.headers["Content-Type"], "image/png")
        self.assertEqual(response.headers["Cache-Control"], "public, max-age=31536000, immutable")
        self.assertEqual(response.headers["Cross-Origin-Resource-Policy"], "cross-origin")
        self.assertEqual(image_in(response.content).size, (1200, 630))
        self.assertEqual(image_in(response.content).format, "PNG")

    def test_without_that_address_the_card_of_now_is_given_and_has_to_be_asked_for_again(self):
        self.card()

        for query in ("", "?v=", "?v=0000", "?v=%F0%9F%92%A5", "?x=1&v=../../x", "?v=a&v=b"):
            with self.subTest(query):
                response = self.client.get(URL + query)

                self.assertEqual(response.status_code, 200)
                self.assertEqual(response.headers["Cache-Control"], "public, no-cache")

    def test_who_has_the_card_is_told_so_and_head_tells_what_get_gives(self):
        self.card()
        first = self.client.get(URL)

        with mock.patch.object(cards, "drawn", side_effect=AssertionError("drawn anew")):
            again = self.client.get(URL, headers={"If-None-Match": first.headers["ETag"]})
            head = self.client.head(URL)

        self.assertEqual((again.status_code, again.content), (304, b""))
        self.assertEqual(again.headers["ETag"], first.headers["ETag"])
        self.assertEqual((head.status_code, head.content), (200, b""))
        self.assertEqual(head.headers["Content-Length"], str(len(first.content)))
        self.assertEqual(self.client.post(URL).status_code, 405)

    def test_its_address_changes_with_all_that_it_says(self):
        statistic = self.card(number=60)
        addresses = [self.address()]

        statistic.current.publish_successor(value=98_000_000, display_text="98M", why="update")
        addresses.append(self.address())
        article = Article.objects.get(slug="carded")
        for values in ({"title": "Another title"}, {"social_text": "Another line"}, {"headline": None}):
            Article.objects.filter(pk=article.pk).update(**values)
            publish_as_is(Article.objects.get(pk=article.pk))
            addresses.append(self.address())
        make_article(number=61)
        addresses.append(self.address())

        self.assertEqual(len(set(addresses)), 6)
        self.assertTrue(all(self.client.get(address).status_code == 200 for address in addresses))

    def test_drafts_and_what_is_to_come_have_no_card_for_readers(self):
        draft = make_draft(slug="carded")
        self.assertEqual(self.client.get(URL).status_code, 404)
        draft.published_at = timezone.now() + timedelta(days=1)
        draft.save()
        publish(draft, by=None)
        self.assertEqual(self.client.get(URL).status_code, 404)
        self.assertEqual(self.client.get("/articles/none/card.png").status_code, 404)

    def test_a_figure_that_was_withdrawn_is_on_no_card(self):
        statistic = self.card()
        value = statistic.current
        value.publish_successor(why="retraction", why_note="It was made up.")

        self.assertNotContains(self.client.get("/articles/carded/"), "What counts 97M")
        card = Card.live(Article.objects.get(slug="carded"), 1)
        self.assertEqual((card.words.figure, card.words.claim, card.words.source), ("", "", ""))

    def test_a_card_says_what_is_wrong_with_its_figure_as_lists_do(self):
        statistic = make_statistic("97M", check_status="disputed", check_note="Nobody knows.")
        make_article(slug="carded", headline=statistic)

        self.assertEqual(Card.live(Article.objects.get(slug="carded"), 1).words.status, "Disputed")

    def test_a_card_costs_a_fixed_number_of_queries(self):
        self.card()
        for _ in range(3):
            make_article()

        with self.assertNumQueries(5):
            self.client.get(URL)

    def test_a_card_is_drawn_once_and_at_most_so_many_are_kept(self):
        self.card()
        content = self.client.get(URL).content
        folder = Path(storages["cards"].location)
        (kept_card,) = folder.iterdir()
        self.assertEqual(kept_card.read_bytes(), content)
        for number in range(4):
            old = folder / f"{number}.png"
            old.write_bytes(b"")
            os.utime(old, (time.time() - 1000 + number,) * 2)

        with mock.patch.object(cards, "MOST_KEPT", 3):
            make_article(number=900_000)
            self.client.get(URL)

        names = {path.name for path in folder.iterdir()}
        self.assertEqual(len(names), 3)
        self.assertTrue({"3.png", kept_card.name} < names)

    def test_a_full_disk_and_a_folder_that_is_none_give_a_card_all_the_same(self):
        self.card()
        with mock.patch("veltrix.kept_files.shutil.copyfileobj", side_effect=OSError(28, "No space left on device")):
            self.assertEqual(image_in(self.client.get(URL).content).size, (1200, 630))
        self.assertEqual([path for path in Path(storages["cards"].location).rglob("*") if path.is_file()], [])
        shutil.rmtree(storages["cards"].location)
        Path(storages["cards"].location).write_text("no folder")
        self.addCleanup(Path(storages["cards"].location).unlink)

        self.assertEqual(image_in(self.client.get(URL).content).size, (1200, 630))

    def test_many_at_once_get_the_same_whole_card(self):
        card = Card(Words("At once", "", 1, 1))

        with ThreadPoolExecutor(8) as pool:
            contents = set(pool.map(lambda _: card.png(), range(24)))

        self.assertEqual(len(contents), 1)
        self.assertEqual(len(list(Path(storages["cards"].location).iterdir())), 1)

    def test_a_picture_stands_in_for_a_figure_about_its_focus(self):
        name = kept(size=(900, 300))
        article = make_draft(slug="carded")
        image = add_image(article, name, focus_x=0)
        publish_as_is(article)
        left = Card.live(Article.objects.get(), 1)
        image.focus_x = 100
        image.save()
        publish_as_is(article)
        right = Card.live(Article.objects.get(), 1)

        self.assertNotEqual(left.digest, right.digest)
        self.assertNotIn((251, 251, 248), margins_of(image_in(left.png()), (1140, 0, 1200, 630)))
        self.assertEqual(right.focus, (100, 50))
        gone = Card(left.words, "0" * 40 + ".png")
        self.assertEqual(margins_of(image_in(gone.drawn())), {(251, 251, 248)})

    def test_the_focus_stays_in_sight(self):
        picture = Pillow.new("RGB", (3000, 1000), "white")
        picture.paste((255, 0, 0), (0, 0, 300, 1000))

        drawings = [image_in(drawn(Words("T", "", 1, 1), picture, (x, 50))) for x in (5, 95)]

        self.assertEqual(
            [(255, 0, 0) in margins_of(drawing, (740, 0, 1200, 630)) for drawing in drawings], [True, False]
        )


class DraftCardTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.article = make_draft(title="Not yet")

    def url(self):
        return f"/admin/articles/article/{self.article.pk}/card/"

    def test_whoever_writes_sees_the_card_of_the_draft_and_nothing_of_it_is_kept(self):
        shutil.rmtree(storages["cards"].location, ignore_errors=True)
        self.client.force_login(make_user("Author"))

        response = self.client.get(self.url())

        self.assertEqual(response.headers["Content-Type"], "image/png")
        self.assertIn("no-store", response.headers["Cache-Control"])
        self.assertEqual(image_in(response.content).size, (1200, 630))
        self.assertFalse(Path(storages["cards"].location).exists())
        self.assertEqual(self.client.get("/admin/articles/article/add/card/").status_code, 404)

    def test_nobody_else_does(self):
        self.assertEqual(self.client.get(self.url()).status_code, 302)
        self.client.force_login(make_user())
        self.assertEqual(self.client.get(self.url()).status_code, 403)
        self.client.force_login(make_user("Author"))
        self.assertEqual(self.client.post(self.url()).status_code, 405)
        self.assertEqual(self.client.get("/admin/articles/article/999999/card/").status_code, 404)


class DrawingTests(SimpleTestCase):
    def test_the_longest_words_in_the_widest_letters_stay_on_the_card_and_are_drawn_quickly(self):
        wide = Words("W" * 160, "M" * 120, 1_000_000, 1_000_000, "W" * 60, "W" * 300, "W" * 400, "W" * 80)
        spaced = Words(
            ("WWWW MMMM " * 16)[:160], "W " * 60, 1, 1, "£160,000–£195,000+", "W " * 150, "W " * 90, "W " * 9
        )
        bare = Words("W" * 160, "M" * 120, 1_000_000, 1_000_000)
        drawn(wide)
        for words in (wide, spaced, bare, Words("", "", 1, 1), Words("W", "", 1, 1, "1", "is", "", "")):
            with self.subTest(words.title):
                start = time.process_time()

                image = image_in(drawn(words))

                self.assertLess(time.process_time() - start, 2)
                self.assertEqual(margins_of(image), {(251, 251, 248)})

    @settings(max_examples=25)
    @given(st.text(max_size=160), st.text(max_size=60), st.text(max_size=300))
    def test_no_words_break_a_card(self, title, figure, claim):
        words = Words(drawable(title), drawable(claim[:120]), 60, 62, drawable(figure), drawable(claim), "", "")

        self.assertEqual(margins_of(image_in(drawn(words))), {(251, 251, 248)})

    def test_a_letter_that_the_typefaces_lack_loses_its_accents_or_is_left_out(self):
        self.assertEqual(drawable("Erdős, Łódź\tand\x00 日本 –  “£3” …"), "Erdos, ódz and – “£3” …")

    def test_a_picture_leaves_the_largest_numbers_their_room(self):
        image = image_in(drawn(Words("W" * 160, "", 1_000_000, 1_000_000), Pillow.new("RGB", (10, 10), "red")))

        self.assertEqual(image.crop((700, 0, 738, 630)).getcolors(), [(38 * 630, (251, 251, 248))])
