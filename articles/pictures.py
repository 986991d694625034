"""Uploaded pictures: what is taken in, and how it is kept.

The file as it was uploaded, its original, is kept where nobody is served it, under a name made from its content.
Readers are served renditions of it; see `articles.renditions`.
"""

import os
import re
import time
from hashlib import sha256
from io import BytesIO
from pathlib import PurePath
from threading import Lock
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.validators import RegexValidator
from PIL import ExifTags, UnidentifiedImageError
from PIL import Image as Pillow

from . import renditions

# The formats that are taken, with the ends of their files' names; the first is ours.
SUFFIXES = {"JPEG": [".jpg", ".jpeg"], "PNG": [".png"], "WEBP": [".webp"], "AVIF": [".avif"]}
MAX_BYTES = 8_000_000
MAX_PIXELS = 40_000_000
# A little less than what WebP can hold.
MAX_SIDE = 16_000

# A large picture takes half a gigabyte of memory while it is drawn, so each process draws one at a time.
ONE_AT_A_TIME = Lock()

NAME = re.compile(r"[0-9a-f]{40}\.(?:jpg|png|webp|avif)")
# EXIF's orientations that lay a picture on its side.
ON_ITS_SIDE = {5, 6, 7, 8}

TOO_MANY_PIXELS = "This picture has more than 40 million pixels. Make it smaller and try again."
DAMAGED = "This picture is damaged or not all there. Save it anew from where it was made, or choose another."
# Signs of what people try beside pictures, and what to do about it; the first that is found counts.
STRANGERS = [
    (re.compile(rb"\AGIF8"), "This is a GIF, which may move. Save it as a PNG and choose that."),
    (
        re.compile(rb"\A\s*(?:<\?xml|<!|<svg|\xef\xbb\xbf<)"),
        "This is an SVG drawing or a web page. Export the picture as a PNG.",
    ),
    (re.compile(rb"\A.{4}ftyp(?:hei|hev|mif1|msf1)", re.DOTALL), "This is a HEIC picture. Export it as a JPEG."),
    (re.compile(rb"\A(?:II\*\0|MM\0\*|BM)"), "This is a TIFF or BMP picture. Export it as a PNG."),
    (re.compile(rb"\A%PDF"), "This is a PDF. Export the picture in it as a PNG."),
    (re.compile(rb"\A(?:\xff\xd8|\x89PNG|RIFF.{4}WEBP|.{4}ftypavi[fs])", re.DOTALL), DAMAGED),
    (re.compile(rb"\A\Z"), "This file is empty. Choose another."),
]
NO_PICTURE = "This file is no picture that can be read. Choose a JPEG, PNG, WebP or AVIF file."

validate_name = RegexValidator(NAME.pattern + r"\Z", "No picture has such a name.")


def originals() -> Any:
    return storages["originals"]


def take_in(file: Any) -> str:
    """Check an uploaded picture, keep its original and draw its renditions; gives the name that it is known by.

    What was taken in before is known by the same name. Raises `ValidationError`, which says what to do.
    """
    if file.size > MAX_BYTES:
        raise ValidationError("This picture is larger than 8 MB. Make it smaller and try again.")
    file.seek(0)
    content = file.read()
    with ONE_AT_A_TIME:
        picture = decoded(content, called=file.name or "")
        name = sha256(content).hexdigest()[:40] + SUFFIXES[format_of(picture)][0]
        try:
            originals().save(name, ContentFile(content))
            renew(name)
            renditions.draw(name, picture)
        except OSError as error:
            message = "The picture cannot be kept at the moment. Try again, and tell whoever looks after this site."
            raise ValidationError(message) from error
    return name


def draw_missing(name: str) -> list[str]:
    """Draw the missing renditions of a kept original; gives their names. Raises `OSError` or `ValidationError`."""
    with originals().open(name) as file, ONE_AT_A_TIME:
        return renditions.draw(name, decoded(file.read(), called=name))


def is_kept(name: str) -> bool:
    """Whether there is an original of this name."""
    return NAME.fullmatch(name) is not None and bool(originals().exists(name))


def renew(name: str) -> bool:
    """Make a kept picture as fresh as one just taken in, so that it is not pruned before a draft names it.

    False where none of this name is kept.
    """
    if not is_kept(name):
        return False
    os.utime(originals().path(name))
    return True


def size_of(name: str) -> tuple[int, int]:
    """Width and height of an original in pixels, as it is seen upright. Raises `FileNotFoundError`."""
    with originals().open(name) as file, opened(file) as picture:
        return upright_size(picture)


def names_in(text: str) -> set[str]:
    """The names of pictures that a document, or what is typed in a form, holds anywhere."""
    return set(NAME.findall(text))


def age_of(name: str) -> float:
    """Seconds since an original was last taken in."""
    return time.time() - os.stat(originals().path(name)).st_mtime


def decoded(content: bytes, *, called: str) -> Pillow.Image:
    """The picture in an uploaded file, read to its end; `called` is the name that it came with."""
    try:
        picture = opened(BytesIO(content))
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise ValidationError(TOO_MANY_PIXELS) from None
    # What a decoder may raise over a broken or hostile file is not listed anywhere.
    except Exception as error:
        is_unknown = isinstance(error, UnidentifiedImageError)
        raise ValidationError(_what_else(content) if is_unknown else DAMAGED) from error
    _check(picture, called)
    try:
        # JPEG can be decoded at a half or a quarter, which saves time and memory.
        picture.draft(None, (renditions.WIDTHS[-1], renditions.WIDTHS[-1]))
        picture.load()
    except Exception as error:
        raise ValidationError(DAMAGED) from error
    return picture


def _check(picture: Pillow.Image, called: str) -> None:
    """Refuse by what the first bytes say, before anything is decoded."""
    kind = format_of(picture)
    if PurePath(called).suffix.lower() not in SUFFIXES[kind]:
        raise ValidationError(
            f"This is a {kind.replace('WEBP', 'WebP')} picture under another name: end its name in {SUFFIXES[kind][0]}."
        )
    if picture.width * picture.height > MAX_PIXELS:
        raise ValidationError(TOO_MANY_PIXELS)
    if max(picture.size) > MAX_SIDE:
        raise ValidationError("This picture is longer than 16,000 pixels on one side. Make it smaller and try again.")
    if picture.format != "MPO" and getattr(picture, "n_frames", 1) > 1:
        raise ValidationError("This picture moves. Save one frame of it as a PNG and choose that.")


def _what_else(content: bytes) -> str:
    return next((advice for sign, advice in STRANGERS if sign.search(content[:512])), NO_PICTURE)


def opened(file: IO[bytes]) -> Pillow.Image:
    """A picture of which only the header is read so far, by no other decoder than those of the formats taken."""
    return Pillow.open(file, formats=list(SUFFIXES))


def format_of(picture: Pillow.Image) -> str:
    """One of `SUFFIXES`: a camera's JPEG with a second picture for depth or brightness (MPO) is a JPEG."""
    return "JPEG" if picture.format == "MPO" else str(picture.format)


def upright_size(picture: Pillow.Image) -> tuple[int, int]:
    try:
        is_on_its_side = picture.getexif().get(ExifTags.Base.Orientation) in ON_ITS_SIDE
    except Exception:  # noqa: BLE001 - metadata may be any bytes
        is_on_its_side = False
    return (picture.height, picture.width) if is_on_its_side else (picture.width, picture.height)
