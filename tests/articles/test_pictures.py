import re
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from unittest import mock

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import SimpleTestCase, TestCase
from PIL import Image as Pillow
from PIL import ImageCms, ImageDraw

from articles.models import Article, Image
from articles.pictures import NAME, size_of, take_in
from articles.renditions import Renditions, folder_of
from articles.stored_pictures import all_names
from tests.factories import make_category, make_draft, make_user

from .article_forms import form_data, row
from .pictures import SECRET, exif, kept, moving, picture, png_that_claims, saved, telling

ADD = "/admin/articles/article/add/"
TAKE_IN = "/admin/articles/article/picture/"


def taken(content, name="x.png"):
    return take_in(ContentFile(content, name))


def served(name):
    """All files that readers are served of a picture, by their paths' ends."""
    names = Renditions.of(name).names
    return {Path(name).name: Pillow.open(BytesIO(Path(default_storage.path(name)).read_bytes())) for name in names}


def shown(name):
    """The picture that an old browser shows, in RGB or RGBA."""
    return Pillow.open(BytesIO(Path(default_storage.path(Renditions.of(name).fallback)).read_bytes()))


def near(colour, other):
    return all(abs(a - b) < 8 for a, b in zip(colour, other, strict=True))


def add_image(article, name, **values):
    values = {"alt": "A teal field", "credit": "Nobody", "width": 640, "height": 400, "ordering": 50, **values}
    return Image.objects.create(parent=article, region="main", file=name, **values)


