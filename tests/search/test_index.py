"""The index holds what readers see, from the moment at which they see it, whatever changes it and whatever dies."""

from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from io import StringIO
from unittest import mock

import time_machine
from django.apps import apps
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from modelsearch.models import IndexEntry

from articles import schedule, searched
from articles.models import Article, RichText, Statistic, StatisticValue
from careers.merging import merge
from careers.models import Requirement, Role, Skill, SkillAlias
from newsletter import composing
from newsletter.supervision import Supervisor
from tests.committed import CommittedTestCase
from tests.factories import (
    make_article,
    make_draft,
    make_path,
    make_role,
    make_skill,
    make_source,
    make_statistic,
    make_user,
    publish_as_is,
)
from tests.newsletter.lists import make_edition, make_part, make_sent
from veltrix.models import SearchEntry, SearchMark, SearchWord
from veltrix.search import index

HOUR = timedelta(hours=1)


def found(client, words, **parameters):
    """The addresses that a search gives, in its order."""
    answer = client.get("/search/", {"q": words, **parameters}).context["answer"]
    return [result.path for result in answer.results]


class ArticleTests(TestCase):
    def setUp(self):
        self.now = (timezone.now() + timedelta(seconds=1)).replace(microsecond=0)
        self.tomorrow = self.now + 24 * HOUR

    def found_at(self, moment, words):
        with time_machine.travel(moment, tick=False):
            return found(self.client, words)

    def test_a_draft_is_never_found(self):
        make_draft(title="Zebras", html="<p>Giraffes</p>", standfirst="Okapis")

        for word in ("zebras", "giraffes", "okapis"):
            assert found(self.client, word) == []

    def test_a_published_article_is_found_by_every_text_that_it_shows(self):
        article = make_article(title="Zebras", standfirst="Okapis", html="<h2>Lions</h2><p>Giraffes</p>")

        for word in ("zebras", "okapis", "lions", "giraffes"):
            assert found(self.client, word) == [article.get_absolute_url()]

    def test_the_draft_of_a_live_article_is_not_found_before_it_is_published(self):
        article = make_article(slug="piece", title="Zebras", html="<p>Before</p>")
        RichText.objects.filter(parent=article).update(html="<p>Giraffes</p>")
        article.title = "Okapis"
        article.save()

        assert (found(self.client, "giraffes"), found(self.client, "okapis")) == ([], [])
        assert found(self.client, "zebras") == ["/articles/piece/"]

        publish_as_is(article)

        assert found(self.client, "giraffes okapis") == ["/articles/piece/"]
        assert found(self.client, "zebras") == []

    def test_a_scheduled_article_is_found_from_its_moment_on(self):
        schedule.schedule(make_draft(slug="piece", title="Zebras"), at=self.tomorrow, by=None, reason="A test.")

        assert self.found_at(self.now, "zebras") == []
        assert self.found_at(self.tomorrow - timedelta(seconds=1), "zebras") == []
        assert self.found_at(self.tomorrow, "zebras") == ["/articles/piece/"]

    def test_a_scheduled_article_that_is_moved_or_cancelled_is_found_at_its_new_moment_or_never(self):
        article = make_draft(slug="piece", title="Zebras")
        schedule.schedule(article, at=self.tomorrow, by=None, reason="A test.")
        self.found_at(self.now, "zebras")
        schedule.move(article, schedule.What.PUBLICATION, at=self.tomorrow + HOUR, by=None)

        assert self.found_at(self.tomorrow, "zebras") == []

        schedule.cancel(article, schedule.What.PUBLICATION, by=None)

        assert self.found_at(self.tomorrow + HOUR, "zebras") == []

    def test_a_change_is_found_from_its_moment_on_and_what_it_replaces_until_then(self):
        article = make_article(slug="piece", title="Zebras")
        Article.objects.filter(pk=article.pk).update(title="Okapis")
        article.refresh_from_db()
        schedule.schedule(article, at=self.tomorrow, by=None, reason="A test.")

        before = self.tomorrow - timedelta(seconds=1)
        assert (self.found_at(before, "zebras"), self.found_at(before, "okapis")) == (["/articles/piece/"], [])
        assert self.found_at(self.tomorrow, "okapis") == ["/articles/piece/"]
        assert self.found_at(self.tomorrow, "zebras") == []

    def test_a_withdrawn_article_is_not_found_until_it_returns(self):
        article = make_article(slug="piece", title="Zebras")
        assert found(self.client, "zebras") == ["/articles/piece/"]

        schedule.withdraw(article)

        assert found(self.client, "zebras") == []
        article.refresh_from_db()
        publish_as_is(article)
        assert found(self.client, "zebras") == ["/articles/piece/"]

    def test_an_article_whose_withdrawal_is_scheduled_is_found_until_then(self):
        schedule.withdraw(make_article(slug="piece", title="Zebras"), at=self.tomorrow)

        assert self.found_at(self.tomorrow - timedelta(seconds=1), "zebras") == ["/articles/piece/"]
        assert self.found_at(self.tomorrow, "zebras") == []

    def test_it_is_found_at_its_new_address(self):
        article = make_article(slug="piece", title="Zebras")
        found(self.client, "zebras")
        article.slug = "moved"
        article.save()

        assert found(self.client, "zebras") == ["/articles/moved/"]

    def test_what_readers_no_longer_see_is_not_shown_even_if_the_index_has_it(self):
        article = make_article(title="Zebras")
        found(self.client, "zebras")
        Article.objects.filter(pk=article.pk).update(withdrawn_at=timezone.now())

        page = self.client.get("/search/", {"q": "zebras"})

        assert page.context["answer"].results == []
        self.assertNotContains(page, "Zebras")

    def test_the_launch_content_is_found(self):
        call_command("load_launch_content", stdout=StringIO())

        assert found(self.client, "prompt engineer")[0] == "/careers/prompt-engineer/"
        assert found(self.client, "without a technical degree")[0].startswith("/articles/")
        assert found(self.client, "sklearn") == ["/careers/skills/scikit-learn/"]
        assert "/statistics/new-ai-roles-projected/" in found(self.client, "97M")


