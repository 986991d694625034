from django.db import models


class Announcement(models.Model):
    """What machines elsewhere were last told of an address of this site: the state in which it was then."""

    path = models.CharField(max_length=300, unique=True)
    is_feed = models.BooleanField(default=False)
    state = models.CharField(max_length=64)
    announced_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["path"]

    def __str__(self) -> str:
        return self.path
