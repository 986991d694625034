from django.test import Client, override_settings
from django.utils import timezone

from newsletter.models import ConsentEvent, Subscriber, Suppression

from .support import ADDRESS, NewsletterTestCase, link_in
from .test_models import make_subscriber

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class UnsubscribeTests(NewsletterTestCase):
    def setUp(self):
        super().setUp()
        self.subscriber = self.subscribe()
        self.link = link_in(self.mailbox.letters[-1], "unsubscribe")

    def status(self):
        return Subscriber.objects.get().status

    def test_following_the_link_shows_a_button_and_changes_nothing(self):
        self.assertContains(self.client.get(self.link), "Leave the newsletter")
        self.client.head(self.link)

        assert self.status() == "active"
        assert not Suppression.objects.exists()

    def test_pressing_the_button_leaves(self):
        response = self.post(self.link)

        self.assertContains(response, "You have left", status_code=200)
        assert self.status() == "unsubscribed"
        event = ConsentEvent.objects.latest("pk")
        assert (event.kind, event.form) == ("left", "link")
        assert Suppression.objects.for_address(ADDRESS).get().reason == "left"

    def test_one_click_takes_either_body_without_cookies_or_redirect(self):
        client = Client(enforce_csrf_checks=True)
        for number, (body, content_type) in enumerate(
            [
                (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
                (
                    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
                    "multipart/form-data; boundary=b",
                ),
            ]
        ):
            with self.subTest(content_type):
                subscriber = self.subscribe(f"a{number}@example.com")

                response = client.generic("POST", f"/newsletter/unsubscribe/{subscriber.token}/", body, content_type)

                assert response.status_code == 200
                assert response.content == b"You have left.\n"
                assert response["Content-Type"] == "text/plain; charset=utf-8"
                assert not response.cookies
                event = subscriber.consent_events.latest("pk")
                assert (event.kind, event.form) == ("left", "one-click")

    def test_one_click_without_the_slash_is_not_redirected(self):
        response = self.post(self.link.rstrip("/"), ONE_CLICK)

        assert response.status_code == 200
        assert self.status() == "unsubscribed"

    @override_settings(SECURE_SSL_REDIRECT=True)
    def test_one_click_is_not_redirected_to_https(self):
        self.client = Client()  # whose middleware reads the setting
        assert self.client.get("/newsletter/").status_code == 301

        assert self.post(self.link, ONE_CLICK).status_code == 200
        assert self.status() == "unsubscribed"

    @override_settings(SECURE_SSL_REDIRECT=True, BEHIND_PROXY=True)
    def test_one_click_by_plain_http_through_the_proxy_is_not_redirected(self):
        multipart = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
        bodies = {
            "application/x-www-form-urlencoded": b"List-Unsubscribe=One-Click",
            "multipart/form-data; boundary=b": multipart,
        }
        with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
            client = Client(headers={"X-Forwarded-Proto": "http", "X-Forwarded-For": "192.0.2.1"})
            assert client.get("/newsletter/").status_code == 301
            for number, (content_type, body) in enumerate(bodies.items()):
                for end in ("/", ""):
                    with self.subTest(content_type, end=end):
                        subscriber = make_subscriber(
                            f"a{number}{len(end)}@example.com", status="active", confirmed_at=timezone.now()
                        )
                        path = f"/newsletter/unsubscribe/{subscriber.token}{end}"

                        response = client.generic("POST", path, body, content_type)

                        assert (response.status_code, response.content) == (200, b"You have left.\n")
                        assert subscriber.consent_events.get().form == "one-click"

    def test_whatever_is_sent_is_left_or_refused_and_never_an_error_of_ours(self):
        multipart = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n'
        for content_type, body, status in [
            ("", b"List-Unsubscribe=One-Click", 200),
            ("text/plain", b"List-Unsubscribe=One-Click", 200),
            ("application/json", b'{"List-Unsubscribe": "One-Click"}', 200),
            ("application/json", b"\xff\x00", 200),
            ("nonsense", b"", 200),
            ("APPLICATION/X-WWW-FORM-URLENCODED", b"List-Unsubscribe=One-Click", 200),
            ("application/x-www-form-urlencoded", b"List-Unsubscribe=%ff%00&%00=&=&&", 200),
            ("application/x-www-form-urlencoded; charset=utf-7", b"List-Unsubscribe=One-Click", 400),
            ("application/x-www-form-urlencoded; charset=none", b"List-Unsubscribe=One-Click", 200),
            ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 6000), 400),
            ("multipart/form-data", multipart, 400),
            ("multipart/form-data; boundary=other", multipart, 200),
            ("multipart/form-data; boundary=b", multipart, 200),
            ("multipart/form-data; boundary=b", b"", 200),
            ("multipart/form-data; boundary=b; charset=none", multipart + b"--b--", 200),
        ]:
            for end in ("/", ""):
                with self.subTest(content_type, body=body[:40], end=end):
                    response = self.client.generic("POST", self.link.rstrip("/") + end, body, content_type)

                    assert response.status_code == status

    def test_leaving_twice_is_leaving_once(self):
        self.post(self.link, ONE_CLICK)
        ended_at = Subscriber.objects.get().ended_at

        again = [self.post(self.link, ONE_CLICK), self.post(self.link)]

        assert [response.status_code for response in again] == [200, 200]
        assert Subscriber.objects.get().ended_at == ended_at
        assert ConsentEvent.objects.filter(kind="left").count() == 1

    def test_a_post_from_another_site_is_as_good(self):
        # Mail providers send what they like; the token in the address is the authority.
        response = self.post(
            self.link, ONE_CLICK, headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example"}
        )

        assert response.status_code == 200
        assert self.status() == "unsubscribed"

    def test_unknown_and_odd_links_are_explained(self):
        tokens = ["x", "A" * 22, "a" * 3000, "%F0%9F%92%A9", "%ff", "%0d%0aX:y", self.subscriber.token.swapcase()]
        for token in tokens:
            for path in (f"/newsletter/unsubscribe/{token}/", f"/newsletter/unsubscribe/{token}"):
                for method in (self.client.get, self.client.post):
                    with self.subTest(path=path, method=method.__name__):
                        self.assertContains(method(path), "belongs to no subscription", status_code=404)
        assert self.client.post("/newsletter/unsubscribe/%00/").status_code == 400
        assert self.status() == "active"

    def test_a_broken_body_is_an_error_of_the_sender(self):
        response = self.client.generic("POST", self.link, b"--", "multipart/form-data; boundary=")

        assert response.status_code == 400

    def test_the_address_of_the_page_goes_nowhere(self):
        for response in (self.client.get(self.link), self.post(self.link), self.post(self.link, ONE_CLICK)):
            assert "no-store" in response["Cache-Control"]
            assert response["Referrer-Policy"] == "no-referrer"
            assert response["X-Robots-Tag"] == "noindex"
            assert not response.cookies

    def test_other_methods_are_refused(self):
        assert self.client.delete(self.link).status_code == 405
        assert self.status() == "active"

    def test_the_link_never_expires_but_ends_with_the_address(self):
        self.subscriber.refresh_from_db()
        assert self.client.get(self.link).status_code == 200

        self.subscriber.erase(form="desk")

        assert self.client.get(self.link).status_code == 404