class RecordTests(TestCase):
    def test_a_role_is_found_by_its_name_its_summary_and_what_it_asks_for(self):
        path = make_path()
        make_role("Zookeeper", summary="Feeds giraffes.", core=["Mucking"], path=path)
        Requirement.objects.create(path=path, importance="must", label="Patience")

        for word in ("zookeeper", "giraffe", "mucking", "patience"):
            assert "/careers/zookeeper/" in found(self.client, word)

    def test_a_role_with_lists_of_its_own_is_not_found_by_those_of_its_path(self):
        path = make_path()
        role = make_role("Zookeeper", core=["Mucking"], path=path)
        Requirement.objects.create(path=path, importance="must", label="Patience")
        assert found(self.client, "patience") == ["/careers/zookeeper/"]

        own = Requirement.objects.create(role=role, importance="nice", label="Kindness")

        assert (found(self.client, "patience"), found(self.client, "kindness")) == ([], ["/careers/zookeeper/"])

        own.delete()

        assert found(self.client, "patience") == ["/careers/zookeeper/"]

    def test_a_changed_role_is_found_as_it_is(self):
        role = make_role("Zookeeper")
        found(self.client, "zookeeper")
        role.name = "Warden"
        role.save()

        assert (found(self.client, "zookeeper"), found(self.client, "warden")) == ([], ["/careers/zookeeper/"])

        role.delete()

        assert found(self.client, "warden") == []

    def test_a_skill_is_found_by_its_other_names(self):
        skill = make_skill("scikit-learn")
        alias = SkillAlias.objects.create(skill=skill, alias="sklearn")

        assert found(self.client, "sklearn") == found(self.client, "scikit") == ["/careers/skills/scikit-learn/"]

        alias.delete()

        assert found(self.client, "sklearn") == []

    def test_a_merged_skill_leads_to_the_one_in_its_place(self):
        old, new = make_skill("Torch"), make_skill("PyTorch")
        SkillAlias.objects.create(skill=old, alias="libtorch")
        assert found(self.client, "libtorch") == ["/careers/skills/torch/"]

        merge([old], new, make_user())

        for word in ("torch", "libtorch"):
            assert found(self.client, word) == ["/careers/skills/pytorch/"]

    def test_a_statistic_is_found_with_its_figure_and_only_while_it_has_one(self):
        source = make_source(producer="Bureau of Beasts")
        statistic = make_statistic("97M", claim="zebras are striped.", slug="stripes", source=source)

        for words in ("zebras", "97M", "bureau of beasts"):
            assert found(self.client, words) == ["/statistics/stripes/"]
        self.assertContains(self.client.get("/search/?q=zebras"), "Statistic: 97M")

        value = statistic.values.get().publish_successor(why="update", display_text="98M", value=98_000_000)

        assert (found(self.client, "97M"), found(self.client, "98M")) == ([], ["/statistics/stripes/"])
        value.publish_successor(why="retraction", why_note="It was wrong.")
        assert found(self.client, "zebras") == []

    def test_a_statistic_without_a_published_figure_is_not_found(self):
        statistic = Statistic.objects.create(slug="stripes", claim="zebras are striped.", unit="share")
        StatisticValue.objects.create(statistic=statistic, value=42, display_text="42%")

        assert found(self.client, "zebras") == []

    def test_an_edition_is_found_once_it_is_in_the_archive(self):
        edition = make_edition(slug="first", subject="Zebras", intro="<p>Giraffes</p>")
        assert found(self.client, "zebras") == []

        composing.freeze(edition)
        edition.state = "sending"
        edition.scheduled_at = edition.audience_at = edition.prepared_at = edition.started_at = timezone.now()
        edition.save()

        assert found(self.client, "zebras") == found(self.client, "giraffes") == ["/newsletter/first/"]

    def test_an_edition_is_found_by_the_articles_in_it(self):
        figure = {"text": "97M", "claim": "zebras are striped", "source": "", "note": "", "path": "/statistics/x/"}
        make_sent(make_part(7, kicker="Safari", figure=figure), slug="first", subject="A subject")

        for words in ("Article 7", "97M striped zebras", "safari"):
            assert "/newsletter/first/" in found(self.client, words)


