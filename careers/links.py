"""What there is at the addresses of this app, for links in articles."""

from articles.links import enter

from .models import CareerPath, ComparisonTable, Role, Skill

enter("careers:role", lambda: Role.objects.all())
enter("careers:path", lambda: CareerPath.objects.all())
enter("careers:skill", lambda: Skill.objects.all())
enter("careers:embed_role", lambda: Role.objects.all())
enter("careers:embed_table", lambda: ComparisonTable.objects.all())
