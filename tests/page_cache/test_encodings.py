import gzip
from unittest import TestCase

import brotli

from veltrix.page_cache.encodings import accepted, encoded
from veltrix.page_cache.pages import DamagedPageError, Page

HEADERS = [("Content-Type", "text/html; charset=utf-8"), ("X-Frame-Options", "DENY")]
TEXT = b"<p>Some words that come again and again.</p>" * 200


class AcceptedTests(TestCase):
    def test_the_best_coding_that_a_client_takes(self):
        for header, coding in {
            "": "identity",
            "br": "br",
            "gzip": "gzip",
            "gzip, deflate, br, zstd": "br",
            "GZIP": "gzip",
            "*": "br",
            "br;q=0": "identity",
            "br;q=0, *": "gzip",
            "br;q=0.5, gzip;q=0.8": "gzip",
            "gzip;q=1.0, identity; q=0.5": "gzip",
            "identity, gzip;q=0.5": "identity",
            "*;q=0": "identity",
            "deflate": "identity",
            "br;q=2": "identity",
            "br;q=x, gzip;q=": "identity",
            "br;q=-1": "identity",
            "br;q=nan": "identity",
            ", ;, q=1": "identity",
            "brotli, xgzip": "identity",
            "gzip\x00, br\x7f": "identity",
        }.items():
            with self.subTest(header):
                self.assertEqual(accepted(header), coding)


class EncodedTests(TestCase):
    def test_texts_are_there_in_every_coding(self):
        bodies = encoded(TEXT, "text/html; charset=utf-8")

        self.assertEqual(bodies["identity"], TEXT)
        self.assertEqual(brotli.decompress(bodies["br"]), TEXT)
        self.assertEqual(gzip.decompress(bodies["gzip"]), TEXT)

    def test_what_would_not_shrink_is_left_as_it_is(self):
        self.assertEqual(list(encoded(b"short", "text/plain")), ["identity"])
        self.assertEqual(list(encoded(TEXT, "image/png")), ["identity"])
        self.assertEqual(list(encoded(TEXT, "application/zip")), ["identity"])


class PageTests(TestCase):
    def test_a_page_is_read_as_it_was_written(self):
        page = Page.of(HEADERS, TEXT, until=2_000_000_000.5, now=1_000_000_000)

        self.assertEqual(Page.read(page.written()), page)

    def test_each_coding_has_a_strong_tag_of_its_own(self):
        page = Page.of(HEADERS, TEXT, until=2, now=1)

        tags = {answer.etag for answer in page.answers.values()}
        self.assertEqual(len(tags), 3)
        self.assertTrue(all(tag.startswith('"') for tag in tags))

    def test_the_tag_changes_with_a_single_letter(self):
        one, other = (Page.of(HEADERS, text, until=2, now=1) for text in (TEXT, TEXT + b"."))

        self.assertNotEqual(one.answer("br").etag, other.answer("br").etag)

    def test_headers_of_a_304_describe_no_body(self):
        headers = dict(Page.of(HEADERS, TEXT, until=2, now=1).answer("br").headers_of_304)

        self.assertEqual(set(headers), {"X-Frame-Options", "Last-Modified", "Vary", "ETag"})

    def test_damage_is_noticed_wherever_it_is(self):
        data = Page.of(HEADERS, TEXT, until=2, now=1).written()
        for place in [0, 9, 13, 20, 200, len(data) // 2, len(data) - 1]:
            damaged = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            with self.subTest(place), self.assertRaises(DamagedPageError):
                Page.read(damaged)
        for length in [0, 5, 15, 16, 17, 100, len(data) - 1]:
            with self.subTest(length), self.assertRaises(DamagedPageError):
                Page.read(data[:length])
