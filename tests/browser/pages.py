"""Every page that readers can meet, for the checks that look at all of them."""

import json
from dataclasses import dataclass

from .site import ROOT


@dataclass(frozen=True)
class Visit:
    """How to get to a page: its path, the status to expect, and what to POST there if anything.

    Words in braces stand for what only the staged site knows.
    """

    name: str
    path: str
    status: int = 200
    form: dict[str, str] | None = None
    # Whether a page of another site sends the form.
    is_from_elsewhere: bool = False
    # What happens to the database beforehand.
    statement: str = ""

    def filled(self, staged: dict[str, str]) -> tuple[str, dict[str, str] | None]:
        """The path and the form of this site."""
        form = self.form and {name: value.format(**staged) for name, value in self.form.items()}
        return self.path.format(**staged), form


def launch_articles() -> list[str]:
    """The paths of the launch articles, the first one first."""
    documents = [json.loads(path.read_text("utf-8")) for path in ROOT.glob("veltrix/launch/articles/*.json")]
    documents.sort(key=lambda document: (document["number"] != 60, document["number"]))
    return [f"/articles/{document['slug']}/" for document in documents]


def first(kind: str) -> str:
    """The slug of the first launch record of this kind."""
    records = json.loads((ROOT / "veltrix/launch/records.json").read_text("utf-8"))
    return records[kind][0]["slug"]


ARTICLES = launch_articles()
TOO_OLD_TOKEN = "1.1.1"

# More sign-ups in an hour than are taken.
CROWD = """
    INSERT INTO newsletter_signup (email, form, wording, network_digest, created_at, handled_at)
    WITH RECURSIVE place (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM place WHERE number < 600)
    SELECT '', '/', '', '', datetime('now'), datetime('now') FROM place
"""
PAUSE = "UPDATE newsletter_subscriber SET paused_until = '2100-01-01 00:00:00' WHERE status = 'active'"
LEAVE = """
    UPDATE newsletter_subscriber SET status = 'unsubscribed', ended_at = '2026-05-04 09:00:00' WHERE status = 'active'
"""
# An error that nobody foresaw.
BREAK = "ALTER TABLE articles_article RENAME TO lost"

PAGES = [
    Visit("home", "/"),
    Visit("articles", "/articles/"),
    Visit("articles-filtered", "/articles/?topic=ai-jobs&colour=red"),
    *(Visit(path.strip("/").replace("/", "-"), path) for path in ARTICLES),
    Visit("article-of-every-block", "/articles/every-block/"),
    Visit("topic", "/topics/ai-jobs/"),
    Visit("series", f"/series/{first('series')}/"),
    Visit("author", f"/authors/{first('authors')}/"),
    Visit("statistic", f"/statistics/{first('statistics')}/"),
    Visit("statistic-with-history", "/statistics/with-a-history/"),
    Visit("statistic-at-another-time", "/statistics/with-a-history/?as_of=2023&published_on=2026-09&colour=red"),
    Visit("statistic-without-figure", "/statistics/with-a-history/?as_of=1999"),
    Visit("sources", "/sources/"),
    Visit("source", f"/sources/{first('sources')}/"),
    Visit("source-with-figures", "/sources/wef-future-of-jobs-2023/"),
    Visit("corrections", "/corrections/"),
    Visit("careers", "/careers/"),
    Visit("careers-filtered", "/careers/?skill=python&market=gb&colour=red&sort=-gb_high"),
    Visit("careers-empty", f"/careers/?skill={first('skills')}&min=999999999"),
    Visit("careers-chart", "/careers/?view=chart&sort=-us_high"),
    Visit("careers-as-of", "/careers/?as_of=2026-06&min=lots&page=9"),
    Visit("careers-wrong", "/careers/?as_of=2999&min=lots"),
    Visit("compare", "/careers/compare/?roles=ml-engineer,data-scientist,ai-engineer-llm,prompt-engineer"),
    Visit("compare-none", "/careers/compare/?roles=ml-engineer,x"),
    Visit("role", f"/careers/{first('roles')}/"),
    Visit("path", f"/careers/paths/{first('paths')}/"),
    Visit("skills", "/careers/skills/"),
    Visit("skill", "/careers/skills/pytorch/"),
    Visit("skill-with-narrower-ones", "/careers/skills/cloud/"),
    Visit("fit", "/careers/fit/"),
    Visit("fit-results", "/careers/fit/?skills=python,sql,statistics&know=pyhton,+weaving&colour=red"),
    Visit("embed-role", f"/careers/embed/role/{first('roles')}/"),
    Visit("embed-role-frozen", f"/careers/embed/role/{first('roles')}/?as_of=2026-05"),
    Visit("embed-role-without-figure", f"/careers/embed/role/{first('roles')}/?as_of=1999"),
    Visit("embed-table", f"/careers/embed/table/{first('comparison_tables')}/"),
    Visit("embed-refused", f"/careers/embed/role/{first('roles')}/?as_of=soon", 400),
    Visit("embed-not-found", "/careers/embed/table/none/", 404),
    Visit("newsletter", "/newsletter/"),
    Visit("newsletter-address-refused", "/newsletter/", form={"email": "no address", "stamp": "x"}),
    Visit("newsletter-sent-by-another-site", "/newsletter/", 403, form={}, is_from_elsewhere=True),
    Visit("newsletter-too-many", "/newsletter/", 429, {"email": "a@example.com", "stamp": "{stamp}"}, statement=CROWD),
    Visit("newsletter-archive", "/newsletter/archive/"),
    Visit("newsletter-edition", "/newsletter/what-pay-did/"),
    Visit("newsletter-check-your-inbox", "/newsletter/check-your-inbox/"),
    Visit("newsletter-confirm", "{confirm}"),
    Visit("newsletter-confirmed", "/newsletter/confirmed/"),
    Visit("newsletter-dead-link", f"/newsletter/confirm/{TOO_OLD_TOKEN}/", 404),
    Visit("newsletter-unsubscribe", "{unsubscribe}"),
    Visit("newsletter-unsubscribed", "{unsubscribe}", form={}),
    Visit("newsletter-preferences", "{preferences}"),
    Visit("newsletter-preferences-saved", "{preferences}?done=topics"),
    Visit("newsletter-preferences-paused", "{preferences}", statement=PAUSE),
    Visit("newsletter-preferences-after-leaving", "{preferences}", statement=LEAVE),
    Visit("newsletter-erase", "{preferences}erase/"),
    Visit("newsletter-erased", "{preferences}erase/", form={}),
    Visit("newsletter-unknown-link", "/newsletter/unsubscribe/unknown/", 404),
    Visit("search", "/search/"),
    Visit("search-results", "/search/?q=engineers&colour=red"),
    Visit("search-narrowed", "/search/?q=engineers&kind=role"),
    Visit("search-suggestion", "/search/?q=pyhton"),
    Visit("search-nothing", "/search/?q=qwertyuiop"),
    Visit("search-refused", "/search/?q=***", 400),
    Visit("not-found", "/no/such/page/", 404),
    Visit("broken", "/articles/", 500, statement=BREAK),
]
