"""Uploaded pictures: what is taken, and under what name it is kept."""

import secrets
from contextlib import suppress
from pathlib import PurePath
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from PIL import Image as Pillow

IMAGE_FORMATS = {"JPEG": [".jpg", ".jpeg"], "PNG": [".png"], "WEBP": [".webp"], "AVIF": [".avif"]}
MAX_IMAGE_BYTES = 8_000_000
MAX_IMAGE_PIXELS = 40_000_000


def validate_image(file: Any) -> None:
    """Refuse what is too big, or is no picture of an accepted format whatever its name says."""
    if not (isinstance(file, UploadedFile) or isinstance(getattr(file, "_file", None), UploadedFile)):
        return
    if file.size > MAX_IMAGE_BYTES:
        raise ValidationError("This picture is larger than 8 MB. Make it smaller and try again.")
    file.seek(0)
    with Pillow.open(file) as picture:
        suffixes = IMAGE_FORMATS.get(picture.format or "")
        if suffixes is None:
            raise ValidationError("This is no JPEG, PNG, WebP or AVIF picture.")
        if PurePath(file.name).suffix.lower() not in suffixes:
            raise ValidationError(
                f"This is a {picture.format} picture under another name: end its name in {suffixes[0]}."
            )
        if picture.width * picture.height > MAX_IMAGE_PIXELS:
            raise ValidationError("This picture has more than 40 million pixels. Make it smaller and try again.")
    file.seek(0)


def image_path(block: models.Model, name: str) -> str:
    """A name of our own, so that no name of the uploader's reaches the disk."""
    return f"articles/{secrets.token_hex(12)}{PurePath(name).suffix.lower()}"


class PictureField(models.ImageField):
    """An image field whose row can still be saved when its file has gone missing."""

    def update_dimension_fields(self, *args: Any, **kwargs: Any) -> None:
        with suppress(FileNotFoundError):
            super().update_dimension_fields(*args, **kwargs)

    def formfield(self, **kwargs: Any) -> Any:
        message = "This file is no picture that can be read. Choose a JPEG, PNG, WebP or AVIF file."
        return super().formfield(**{"error_messages": {"invalid_image": message}, **kwargs})

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.ImageField", args, kwargs
