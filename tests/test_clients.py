from django.test import RequestFactory, SimpleTestCase, override_settings

from veltrix.clients import address_of, browser_of, network_of


class ClientTests(SimpleTestCase):
    def of(self, address, **headers):
        return RequestFactory().get("/", REMOTE_ADDR=address, headers=headers)

    def test_addresses_and_networks(self):
        cases = {
            "192.0.2.7": ("192.0.2.7", "192.0.2.0/24"),
            "2001:db8::1": ("2001:db8::1", "2001:db8::/64"),
            "::ffff:192.0.2.7": ("192.0.2.7", "192.0.2.0/24"),
            "fe80::1%eth0": ("fe80::1", "fe80::/64"),
            "": ("", ""),
            "unix": ("", ""),
        }
        for address, told in cases.items():
            with self.subTest(address):
                request = self.of(address)
                self.assertEqual((address_of(request), network_of(request)), told)

    @override_settings(BEHIND_PROXY=True)
    def test_behind_a_proxy_the_last_address_counts(self):
        request = self.of("10.0.0.1", **{"X-Forwarded-For": "203.0.113.9, 192.0.2.7"})

        self.assertEqual(address_of(request), "192.0.2.7")

    def test_browsers_are_named_in_a_few_words(self):
        cases = {
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36": (
                "Chrome 140 on Linux"
            ),
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.4 Safari/604.1": ("Safari 18 on iPhone"),
            "curl/8\x00": "Another browser",
            "": "Another browser",
        }
        for agent, told in cases.items():
            self.assertEqual(browser_of(self.of("", **{"User-Agent": agent})), told)
