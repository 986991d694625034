from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from articles.pictures import draw_missing
from articles.stored_pictures import all_names, used_names


class Command(BaseCommand):
    help = (
        "Draw the renditions of pictures that are missing. The exit code is 1 where one cannot be drawn, or where an "
        "article names a picture that is not kept."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        kept, problems = all_names(), []
        for name in kept:
            try:
                drawn = draw_missing(name)
            except (OSError, ValidationError) as error:
                problems.append(f"{name} cannot be drawn: {' '.join(getattr(error, 'messages', [str(error)]))}")
            else:
                for file in drawn:
                    self.stdout.write(f"Drawn: {file}")
        problems += [f"{name} is named by an article and not kept." for name in sorted(used_names() - set(kept))]
        if problems:
            raise CommandError("\n".join(problems))
