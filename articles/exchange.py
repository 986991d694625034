"""An article as one file: its document and the originals of its pictures in a zip, to be taken to another installation.

`article.json` is the document; `pictures/` holds the originals, each under the name that its content gives it. Nothing
else may stand in the file. The same draft gives the same bytes.
"""

import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, models, transaction

from . import drafts
from .document_checks import checked, references_of
from .documents import UnreadableDocumentError, read_document, unknown_references
from .models import Article
from .models.blocks import UnknownReferenceError
from .pictures import MAX_BYTES, NAME, is_kept, originals, size_of, take_in

DOCUMENT = "article.json"
FOLDER = "pictures/"
MOST_ENTRIES = 200
MOST_OF_DOCUMENT = 2_500_000
MOST_UNPACKED = 250_000_000
NO_PACKAGE = "This is no file that an article was exported to: a zip with article.json in it."
MEANWHILE = "Somebody saved the draft after the preview. Nothing was imported: look at it anew."
GONE = "The article was deleted after the preview. Nothing was imported: send the file again."
TAKEN = "Another article got its number or address at the same moment. Nothing was imported: send the file again."
# Others unpack a small part into as much memory as it likes to take.
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# What a reader of zip files may raise over a broken or hostile one.
BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, RuntimeError, ValueError)


class UnreadablePackageError(Exception):
    """A file is no article, or not one that can be taken here. `args[0]` lists why, a sentence each."""


@dataclass(frozen=True)
class Package:
    document: dict[str, Any]
    # The content of each picture by its name.
    pictures: dict[str, bytes] = field(default_factory=dict)


def packed(document: Mapping[str, Any]) -> bytes:
    """A document and the originals of its pictures as a zip. Raises `FileNotFoundError` where an original is lost."""
    # Sorted, because a database may keep the parts of a version's document in an order of its own.
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_entry(DOCUMENT), f"{text}\n".encode())
        for name in sorted(pictures_of(document)):
            with originals().open(name) as original:
                archive.writestr(_entry(f"{FOLDER}{name}"), original.read())
    return file.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    entry.create_system = 3
    return entry


