"""Whether something that was read from a file is a document of an article, part by part."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import models
from django.utils.dateparse import parse_datetime

from .documents import FORMAT, UnreadableDocumentError, complete
from .models import Article, Byline
from .models.blocks import Block, block_types

MOST_BLOCKS = 1_000
MOST_BYLINES = 50
TEXTS = ("title", "standfirst", "social_text")
REFERENCES = ("category", "series", "headline")
KEYS = {"format", "number", "slug", "published_at", "bylines", "blocks", *TEXTS, *REFERENCES}
MOST_CHARACTERS = 200_000
YEARS = range(1900, 2200)


def checked(value: Any) -> dict[str, Any]:
    """The document with all its defaults. Raises `UnreadableDocumentError` with the first place that is wrong."""
    document = _object(value, "The file", KEYS)
    if document.get("format") != FORMAT:
        raise UnreadableDocumentError(f"The file is not of the format {FORMAT}.")
    missing = sorted(KEYS - document.keys())
    if missing:
        raise UnreadableDocumentError(f"The document lacks “{missing[0]}”.")
    _number(document["number"], "The number", 1, 1_000_000)
    _slug(document["slug"], "The address", _most(Article, "slug"))
    for name in TEXTS:
        _text(document[name], f"The {name.replace('_', ' ')}", _most(Article, name))
    for name in REFERENCES:
        if document[name] is not None:
            _slug(document[name], f"The {name}")
    _moment(document["published_at"])
    for place, byline in enumerate(_list(document["bylines"], "The bylines", MOST_BYLINES), start=1):
        _object(byline, f"Byline {place}", {"author", "credit"})
        _slug(byline.get("author"), f"Byline {place}: the author")
        _text(byline.get("credit"), f"Byline {place}: the credit", _most(Byline, "credit"))
    for place, item in enumerate(_list(document["blocks"], "The blocks", MOST_BLOCKS), start=1):
        _block(item, f"Block {place}")
    return complete(document)


def _most(model: type[models.Model], name: str) -> int | None:
    """How many characters a field takes."""
    return cast("models.Field", model._meta.get_field(name)).max_length


def _block(item: Any, where: str) -> None:
    types = block_types()
    name = item.get("type") if isinstance(item, dict) else None
    if not isinstance(name, str) or name not in types:
        raise UnreadableDocumentError(f"{where} is of no type that is known here.")
    fields = {field.name: field for field in types[name].content_fields()}
    _object(item, where, {"type", *fields})
    for key, value in item.items():
        if key != "type":
            _value(value, f"{where}: {fields[key].verbose_name}", fields[key])
    for key, field in fields.items():
        is_needed = not (field.null or field.blank or field.has_default()) and key not in item
        if is_needed and not isinstance(field, models.JSONField):
            raise UnreadableDocumentError(f"{where} lacks “{key}”.")


def _value(value: Any, where: str, field: models.Field) -> None:
    match field:
        case models.ForeignKey():
            if value is not None:
                _slug(value, where)
        case models.BooleanField():
            if not isinstance(value, bool):
                raise UnreadableDocumentError(f"{where}: true or false is expected.")
        case models.IntegerField():
            if value is not None or not field.null:
                _number(value, where, 0, 2**31 - 1)
        case models.JSONField():
            if not isinstance(value, list):
                raise UnreadableDocumentError(f"{where}: a list is expected.")
            try:
                field.run_validators(value)
            except ValidationError as error:
                raise UnreadableDocumentError(f"{where}: {' '.join(error.messages)}") from error
            for cell in _strings(value):
                _text(cell, where)
        case _:
            _text(value, where, field.max_length)


def _strings(value: Any) -> Sequence[str]:
    return [cell for row in value for cell in row]


def _object(value: Any, where: str, keys: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableDocumentError(f"{where} is no JSON object.")
    unknown = sorted(str(key) for key in value if key not in keys)
    if unknown:
        raise UnreadableDocumentError(f"{where} holds “{unknown[0][:60]}”, which is not known here.")
    return value


def _list(value: Any, where: str, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise UnreadableDocumentError(f"{where} are no list.")
    if len(value) > most:
        raise UnreadableDocumentError(f"{where} are more than {most}.")
    return value


def _text(value: Any, where: str, most: int | None = None) -> None:
    if not isinstance(value, str):
        raise UnreadableDocumentError(f"{where} is no text.")
    if len(value) > (most or MOST_CHARACTERS):
        raise UnreadableDocumentError(f"{where} has more than {most or MOST_CHARACTERS} characters.")
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise UnreadableDocumentError(f"{where} holds characters that are no text.")


def _slug(value: Any, where: str, most: int | None = None) -> None:
    _text(value, where, most or 200)
    try:
        validate_slug(value)
    except ValidationError as error:
        raise UnreadableDocumentError(f"{where} is no short name of letters, digits and hyphens.") from error


def _number(value: Any, where: str, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UnreadableDocumentError(f"{where} is no whole number from {least} to {most}.")


def _moment(value: Any) -> None:
    if value is None:
        return
    _text(value, "The moment of publication", 40)
    try:
        moment = parse_datetime(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year not in YEARS:
        raise UnreadableDocumentError("The moment of publication is none, or has no time zone.")


def references_of(document: Mapping[str, Any]) -> dict[type[models.Model], set[str]]:
    """The short names of the records that a document names outside its texts, by their kind."""
    named: dict[type[models.Model], set[str]] = {}

    def note(model: Any, slug: str | None) -> None:
        if slug:
            named.setdefault(model, set()).add(slug)

    for name in REFERENCES:
        note(Article._meta.get_field(name).related_model, document[name])
    for byline in document["bylines"]:
        note(Byline._meta.get_field("author").related_model, byline["author"])
    types: dict[str, type[Block]] = block_types()
    for item in document["blocks"]:
        for field in types[item["type"]].content_fields():
            if isinstance(field, models.ForeignKey):
                note(field.related_model, item.get(field.name))
    return named
