"""What there is at the addresses of this app, for links in articles and editions."""

from articles.links import enter

from .models import Edition

enter("newsletter:edition", lambda: Edition.objects.in_archive())