class TakenInTests(TestCase):
    def test_it_is_served_in_the_widths_that_pages_ask_for_and_never_wider_than_it_is(self):
        wide = taken(picture("JPEG", (2000, 1000)), "x.jpg")
        small = taken(picture("WEBP", (500, 500)), "x.webp")
        tiny = taken(picture("AVIF", (40, 30)), "x.avif")

        widths = {480, 800, 1200, 1600}
        expected = {f"{width}.{kind}" for width in widths for kind in ("avif", "webp")} | {"1200.jpg"}
        self.assertEqual(set(served(wide)), expected)
        self.assertEqual({image.size for image in served(wide).values()}, {(width, width // 2) for width in widths})
        self.assertEqual(set(served(small)), {"480.avif", "500.avif", "480.webp", "500.webp", "500.jpg"})
        self.assertEqual(set(served(tiny)), {"40.avif", "40.webp", "40.jpg"})

    def test_the_original_is_kept_as_it_came_and_nobody_is_served_it(self):
        content = telling("JPEG")

        name = taken(content, "IMG_0001.JPEG")

        self.assertRegex(name, r"\A[0-9a-f]{40}\.jpg\Z")
        self.assertEqual(Path(storages["originals"].path(name)).read_bytes(), content)
        self.assertFalse(Path(storages["originals"].location).is_relative_to(settings.MEDIA_ROOT))
        self.assertEqual(self.client.get(f"/media/{name}").status_code, 404)
        self.assertEqual(self.client.get(f"/media/originals/{name}").status_code, 404)
        self.assertEqual(self.client.get(f"/media/../originals/{name}").status_code, 404)

    def test_no_metadata_is_in_any_file_that_is_served(self):
        for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
            with self.subTest(kind):
                content = telling(kind)
                self.assertIn(SECRET.encode(), content)

                files = served(taken(content, f"x.{kind.lower()}"))

                for name, image in files.items():
                    self.assertNotIn(SECRET.encode(), image.fp.read(), name)
                    image.load()
                    self.assertFalse({"exif", "xmp", "icc_profile", "comment", "XML:com.adobe.xmp"} & set(image.info))
                    self.assertFalse(dict(image.getexif()), name)

    def test_a_picture_that_lies_on_its_side_is_served_upright(self):
        image = Pillow.new("RGB", (60, 40), "white")
        ImageDraw.Draw(image).rectangle((0, 0, 9, 9), fill="red")

        name = taken(saved(image, "JPEG", exif=exif(orientation=6), quality=95), "x.jpg")

        self.assertEqual(size_of(name), (40, 60))
        self.assertEqual(shown(name).size, (40, 60))
        self.assertTrue(near(shown(name).getpixel((35, 4)), (254, 0, 0)))

    def test_colours_stay_what_they_are_in_every_mode(self):
        cmyk = saved(Pillow.new("RGB", (60, 40), (0, 128, 128)).convert("CMYK"), "JPEG", quality=95)
        palette = saved(Pillow.new("RGB", (60, 40), (0, 128, 128)).quantize(4), "PNG")
        deep = saved(Pillow.new("I;16", (60, 40), 128 * 256), "PNG")
        for name, content, expected in [
            ("x.jpg", cmyk, (0, 128, 128)),
            ("x.png", palette, (0, 128, 128)),
            ("x.png", deep, (128, 128, 128)),
            ("x.png", picture(mode="L", colour=77), (77, 77, 77)),
            ("x.png", picture(mode="1", colour=1), (255, 255, 255)),
            ("x.png", picture(mode="RGBA", colour=(0, 128, 128, 255)), (0, 128, 128)),
        ]:
            with self.subTest(name=name, expected=expected):
                image = shown(taken(content, name))

                self.assertEqual(image.mode, "RGB")
                self.assertTrue(near(image.getpixel((30, 20)), expected), image.getpixel((30, 20)))

    def test_what_is_transparent_stays_so(self):
        palette = Pillow.new("P", (60, 40), 1)
        palette.putpalette([255, 0, 0, 0, 128, 128])
        for content in (
            picture(mode="RGBA", colour=(0, 128, 128, 100)),
            picture(mode="LA", colour=(128, 100)),
            saved(palette, "PNG", transparency=1),
        ):
            files = served(taken(content))

            self.assertLess(shown(taken(content)).getchannel("A").getextrema()[0], 128)
            self.assertTrue(all(image.convert("RGBA").getpixel((9, 9))[3] < 128 for image in files.values()))

    def test_colours_of_another_profile_become_srgb_and_a_broken_profile_harms_nothing(self):
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        for profile in (b"no profile", lab, srgb, srgb[:200]):
            image = shown(taken(picture("JPEG", icc_profile=profile), "x.jpg"))

            self.assertTrue(near(image.getpixel((9, 9)), (0, 128, 128)), profile[:10])

    @pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
    def test_a_picture_with_broken_metadata_is_taken(self):
        content = picture("JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff broken")

        self.assertEqual(shown(taken(content, "x.jpg")).size, (640, 400))

    def test_what_hides_behind_a_picture_is_not_served(self):
        content = picture("JPEG") + b"<script>alert(1)</script>PK\x03\x04"

        files = served(taken(content, "x.jpg"))

        self.assertFalse(any(b"<script>" in image.fp.read() for image in files.values()))

    def test_the_same_picture_is_known_by_the_same_name_and_drawn_once(self):
        content = picture(size=(90, 30))
        name = taken(content)

        with mock.patch.object(Pillow.Image, "save", side_effect=AssertionError("drawn anew")):
            self.assertEqual(taken(content, "other.png"), name)

    def test_many_who_choose_one_picture_at_once_get_one_whole_picture(self):
        content = picture(size=(500, 30), colour="navy")

        with ThreadPoolExecutor(4) as pool:
            names = set(pool.map(lambda _: taken(content), range(8)))

        (name,) = names
        self.assertEqual(set(served(name)), {"480.avif", "500.avif", "480.webp", "500.webp", "500.jpg"})

    def test_what_was_left_unfinished_by_a_killed_process_is_no_picture(self):
        name = taken(picture(size=(94, 30)))
        for folder in (Path(storages["originals"].location), Path(default_storage.path(folder_of(name)))):
            (folder / ".unfinished-abc").write_bytes(b"\x89PNG")
            (folder / ".unfinished-1.jpg").write_bytes(b"\xff\xd8")

        self.assertEqual(set(served(name)), {"94.avif", "94.webp", "94.jpg"})
        self.assertTrue(all(NAME.fullmatch(each) for each in all_names()))

    def test_a_very_high_picture_is_not_drawn_with_more_pixels_than_there_is_time_for(self):
        name = taken(picture(size=(1700, 15_000)))

        self.assertLess(max(image.width * image.height for image in served(name).values()), 6_100_000)

    def test_a_full_disk_is_told_in_words(self):
        with (
            mock.patch("veltrix.kept_files.shutil.copyfileobj", side_effect=OSError(28, "No space left on device")),
            self.assertRaisesMessage(ValidationError, "The picture cannot be kept at the moment."),
        ):
            taken(picture(size=(91, 30)))


class RefusedTests(SimpleTestCase):
    def assert_refused(self, content, name, message):
        before = set(Path(storages["originals"].location).glob("*"))
        with self.assertRaises(ValidationError) as caught:
            taken(content, name)
        self.assertIn(message, caught.exception.messages[0])
        self.assertEqual(set(Path(storages["originals"].location).glob("*")), before)

    def test_what_is_no_picture_of_an_accepted_format_is_refused_with_what_to_do(self):
        svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"
        for content, name, message in [
            (svg, "x.svg", "This is an SVG drawing or a web page. Export the picture as a PNG."),
            (svg, "x.png", "This is an SVG drawing or a web page. Export the picture as a PNG."),
            (b"<?xml version='1.0'?>" + svg, "x.png", "This is an SVG drawing or a web page."),
            (b"<!doctype html><p>", "x.jpg", "This is an SVG drawing or a web page."),
            (picture("GIF"), "x.gif", "This is a GIF, which may move. Save it as a PNG"),
            (picture("GIF"), "x.png", "This is a GIF, which may move. Save it as a PNG"),
            (picture("TIFF"), "x.tif", "This is a TIFF or BMP picture. Export it as a PNG."),
            (picture("BMP"), "x.png", "This is a TIFF or BMP picture."),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "IMG_1.HEIC", "This is a HEIC picture. Export it as a JPEG."),
            (b"%PDF-1.7", "x.pdf", "This is a PDF."),
            (b"", "x.png", "This file is empty."),
            (b"MZ\x90 a program", "x.png", "This file is no picture that can be read."),
            (b"PK\x03\x04", "x.webp", "This file is no picture that can be read."),
        ]:
            with self.subTest(name=name, message=message):
                self.assert_refused(content, name, message)

    def test_a_picture_under_another_formats_name_is_refused(self):
        self.assert_refused(picture(), "x.jpg", "This is a PNG picture under another name: end its name in .png.")
        self.assert_refused(picture("WEBP"), "x.png", "This is a WebP picture under another name")
        self.assert_refused(picture("JPEG"), "x.php", "This is a JPEG picture under another name")

    def test_a_picture_that_is_not_all_there_is_refused(self):
        noise = Pillow.effect_noise((300, 300), 90)
        for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
            content = saved(noise.convert("RGB"), kind)
            for share in (0.3, 0.9):
                with self.subTest(kind=kind, share=share):
                    self.assert_refused(content[: int(len(content) * share)], f"x.{kind.lower()}", "damaged or not all")

    def test_bombs_are_refused_by_their_header(self):
        many = "This picture has more than 40 million pixels."
        with mock.patch.object(Pillow.Image, "resize", side_effect=AssertionError("decoded")):
            self.assert_refused(png_that_claims(8000, 5001), "x.png", many)
            self.assert_refused(png_that_claims(10_000, 10_000), "x.png", many)
            self.assert_refused(png_that_claims(100_000, 100_000), "x.png", many)
            self.assert_refused(png_that_claims(2**31 - 1, 2**31 - 1), "x.png", many)
            self.assert_refused(png_that_claims(20_000, 2), "x.png", "longer than 16,000 pixels on one side")
        self.assert_refused(picture() + b"\0" * 8_000_000, "x.png", "This picture is larger than 8 MB.")

    def test_pictures_that_move_are_refused(self):
        for kind in ("PNG", "WEBP", "AVIF"):
            with self.subTest(kind):
                self.assert_refused(moving(kind), f"x.{kind.lower()}", "This picture moves. Save one frame of it")

    def test_a_cameras_picture_with_a_second_one_behind_it_is_taken(self):
        second = Pillow.new("RGB", (64, 40))
        content = saved(Pillow.new("RGB", (640, 400)), "MPO", save_all=True, append_images=[second])

        self.assertEqual(shown(taken(content, "x.jpg")).size, (640, 400))


class PictureFormTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.author = make_user("Author")
        cls.category = make_category()

    def setUp(self):
        self.client.force_login(self.author)

    def save(self, article=None, *, initial=0, title="A title", **block):
        block = {"alt": "x", "credit": "y", "caption": "", "focus_x": 50, "focus_y": 50, **block}
        block |= {"region": "main", "ordering": 20}
        values = {"title": title, "category": self.category.pk, "_continue": "1"}
        data = form_data(article, **values) | row("articles_image_set", block, initial=initial)
        return self.client.post(f"/admin/articles/article/{article.pk}/change/" if article else ADD, data)

    def file(self, **values):
        return SimpleUploadedFile("../../My holiday.PNG", picture(**values), "image/png")

    def test_a_chosen_picture_is_saved_with_its_size_and_focus(self):
        self.save(file=self.file(size=(64, 48)), focus_x=30, focus_y=70)

        image = Image.objects.get()
        self.assertRegex(image.file, r"^[0-9a-f]{40}\.png$")
        self.assertEqual((image.width, image.height, image.focus_x, image.focus_y), (64, 48, 30, 70))

    def test_a_failed_save_keeps_the_picture_that_was_chosen(self):
        response = self.save(title="", file=self.file(size=(65, 48)))

        self.assertContains(response, "This field is required.")
        self.assertFalse(Article.objects.exists())
        name = re.search(r'name="articles_image_set-0-file-kept" value="([0-9a-f]{40}\.png)"', response.text)[1]
        self.assertContains(response, f'<img src="{Renditions.of(name).small_url}" alt="The picture that')
        self.save(**{"file-kept": name})
        self.assertEqual(Image.objects.get().file, name)
        self.assertEqual(Image.objects.get().width, 65)

    def test_a_refused_picture_leaves_the_one_before_in_its_place(self):
        name = kept(size=(66, 48))

        response = self.save(**{"file-kept": name, "file": SimpleUploadedFile("x.png", b"GIF89a")})

        self.assertContains(response, "This is a GIF, which may move.")
        self.assertContains(response, f'name="articles_image_set-0-file-kept" value="{name}"')

    def test_alternative_text_credit_and_a_focus_within_the_picture_are_required(self):
        response = self.save(file=self.file(), alt="", credit=" ", focus_x=101, focus_y=-1)

        self.assertContains(response, "This field is required.", count=2)
        self.assertContains(response, "Ensure this value is less than or equal to 100.")
        self.assertContains(response, "Ensure this value is greater than or equal to 0.")
        self.assertContains(self.save(), "Choose a picture.")

    def test_the_database_refuses_a_picture_without_words_or_with_its_focus_elsewhere(self):
        article, name = make_draft(), kept()
        for wrong in ({"alt": ""}, {"credit": ""}, {"focus_x": 101}, {"focus_y": 101}):
            with self.subTest(wrong), self.assertRaises(IntegrityError), transaction.atomic():
                add_image(article, name, **wrong)

    def test_names_that_no_picture_has_are_refused(self):
        for name in ("0" * 40 + ".png", "../../settings.py", "x", "0" * 40 + ".svg"):
            with self.subTest(name):
                response = self.save(**{"file-kept": name})

                self.assertContains(response, "This picture is no longer kept here. Choose it again.")

    def test_an_article_whose_picture_is_gone_can_still_be_saved(self):
        name = kept(size=(67, 48))
        self.save(**{"file-kept": name})
        article = Article.objects.get()
        storages["originals"].delete(name)

        block = {"id": Image.objects.get().pk, "parent": article.pk, "file-kept": name}
        response = self.save(article, initial=1, title="Another title", **block)

        self.assertEqual(response.status_code, 302, response)
        self.assertEqual(Article.objects.get().title, "Another title")

    def test_more_pictures_than_are_taken_at_once_are_refused_before_any_is_looked_at(self):
        def pictures(count):
            block = {"alt": "x", "credit": "y", "caption": "", "focus_x": 50, "focus_y": 50, "region": "main"}
            blocks = [{**block, "ordering": 10 + n, "file": self.file(size=(4, 3))} for n in range(count)]
            values = form_data(category=self.category.pk, _continue="1") | row("articles_image_set", *blocks)
            return self.client.post(ADD, values)

        with mock.patch("articles.admin.pictures.take_in", side_effect=AssertionError("taken in")):
            response = pictures(11)
        self.assertContains(response, "Choose at most 10 pictures, save, and choose the next.")
        pictures(10)
        self.assertEqual(Image.objects.count(), 10)

    def test_to_take_a_picture_in_writes_nothing_to_the_database(self):
        # The session, whose it is, and what they may do.
        with self.assertNumQueries(6):
            self.client.post(TAKE_IN, {"picture": self.file()})

    def test_a_picture_is_taken_in_as_soon_as_it_is_chosen(self):
        response = self.client.post(TAKE_IN, {"picture": self.file(size=(68, 48))})

        answer = response.json()
        self.assertEqual(answer["url"], Renditions.of(answer["name"]).small_url)
        shown = self.client.get(answer["url"])
        self.assertTrue(shown.getvalue())
        self.assertEqual(shown.headers["Content-Type"], "image/webp")
        wrong = self.client.post(TAKE_IN, {"picture": SimpleUploadedFile("x.png", b"GIF89a")})
        self.assertEqual(wrong.status_code, 400)
        self.assertEqual(wrong.json()["error"], "This is a GIF, which may move. Save it as a PNG and choose that.")
        self.assertEqual(self.client.post(TAKE_IN, {"picture": "x"}).status_code, 400)

    def test_nobody_else_can_have_a_picture_taken_in(self):
        self.assertEqual(self.client.get(TAKE_IN).status_code, 405)
        self.client.force_login(make_user())
        self.assertEqual(self.client.post(TAKE_IN, {"picture": self.file()}).status_code, 403)
        self.client.logout()
        self.assertEqual(self.client.post(TAKE_IN, {"picture": self.file()}).status_code, 302)

    def test_the_preview_shows_a_picture_that_is_not_saved_yet(self):
        block = {"alt": "Just chosen", "credit": "y", "caption": "", "focus_x": 50, "focus_y": 50}
        block |= {"region": "main", "ordering": 20, "file": self.file(size=(69, 48))}

        response = self.client.post(
            "/admin/articles/article/add/preview/", form_data() | row("articles_image_set", block)
        )

        self.assertContains(response, 'width="69" height="48" alt="Just chosen"')
        self.assertFalse(Image.objects.exists())
