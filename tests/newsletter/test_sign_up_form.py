import re
from datetime import timedelta

import time_machine
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory, TestCase

from articles.models import Article
from articles.models.blocks import block_types
from newsletter.models import ConsentEvent, NewsletterSignUp

from .support import NewsletterTestCase, stamp_in

TWICE = """{% load newsletter %}
{% sign_up_form as form %}{% include "newsletter/_sign_up_form.html" %}
{% sign_up_form as form %}{% include "newsletter/_sign_up_form.html" %}"""


class SignUpFormTests(TestCase):
    def setUp(self):
        request = RequestFactory().get("/articles/skills/")
        self.html = Template(TWICE).render(Context({"request": request}))

    def test_two_on_a_page_share_no_id(self):
        ids = re.findall(r' id="([^"]+)"', self.html)

        assert len(ids) == len(set(ids)) == 6
        assert set(re.findall(r' for="([^"]+)"', self.html)) <= set(ids)

    def test_the_field_helps_those_who_fill_it(self):
        field = re.search(r'<input type="email"[^>]+>', self.html)[0]

        for attribute in ('name="email"', 'autocomplete="email"', 'inputmode="email"', "required"):
            assert attribute in field

    def test_the_promises_are_made(self):
        for promise in ("Free, once a week.", "No open or click tracking.", "Leave at any time."):
            assert promise in self.html

    def test_the_trap_is_out_of_the_keyboards_way(self):
        trap = re.search(r'<input type="text"[^>]+>', self.html)[0]

        assert 'name="message"' in trap
        assert 'tabindex="-1"' in trap
        assert 'autocomplete="off"' in trap
        assert "Leave this field empty" in self.html

    def test_a_render_without_a_request_works(self):
        assert 'action="/newsletter/"' in Template(TWICE).render(Context())


class SignUpBlockTests(NewsletterTestCase):
    def test_it_is_a_block_type_whose_template_holds_the_form(self):
        block = NewsletterSignUp(heading="The AI Briefing", text="One letter a week.")

        item = NewsletterSignUp.context(block.as_item(), None, None)
        html = render_to_string(NewsletterSignUp.template(), {"items": [item]})

        assert block_types()["newsletter-sign-up"] is NewsletterSignUp
        self.assertInHTML("<h2>The AI Briefing</h2>", html)
        assert "One letter a week." in html
        assert 'type="email"' in html

    def test_a_document_brings_it_back(self):
        block = NewsletterSignUp(heading="The AI Briefing", text="One letter a week.")

        (copy,) = NewsletterSignUp.from_items([block.as_item()])

        assert (copy.heading, copy.text, str(copy)) == (block.heading, block.text, "The AI Briefing")

    def test_it_is_kept_with_its_article(self):
        article = Article.objects.create(number=1, slug="skills", title="Skills")
        NewsletterSignUp.objects.create(parent=article, region="main", ordering=1, heading="The AI Briefing")

        assert NewsletterSignUp.objects.get().parent == article

    def test_a_sign_up_from_an_article_is_recorded_with_its_page(self):
        with time_machine.travel("2026-05-04T09:00:00Z") as clock:
            request = RequestFactory().get("/articles/skills/")
            html = Template(TWICE).render(Context({"request": request}))
            clock.shift(timedelta(seconds=10))
            self.sign_up(stamp=re.search(r'name="stamp" value="([^"]+)"', html)[1])

        assert ConsentEvent.objects.get().form == "/articles/skills/"

    def test_the_page_of_the_newsletter_has_one_form(self):
        page = self.client.get("/newsletter/")

        assert page.content.decode().count('type="email"') == 1
        assert stamp_in(page).startswith("/newsletter/:")
