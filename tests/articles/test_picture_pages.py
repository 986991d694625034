"""Pictures on pages, in differences, and in the folders where they are stored."""

import os
import shutil
import time
from io import StringIO
from pathlib import Path
from unittest import mock

from django.core.files.storage import default_storage, storages
from django.core.management import CommandError, call_command
from django.test import TestCase
from django.utils import timezone

from articles.admin.pictures import PictureField
from articles.drafts import keep
from articles.models import WorkingCopy
from articles.pictures import is_kept
from articles.renditions import Renditions, folder_of
from articles.stored_pictures import delete, unused_names
from tests.factories import make_draft, make_user, publish_as_is

from .pictures import kept
from .test_pictures import add_image


class PicturePageTests(TestCase):
    def test_a_page_offers_all_widths_and_keeps_the_pictures_place(self):
        name = kept(size=(900, 600))
        article = make_draft(slug="pictured")
        add_image(article, name, width=900, height=600, caption="Teal")
        publish_as_is(article)

        response = self.client.get("/articles/pictured/")

        at = f"/media/pictures/1/{name[:40]}"
        for suffix in ("avif", "webp"):
            srcset = ", ".join(f"{at}/{width}.{suffix} {width}w" for width in (480, 800, 900))
            self.assertContains(response, f'<source type="image/{suffix}" srcset="{srcset}" sizes=')
        self.assertContains(
            response,
            f'<img src="{at}/900.jpg" width="900" height="600" alt="A teal field" loading="lazy" decoding="async">',
            html=True,
        )
        self.assertContains(response, "Teal<br>Picture: Nobody")
        picture = self.client.get(f"{at}/480.avif")
        self.assertTrue(picture.getvalue())
        self.assertEqual(picture.headers["Content-Type"], "image/avif")
        self.assertEqual(picture.headers["Cache-Control"], "public, max-age=31536000, immutable")

    def test_a_page_whose_renditions_are_missing_shows_what_there_is(self):
        name = kept(size=(901, 600))
        article = make_draft(slug="pictured")
        add_image(article, name)
        publish_as_is(article)
        for file in Renditions.of(name).names:
            if not file.endswith(".jpg"):
                default_storage.delete(file)

        response = self.client.get("/articles/pictured/")

        self.assertNotContains(response, "<source")
        self.assertContains(response, "901.jpg")
        default_storage.delete(Renditions.of(name).fallback)
        response = self.client.get("/articles/pictured/")
        self.assertContains(response, "The picture cannot be shown at the moment. It shows: A teal field")


class ComparisonTests(TestCase):
    def test_two_versions_show_their_pictures_side_by_side(self):
        old, new = kept(size=(70, 30)), kept(size=(71, 30))
        article = make_draft()
        image = add_image(article, old)
        publish_as_is(article)
        image.file = new
        image.save()
        self.client.force_login(make_user("Editor"))

        response = self.client.get(f"/admin/articles/article/{article.pk}/compare/?from=live&to=draft")

        self.assertContains(response, f'src="{Renditions.of(old).url}" alt="The picture, removed"')
        self.assertContains(response, f'src="{Renditions.of(new).url}" alt="The picture, added"')
        self.assertNotContains(response, f"{old}<")
        for file in Renditions.of(old).names:
            default_storage.delete(file)
        response = self.client.get(f"/admin/articles/article/{article.pk}/compare/?from=live&to=draft")
        self.assertContains(response, "A picture that is not kept any more")


