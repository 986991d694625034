from django.core.exceptions import ValidationError

from veltrix.publication import NAME, NEWSLETTER

# What somebody who guesses at this site tries first (ASVS 6.2.11); what is left of a password has to be long enough.
WORDS = [NAME, NEWSLETTER, "briefing", "newsletter", "editor", "admin", "password"]
SHORTEST_REST = 10


class NoWordsOfTheHouse:
    """Refuses passwords that are hardly more than words of the house, in whatever capitals and with whatever marks."""

    def validate(self, password: str, user: object = None) -> None:
        rest = _letters(password)
        for word in WORDS:
            rest = rest.replace(_letters(word), "")
        if len(rest) < SHORTEST_REST:
            raise ValidationError(self.get_help_text(), code="words_of_the_house")

    def get_help_text(self) -> str:
        return f"Your password needs {SHORTEST_REST} characters beside such words as “{NAME}”, “editor” or “password”."


def _letters(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())