def unpacked(file: IO[bytes]) -> Package:
    """Read such a zip. Raises `UnreadablePackageError`."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = dict(_parts(archive))
    except UnreadablePackageError:
        raise
    except BROKEN as error:
        raise UnreadablePackageError([NO_PACKAGE]) from error
    if DOCUMENT not in parts:
        raise UnreadablePackageError([NO_PACKAGE])
    document = _document(parts.pop(DOCUMENT))
    pictures = {name.removeprefix(FOLDER): content for name, content in parts.items()}
    if strange := sorted(pictures.keys() - pictures_of(document)):
        raise UnreadablePackageError([f"The file holds the picture {strange[0]}, which the article does not show."])
    return Package(document, pictures)


def _parts(archive: zipfile.ZipFile) -> Iterable[tuple[str, bytes]]:
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise UnreadablePackageError([f"The file holds more than {MOST_ENTRIES} parts."])
    seen: set[str] = set()
    room = MOST_UNPACKED
    for entry in entries:
        name = entry.filename
        is_picture = name.startswith(FOLDER) and NAME.fullmatch(name.removeprefix(FOLDER)) is not None
        if not is_picture and name != DOCUMENT:
            raise UnreadablePackageError([f"The file holds “{name[:60]}”, which is no part of an article."])
        if name in seen:
            raise UnreadablePackageError([f"The file holds {name} twice."])
        if entry.compress_type not in METHODS:
            raise UnreadablePackageError([f"{name} is compressed in a way that is not read here: use deflate."])
        seen.add(name)
        most = min(MAX_BYTES if is_picture else MOST_OF_DOCUMENT, room)
        # What the entry says of its size is not believed.
        with archive.open(entry) as part:
            content = part.read(most + 1)
        if len(content) > most:
            raise UnreadablePackageError([f"{name} is too large."])
        room -= len(content)
        yield name, content


def _document(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UnreadablePackageError(["article.json is no JSON in UTF-8."]) from error
    try:
        return checked(value)
    except UnreadableDocumentError as error:
        raise UnreadablePackageError([error.args[0]]) from error


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def keep_pictures(package: Package) -> None:
    """Take in the pictures of a package as if they had been uploaded, and see that none is missing.

    One that nothing comes to name is pruned later. Raises `UnreadablePackageError`.
    """
    problems = []
    for name, content in package.pictures.items():
        try:
            if take_in(SimpleUploadedFile(name, content)) != name:
                problems.append(f"Picture {name}: its content is not what its name says.")
        except ValidationError as error:
            problems.append(f"Picture {name}: {' '.join(error.messages)}")
    missing = missing_pictures(package.document) - package.pictures.keys()
    problems += [f"The picture {name} is neither in the file nor here." for name in sorted(missing)]
    if problems:
        raise UnreadablePackageError(problems)


def pictures_of(document: Mapping[str, Any]) -> set[str]:
    """The names of the pictures that a document shows."""
    return {item["file"] for item in document["blocks"] if item["type"] == "image"}


def missing_pictures(document: Mapping[str, Any]) -> set[str]:
    """The pictures that a document names and that are not kept here."""
    return {name for name in pictures_of(document) if not is_kept(name)}


def unknown_records(document: Mapping[str, Any]) -> list[str]:
    """Whatever a document refers to that this installation does not have, a sentence each; one query for each kind."""
    sentences = []
    for model, slugs in references_of(document).items():
        there = set(model._default_manager.filter(slug__in=slugs).values_list("slug", flat=True))
        sentences += [f"There is no {model._meta.verbose_name} “{slug}”." for slug in sorted(slugs - there)]
    return sentences + [f"There is no figure “{reference}”." for reference in unknown_references(document)]


def target_of(document: Mapping[str, Any]) -> Article | None:
    """The article whose draft a document would become, because it has its address."""
    return Article.objects.select_related("live_version").filter(slug=document["slug"]).first()


def fitted(document: Mapping[str, Any], target: Article | None) -> dict[str, Any]:
    """The document as it can be taken here: with a free place, or that of the target, and pictures as they are."""
    document = dict(document)
    if target:
        moment = target.published_at and target.published_at.isoformat()
        document |= {"number": target.number, "slug": target.slug, "published_at": moment}
    else:
        if Article.objects.filter(number=document["number"]).exists():
            document["number"] = Article.objects.all().highest_number() + 1
        document["slug"] = _free(document["slug"])
    document["blocks"] = [_measured(item) for item in document["blocks"]]
    return document


def _free(slug: str) -> str:
    """The address, with a number behind it where another article has it."""
    taken = set(Article.objects.filter(slug__startswith=slug[:100]).values_list("slug", flat=True))
    names = (slug, *(f"{slug[:110]}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def _measured(item: dict[str, Any]) -> dict[str, Any]:
    if item["type"] != "image":
        return item
    width, height = size_of(item["file"])
    return {**item, "width": width, "height": height}


def bring_in(
    document: Mapping[str, Any], target: Article | None, *, by: User | None, known: str = "", dry_run: bool = False
) -> Article:
    """Make a document the draft of an article, or a new one; readers see nothing of it. All or nothing.

    `known` is the draft's `changed_at` in ISO 8601, as it was previewed. Raises `UnreadablePackageError`.
    """
    if problems := unknown_records(document):
        raise UnreadablePackageError(problems)
    if lost := missing_pictures(document):
        raise UnreadablePackageError([f"The picture {name} is no longer here." for name in sorted(lost)])
    try:
        with transaction.atomic():
            if target and known:
                _check_unchanged(target, known)
            article = target or read_document(document)
            if target:
                drafts.replace(target, document, by=by, note="Imported from a file")
            else:
                drafts.keep(article, by=by, note="Imported from a file")
            if dry_run:
                transaction.set_rollback(True)
    except ValidationError as error:
        raise UnreadablePackageError(_in_sentences(error)) from error
    except (UnknownReferenceError, UnreadableDocumentError) as error:
        raise UnreadablePackageError([error.args[0]]) from error
    except IntegrityError as error:
        raise UnreadablePackageError([TAKEN]) from error
    return article


def _check_unchanged(target: Article, known: str) -> None:
    """Keep the draft from others until the end of the transaction, and see that it is still what was previewed."""
    article = Article.objects.select_for_update(of=("self",)).filter(pk=target.pk).first()
    if article is None or article.changed_at.isoformat() != known:
        raise UnreadablePackageError([MEANWHILE if article else GONE])


def _in_sentences(error: ValidationError) -> list[str]:
    if not hasattr(error, "error_dict"):
        return list(error.messages)
    named = {f.name: str(f.verbose_name) for f in Article._meta.fields if isinstance(f, models.Field)}
    return [
        f"{named.get(name, name).capitalize()}: {sentence}" if name != "__all__" else sentence
        for name, sentences in error.message_dict.items()
        for sentence in sentences
    ]