class StoredPicturesTests(TestCase):
    def setUp(self):
        for storage in (storages["originals"], default_storage):
            shutil.rmtree(storage.location, ignore_errors=True)

    def run_command(self, name, *arguments):
        out = StringIO()
        call_command(name, *arguments, stdout=out)
        return out.getvalue()

    def used_everywhere(self):
        """Pictures that a live version, an earlier save, a draft and an unsaved form name, one each."""
        names = [kept(size=(width, 30)) for width in (31, 32, 33, 34)]
        article = make_draft()
        image = add_image(article, names[0])
        publish_as_is(article)
        for name in names[1:3]:
            image.file = name
            image.save()
            keep(article, by=None)
            article.save()
        fields = [["articles_image_set-0-file-kept", names[3]]]
        moment = timezone.now()
        WorkingCopy.objects.create(user=make_user(), window="a" * 32, fields=fields, seen_at=moment, typed_at=moment)
        return names

    def test_what_anything_names_is_never_pruned(self):
        names = self.used_everywhere()
        age(*names)

        self.assertEqual(self.run_command("prune_pictures", "--delete"), "No picture is unused.\n")
        self.assertTrue(all(map(is_kept, names)))

    def test_what_nothing_names_is_listed_first_and_deleted_when_asked(self):
        unused, fresh = kept(size=(41, 30)), kept(size=(42, 30))
        age(unused)

        listed = self.run_command("prune_pictures")
        self.assertRegex(listed, rf"\A{unused}  \d+ bytes\n1 unused: listed; --delete deletes them\.\n\Z")
        self.assertTrue(is_kept(unused))
        self.assertTrue(self.run_command("prune_pictures", "--delete").endswith("1 unused: deleted.\n"))

        self.assertFalse(is_kept(unused))
        self.assertFalse(Path(default_storage.path(folder_of(unused))).exists())
        self.assertTrue(is_kept(fresh))

    def test_what_is_taken_in_again_while_it_is_pruned_stays(self):
        taken_again, saved_again = kept(size=(41, 30)), kept(size=(42, 30))
        age(taken_again, saved_again)
        self.assertEqual(len(unused_names()), 2)

        kept(size=(41, 30))
        PictureField().clean(saved_again)
        delete(taken_again)
        delete(saved_again)

        self.assertTrue(is_kept(taken_again))
        self.assertTrue(is_kept(saved_again))

    def test_missing_renditions_are_drawn_again_as_they_were(self):
        name = kept(size=(500, 30))
        files = {file: Path(default_storage.path(file)).read_bytes() for file in Renditions.of(name).names}
        for file in list(files)[::2]:
            default_storage.delete(file)

        drawn = self.run_command("make_renditions")

        self.assertEqual(drawn.count("Drawn: "), len(list(files)[::2]))
        self.assertEqual({file: Path(default_storage.path(file)).read_bytes() for file in files}, files)
        self.assertEqual(self.run_command("make_renditions"), "")

    def test_pictures_that_are_named_and_not_kept_or_cannot_be_drawn_are_told(self):
        gone, broken = kept(size=(43, 30)), kept(size=(44, 30))
        add_image(make_draft(), gone)
        storages["originals"].delete(gone)
        Path(storages["originals"].path(broken)).write_bytes(b"\x89PNG")

        with self.assertRaises(CommandError) as caught:
            self.run_command("make_renditions")

        self.assertIn(f"{gone} is named by an article and not kept.", str(caught.exception))
        self.assertIn(f"{broken} cannot be drawn: This picture is damaged", str(caught.exception))

    def test_a_site_without_pictures_has_none_to_draw_or_prune(self):
        self.assertEqual(self.run_command("make_renditions"), "")
        self.assertEqual(self.run_command("prune_pictures"), "No picture is unused.\n")

    def test_a_file_that_is_being_written_is_never_seen_half(self):
        with (
            mock.patch("veltrix.kept_files.os.fsync", side_effect=KeyboardInterrupt),
            self.assertRaises(KeyboardInterrupt),
        ):
            kept(size=(45, 30))

        self.assertEqual([path for path in Path(storages["originals"].location).rglob("*") if path.is_file()], [])


def age(*names):
    """Make these pictures two days old."""
    moment = time.time() - 2 * 24 * 60 * 60
    for name in names:
        os.utime(storages["originals"].path(name), (moment, moment))
