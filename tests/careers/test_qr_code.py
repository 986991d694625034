import re

import segno
from django.test import SimpleTestCase

from careers.qr_code import QrCode


class QrCodeTests(SimpleTestCase):
    def test_a_code_has_its_quiet_zone_and_grows_with_the_text(self):
        short, longer = QrCode.of("https://example.com/"), QrCode.of("https://example.com/" + "a" * 200)

        self.assertEqual(short.size, 25 + 2 * 4)
        self.assertGreater(longer.size, short.size)
        # The finder in the corner begins right after the quiet zone and is seven modules wide.
        self.assertTrue(short.path.startswith("M4 4h7v1h-7z"))

    def test_the_drawing_has_every_dark_module_and_no_other(self):
        text = "https://example.com/careers/fit/?skills=python,sql"

        bars = re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", QrCode.of(text).path)

        drawn = {(int(x) + step, int(y)) for x, y, length in bars for step in range(int(length))}
        matrix = segno.make(text, micro=False, error="m", boost_error=False).matrix
        dark = {(x + 4, y + 4) for y, row in enumerate(matrix) for x, module in enumerate(row) if module}
        self.assertEqual(drawn, dark)

    def test_a_text_that_is_too_long_has_none(self):
        self.assertIsNotNone(QrCode.of("a" * 400))
        self.assertIsNone(QrCode.of("a" * 401))
