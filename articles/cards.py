"""The social card of an article: what it says, and how it is kept once it is drawn.

A card is live as figures are: its address tells what it says, so whoever has kept it need never ask again, and another
figure in force has another address.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.urls import reverse
from django.utils import timezone
from PIL import Image as Pillow

from .card_drawing import HEIGHT, WIDTH, Words, drawn
from .models import Article, Statistic
from .renditions import Renditions
from .review import badges_of
from .typefaces import drawable

# Another look, another digest.
DESIGN = 1
# So many drawn cards are kept; the oldest go.
MOST_KEPT = 500


@dataclass(frozen=True)
class Card:
    words: Words
    # The name of a picture for want of a figure, and its focus.
    picture: str = ""
    focus: tuple[int, int] = (50, 50)

    width = WIDTH
    height = HEIGHT

    @classmethod
    def of(cls, document: Mapping[str, Any], highest_number: int) -> Self:
        """The card of an article's document with the figure in force; two queries where it has a headline figure."""
        return cls._of(document, highest_number, _headlines([document]))

    @classmethod
    def _of(cls, document: Mapping[str, Any], highest_number: int, headlines: Mapping[str, Statistic]) -> Self:
        number = document["number"]
        said = _said_of_figure(headlines.get(document["headline"]))
        words = Words(
            title=drawable(document["title"]) or f"Number {number}",
            line=drawable(document["social_text"]),
            number=number,
            highest_number=max(highest_number, number),
            **{name: drawable(text) for name, text in said.items()},
        )
        image = next((item for item in document["blocks"] if item["type"] == "image"), None)
        if image is None or words.figure:
            return cls(words)
        return cls(words, image["file"], (image.get("focus_x", 50), image.get("focus_y", 50)))

    @classmethod
    def live(cls, article: Article, highest_number: int) -> Self:
        """The card of what readers see of a published article; `live_version` should come with it."""
        return cls.all_live([article], highest_number)[0]

    @classmethod
    def all_live(cls, articles: Sequence[Article], highest_number: int) -> list[Self]:
        """The cards of these published articles, in as many queries as for one."""
        documents = [article.live_version.document for article in articles if article.live_version]
        if len(documents) < len(articles):
            raise ValueError("The article was never published.")
        headlines = _headlines(documents)
        return [cls._of(document, highest_number, headlines) for document in documents]

    @property
    def digest(self) -> str:
        return sha256(json.dumps([DESIGN, asdict(self)]).encode()).hexdigest()[:20]

    @property
    def alt(self) -> str:
        """What the card says, for those who cannot see it."""
        words = self.words
        figure = f" {words.figure} {words.claim}" if words.figure else ""
        return f"Number {words.number} of {words.highest_number}: {words.title}{figure}"

    def address(self, slug: str) -> str:
        """Where readers' programs get it, on this site."""
        return f"{reverse('articles:card', args=[slug])}?v={self.digest}"

    def drawn(self) -> bytes:
        """The card as PNG."""
        return drawn(self.words, _picture(self.picture), self.focus)

    def png(self) -> bytes:
        """The card as PNG, from what is kept where it was drawn before; where nothing can be kept it is drawn anew."""
        kept, name = storages["cards"], f"{self.digest}.png"
        with suppress(OSError), kept.open(name) as file:
            return file.read()
        content = self.drawn()
        with suppress(OSError):
            kept.save(name, ContentFile(content))
            _drop_oldest(Path(kept.path("")))
        return content


def _headlines(documents: Iterable[Mapping[str, Any]]) -> dict[str, Statistic]:
    slugs = {document["headline"] for document in documents if document["headline"]}
    return {found.slug: found for found in Statistic.objects.filter(slug__in=slugs).with_current()} if slugs else {}


def _said_of_figure(statistic: Statistic | None) -> dict[str, str]:
    if statistic is None or (value := statistic.current) is None or value.is_withdrawn:
        return {}
    badges = badges_of(value, timezone.localdate())
    return {
        "figure": value.text,
        "claim": statistic.claim,
        "source": value.source.citation if value.source else "",
        "status": badges[0].words if badges else "",
    }


def _picture(name: str) -> Pillow.Image | None:
    file = Renditions.of(name).fallback if name else ""
    if not file:
        return None
    try:
        with default_storage.open(file) as content, Pillow.open(content) as picture:
            picture.load()
            return picture
    except OSError:
        return None


def _drop_oldest(folder: Path) -> None:
    cards = sorted(folder.glob("*.png"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in cards[MOST_KEPT:]:
        path.unlink(missing_ok=True)