class MarkTests(CommittedTestCase):
    def test_what_is_committed_is_indexed_at_once(self):
        make_role("Zookeeper")

        assert SearchEntry.objects.get().heading == "Zookeeper"
        assert not SearchMark.objects.exists()

    def test_what_a_process_did_not_live_to_index_is_indexed_by_whoever_searches_next(self):
        with mock.patch("veltrix.search.index.work_off", side_effect=SystemExit):
            try:
                make_role("Zookeeper")
            except SystemExit:
                pass
        assert (SearchEntry.objects.count(), SearchMark.objects.count()) == (0, 1)

        assert found(self.client, "zookeeper") == ["/careers/zookeeper/"]
        assert not SearchMark.objects.exists()

    def test_a_change_that_comes_while_a_mark_is_worked_off_keeps_its_own(self):
        role = make_role("Zookeeper")
        loading = index.renew

        def renew_and_rename(kind, keys, **options):
            loading(kind, keys, **options)
            SearchMark.objects.create(kind="role", key=role.pk)

        SearchMark.objects.create(kind="role", key=role.pk)
        with mock.patch("veltrix.search.index.renew", side_effect=renew_and_rename):
            index.settle(most=1)

        assert SearchMark.objects.count() == 1

    def test_an_index_that_cannot_be_renewed_still_answers(self):
        make_role("Zookeeper")
        SearchMark.objects.create(kind="role", key=1)

        with mock.patch("veltrix.search.index.renew", side_effect=OperationalError("locked")):
            assert found(self.client, "zookeeper") == ["/careers/zookeeper/"]

        assert SearchMark.objects.count() == 1

    def test_the_worker_works_off_what_is_left(self):
        with mock.patch("veltrix.search.index.work_off"):
            make_role("Zookeeper")
        assert not SearchEntry.objects.exists()

        Supervisor(["manage.py"], tasks=0, senders=0, lanes=1)._look_after()

        assert SearchEntry.objects.get().heading == "Zookeeper"

    def test_what_an_installation_has_already_is_entered_after_an_update(self):
        make_role("Zookeeper")
        make_article(title="Zebras")
        SearchEntry.objects.all().delete()

        import_module("veltrix.migrations.0006_mark_all_for_search").mark_all(apps, None)

        assert len(found(self.client, "zookeeper")) == len(found(self.client, "zebras")) == 1


