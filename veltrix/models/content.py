from django.db import models
from django.db.models.functions import Now


class ContentChange(models.Model):
    """A change of what readers see that the page cache may not know of yet.

    It is written in the transaction of the change and goes when the cache has begun a new generation, so a row that
    stays tells of a process that was killed in between, or of a store that could not be reached.
    """

    made_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"Change {self.pk}"
