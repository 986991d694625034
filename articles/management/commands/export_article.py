import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from articles.documents import document_of
from articles.exchange import packed
from articles.models import Article


class Command(BaseCommand):
    help = "Write an article, its pictures included, to one file that import_article takes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="The last part of the article’s address.")
        parser.add_argument("--live", action="store_true", help="What readers see, instead of the saved draft.")
        parser.add_argument("-o", "--output", help="The file to write; SLUG.zip without it, “-” for standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        article = Article.objects.select_related("live_version").filter(slug=options["slug"]).first()
        if article is None:
            raise CommandError(f"There is no article at “{options['slug']}”.")
        if options["live"] and article.live_version is None:
            raise CommandError("Readers do not see this article: there is no live version.")
        live = article.live_version if options["live"] else None
        try:
            content = packed(live.document if live else document_of(article))
        except FileNotFoundError as error:
            raise CommandError("The file of one of its pictures is lost.") from error
        if options["output"] == "-":
            if sys.stdout.isatty():
                raise CommandError("A zip is nothing for a terminal: name a file, or send it on.")
            sys.stdout.buffer.write(content)
            return
        file = Path(options["output"] or f"{article.slug}.zip")
        try:
            file.write_bytes(content)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Written: {file}")