class RebuildTests(TestCase):
    def setUp(self):
        make_role("Zookeeper", summary="Feeds giraffes.")
        make_article(slug="piece", title="Zebras")
        make_draft(title="A draft")
        index.settle()

    def rebuild(self):
        output = StringIO()
        call_command("rebuild_search_index", stdout=output)
        return output.getvalue()

    def test_a_lost_index_is_made_again_by_one_command(self):
        SearchEntry.objects.all().delete()
        SearchWord.objects.all().delete()
        IndexEntry.objects.all().delete()
        assert found(self.client, "zebras") == []

        assert self.rebuild() == "2 pages can be found.\n"

        assert found(self.client, "zebras") == ["/articles/piece/"]
        assert found(self.client, "giraffes") == ["/careers/zookeeper/"]
        assert SearchWord.objects.filter(word="giraffes").exists()

    def test_what_should_not_be_in_it_is_thrown_out(self):
        index._save([SearchEntry(id="role:99", kind="role", key=99, path="/x/", heading="Ghosts")])
        index._save([SearchEntry(id="song:1", kind="song", key=1, path="/x/", heading="Ghosts")])

        self.rebuild()

        assert sorted(SearchEntry.objects.values_list("kind", flat=True)) == ["article", "role"]
        assert IndexEntry.objects.count() == 2
        assert not SearchWord.objects.filter(word="ghosts").exists()

    def with_roles(self, **ways):
        """Let these ways of the kind of roles be others."""
        return mock.patch.dict(searched._kinds, {"role": replace(searched.kinds()["role"], **ways)})

    def test_what_changes_while_it_is_read_is_found_as_it_is(self):
        kind, role = searched.kinds()["role"], Role.objects.get()

        def load(keys):
            words = list(kind.load(keys))
            # Another process commits, and has worked off its mark before what was read here is written.
            Role.objects.filter(pk=role.pk, summary="Feeds giraffes.").update(summary="Feeds okapis.")
            return words

        with self.with_roles(load=load):
            self.rebuild()

        assert found(self.client, "okapis") == ["/careers/zookeeper/"]
        assert found(self.client, "giraffes") == []

    def test_what_is_entered_after_its_kind_was_asked_for_its_records_stays(self):
        with self.with_roles(keys=list):
            self.rebuild()

        assert found(self.client, "zookeeper") == ["/careers/zookeeper/"]

    def test_an_entry_that_stays_the_same_is_not_written_again(self):
        Role.objects.get().save()

        with CaptureQueriesContext(connection) as captured:
            index.settle()

        writes = [query["sql"] for query in captured if query["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]
        assert {statement.split(" WHERE")[0] for statement in writes} == {'DELETE FROM "veltrix_searchmark"'}

    def test_a_record_that_cannot_be_indexed_keeps_no_other_from_it(self):
        make_role("Zebra keeper", slug="no slug at all: é")
        make_role("Zebra vet")

        with self.assertLogs("veltrix.search.index", "ERROR"):
            assert found(self.client, "zebra vet") == ["/careers/zebra-vet/"]

        assert not SearchMark.objects.exists()

    def test_every_page_that_was_entered_is_in_the_engine_once(self):
        for _ in range(2):
            Role.objects.get().save()
            Skill.objects.all().delete()
            index.settle()
            self.rebuild()

        assert IndexEntry.objects.count() == SearchEntry.objects.count() == 2
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM modelsearch_indexentry_fts")
                assert cursor.fetchone() == (2,)
