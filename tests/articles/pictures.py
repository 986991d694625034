"""Picture files as people, cameras and attackers make them."""

import struct
import zlib
from io import BytesIO

from django.core.files.base import ContentFile
from PIL import Image as Pillow
from PIL import ImageCms, PngImagePlugin

from articles.pictures import take_in

SECRET = "Where-it-was-taken"


def picture(kind="PNG", size=(640, 400), mode="RGB", colour="teal", **options):
    """The content of a picture file."""
    image = Pillow.new(mode, size, colour)
    return saved(image, kind, **options)


def saved(image, kind, **options):
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def kept(**values):
    """The name of a picture that is taken in."""
    return take_in(ContentFile(picture(**values), "x.png"))


def exif(orientation=1):
    """Metadata that says where, by whom and with what a picture was taken."""
    data = Pillow.Exif()
    data[0x0112] = orientation
    data[0x010E] = data[0x013B] = SECRET
    data.get_ifd(0x8825)[1] = "N"
    data.get_ifd(0x8825)[2] = (51.0, 30.0, 26.0)
    data.get_ifd(0x8825)[29] = SECRET
    return data


def telling(kind):
    """A picture that says where it was taken in every way that its format has."""
    options = {"exif": exif(), "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}
    if kind == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_text("Comment", SECRET)
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", SECRET)
    else:
        options["xmp"] = f"<x:xmpmeta>{SECRET}</x:xmpmeta>".encode()
    if kind == "JPEG":
        options["comment"] = SECRET.encode()
    return picture(kind, **options)


def moving(kind):
    frames = [Pillow.new("RGB", (40, 30), colour) for colour in ("teal", "red", "navy")]
    file = BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def png_that_claims(width, height):
    """A PNG of a few bytes whose header promises so many pixels."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
