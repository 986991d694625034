"""What readers are served of a picture: drawn from its pixels alone, upright, in sRGB, in the widths that pages need.

The renditions of a picture stand in a folder that is named like its original, so that an address never changes what it
shows. AVIF and WebP come in several widths; JPEG, or PNG where the picture is transparent, in one for older browsers.
"""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath
from typing import Any, Self

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps

WIDTHS = [480, 800, 1200, 1600]
FALLBACK_WIDTH = 1200
# What bounds the time for a picture that is many times as high as wide.
MAX_PIXELS = 6_000_000
# Another way of drawing, another folder: browsers keep what they have got for a year.
FOLDER = "pictures/1"
OPTIONS: dict[str, dict[str, Any]] = {
    "avif": {"quality": 62, "speed": 8},
    "webp": {"quality": 80, "method": 4},
    "jpg": {"quality": 82, "optimize": True, "progressive": True},
    "png": {"optimize": True},
}
FORMATS = {"avif": "AVIF", "webp": "WEBP", "jpg": "JPEG", "png": "PNG"}


def widths_for(size: tuple[int, int]) -> list[int]:
    """The widths to draw a picture of this upright size in, ascending: none is wider than the picture."""
    width, height = size
    widest = min(width, WIDTHS[-1], max(1, int((MAX_PIXELS * width / height) ** 0.5)))
    return [*(step for step in WIDTHS if step < widest), widest]


def folder_of(name: str) -> str:
    return f"{FOLDER}/{PurePath(name).stem}"


def draw(name: str, picture: Pillow.Image) -> list[str]:
    """Draw those renditions of a decoded picture that are missing; gives their names. Raises `OSError`."""
    clean = cleaned(picture)
    widths = widths_for(clean.size)
    fallback = "png" if clean.mode == "RGBA" else "jpg"
    wanted = [(max(w for w in widths if w <= max(FALLBACK_WIDTH, widths[0])), fallback)]
    wanted += [(width, suffix) for suffix in ("avif", "webp") for width in widths]
    drawn = []
    for width, suffix in wanted:
        file = f"{folder_of(name)}/{width}.{suffix}"
        if not default_storage.exists(file):
            default_storage.save(file, ContentFile(_encoded(clean, width, suffix)))
            drawn.append(file)
    return drawn


def _encoded(picture: Pillow.Image, width: int, suffix: str) -> bytes:
    height = max(1, round(picture.height * width / picture.width))
    small = picture if width == picture.width else picture.resize((width, height), Pillow.Resampling.LANCZOS)
    file = BytesIO()
    small.save(file, FORMATS[suffix], **OPTIONS[suffix])
    return file.getvalue()


def cleaned(picture: Pillow.Image) -> Pillow.Image:
    """The picture's pixels alone: upright, in RGB or RGBA as sRGB means them, no larger than is ever drawn."""
    profile = picture.info.get("icc_profile")
    # Metadata may be any bytes; what cannot be read turns nothing.
    with suppress(Exception):
        ImageOps.exif_transpose(picture, in_place=True)
    has_alpha = picture.has_transparency_data
    if picture.mode.startswith("I"):
        # Sixteen bits of grey, of which the upper eight are shown.
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    # To convert is to copy, which takes memory for forty million pixels once more.
    if has_alpha and picture.mode != "RGBA":
        picture = picture.convert("RGBA")
    elif not has_alpha and picture.mode not in {"RGB", "L", "CMYK"}:
        picture = picture.convert("RGB")
    widest = widths_for(picture.size)[-1]
    if widest < picture.width:
        height = max(1, round(picture.height * widest / picture.width))
        picture = picture.resize((widest, height), Pillow.Resampling.LANCZOS, reducing_gap=3)
    mode = "RGBA" if has_alpha else "RGB"
    if profile:
        picture = _as_srgb(picture, profile, mode)
    picture = picture.convert(mode)
    if has_alpha and picture.getchannel("A").getextrema()[0] == 255:
        picture = picture.convert("RGB")
    # A copy without what the file said beside its pixels, which Pillow would write again.
    clean = Pillow.new(picture.mode, picture.size)
    clean.paste(picture)
    return clean


def _as_srgb(picture: Pillow.Image, profile: bytes, mode: str) -> Pillow.Image:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(picture, source, srgb, outputMode=mode) or picture
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A profile that cannot be read, or is of other colours than the picture's, is as good as none.
        return picture


@dataclass(frozen=True)
class Renditions:
    """What there is of a picture: for each format its widths, ascending, with their addresses."""

    by_format: dict[str, list[tuple[int, str]]]

    @classmethod
    def of(cls, name: str) -> Self:
        found: dict[str, list[tuple[int, str]]] = defaultdict(list)
        folder = folder_of(name)
        with suppress(FileNotFoundError, NotADirectoryError):
            for file in default_storage.listdir(folder)[1]:
                stem, _, suffix = file.partition(".")
                if suffix in FORMATS and stem.isdecimal():
                    found[suffix].append((int(stem), f"{folder}/{file}"))
        return cls({suffix: sorted(files) for suffix, files in found.items()})

    @property
    def names(self) -> list[str]:
        """All files of it, as the storage of uploads knows them."""
        return [file for files in self.by_format.values() for _, file in files]

    @property
    def fallback(self) -> str:
        """The file that every browser shows: JPEG or PNG, else the widest that there is; empty where there is none."""
        for suffix in ("jpg", "png", "webp", "avif"):
            if files := self.by_format.get(suffix):
                return files[-1][1]
        return ""

    @property
    def url(self) -> str:
        return default_storage.url(self.fallback) if self.fallback else ""

    @property
    def small_url(self) -> str:
        """Where a small one is, for forms and lists at the desk; empty where there is none."""
        return default_storage.url(self.by_format["webp"][0][1]) if "webp" in self.by_format else self.url

    @property
    def avif(self) -> str:
        return self._srcset("avif")

    @property
    def webp(self) -> str:
        return self._srcset("webp")

    def _srcset(self, suffix: str) -> str:
        return ", ".join(f"{default_storage.url(file)} {width}w" for width, file in self.by_format.get(suffix, []))
