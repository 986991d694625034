"""How the engines would answer a query."""

from django.db import connection


def plan_of(query):
    """The plan of a query set, with an index wherever one will do: PostgreSQL goes by how few rows a test has."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
    return query.explain()
