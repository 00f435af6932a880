"""The bundled sites: up and down, lanes apart, reset in milliseconds, safe against what is typed."""

from __future__ import annotations

import html
import http.client
import re
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest

pytest.importorskip("starlette", reason="needs the bundled sites: pip install 'dreamgym_env[webarena]'")

from plain_browser import PlainBrowser, role_of

from dreamgym_env.domains.webarena.sites import SITE_URLS, SITES, Lane, Sites
from dreamgym_env.domains.webarena.tasks.html_tree import Element, parse_html, parse_selector
from dreamgym_env.domains.webarena.tasks.oracle import Click, Fill, Select
from dreamgym_env.errors import MissingDependencyError

SCRIPT = "<script>alert('x')</script>\"'><b>&amp;"
CONTROLS = "a\x00\x07b\x1b[31m\x85c\u2028d\re"


@pytest.fixture(scope="module")
def sites() -> Iterator[Sites]:
    with Sites(lanes=2) as sites:
        yield sites


@pytest.fixture
def lane(sites: Sites) -> Lane:
    for lane in sites.lanes:
        lane.reset()
    return sites.lanes[0]


@pytest.fixture
def browser(lane: Lane) -> Iterator[PlainBrowser]:
    browser = PlainBrowser(lane)
    yield browser
    browser.close()


def ask(lane: Lane, method: str, target: str, host: str, body: bytes = b"") -> tuple[int, str]:
    """Send one request by hand."""
    connection = http.client.HTTPConnection("127.0.0.1", lane.port, timeout=10)
    connection.request(method, target, body or None, {"Host": host})
    answer = connection.getresponse()
    status, text = answer.status, answer.read().decode()
    connection.close()
    return status, text


class TestServing:
    def test_sites_go_up_and_down_and_may_be_closed_twice(self):
        sites = Sites()
        port = sites.lanes[0].port
        assert "Fernhill Store" in sites.lanes[0].fetch("http://shop.test/")
        sites.close()
        sites.close()
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1)

    def test_only_loopback_is_listened_on(self, lane: Lane):
        socket.create_connection(("127.0.0.1", lane.port), timeout=1).close()
        for other in ("127.0.0.2", socket.gethostbyname(socket.gethostname())):
            if other != "127.0.0.1":
                with pytest.raises(OSError):
                    socket.create_connection((other, lane.port), timeout=1)

    @pytest.mark.parametrize("lanes", [0, -1])
    def test_at_least_one_lane(self, lanes: int):
        with pytest.raises(ValueError, match="at least one lane"):
            Sites(lanes)

    def test_without_the_extra_the_error_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(sys.modules, "starlette", None)
        with pytest.raises(MissingDependencyError, match=r"pip install 'dreamgym_env\[webarena\]'"):
            Sites()

    def test_a_person_reaches_them_without_a_proxy(self, lane: Lane):
        host = f"forum.localhost:{lane.port}"
        assert lane.local_url("forum") == f"http://{host}/"
        status, text = ask(lane, "GET", "/sites", host)
        assert status == 200 and f"http://map.localhost:{lane.port}/" in text
        assert ask(lane, "GET", "/", f"127.0.0.1:{lane.port}")[0] == 303

    @pytest.mark.parametrize("host", ["example.com", "shop.test.example.com", "", "evil.localhost"])
    def test_other_hosts_are_none_of_the_sites(self, lane: Lane, host: str):
        status, text = ask(lane, "GET", "/", host)
        assert status == 404 and "no such site" in text
        assert ask(lane, "GET", f"http://{host or 'x'}/", host)[0] == 404

    def test_an_address_means_the_same_through_the_proxy(self, lane: Lane):
        for path in ("/u/emma_larsen", "/u/emma_larsen%3Fx", "/u/emma%5Flarsen", "/u/a%23", "/search?q=a%26b", "/%20"):
            directly, through = (ask(lane, "GET", start + path, "forum.test") for start in ("", "http://forum.test"))
            assert directly == through
        assert ask(lane, "GET", "http://forum.test", "forum.test")[0] == 200

    def test_no_tunnel_is_opened(self, lane: Lane):
        assert ask(lane, "CONNECT", "shop.test:443", "shop.test:443")[0] == 404

    def test_fetch_knows_only_the_sites(self, lane: Lane):
        assert [lane.fetch(url) for url in ("about:blank", "https://shop.test/", "http://[", "file:///etc/hosts")] == [
            ""
        ] * 4
        with pytest.raises(OSError, match="cannot be fetched"):
            lane.fetch("http://shop.test/a b")


class TestState:
    def test_reset_takes_milliseconds(self, lane: Lane):
        seconds = []
        for _ in range(20):
            start = time.perf_counter()
            lane.reset()
            seconds.append(time.perf_counter() - start)
        assert statistics.median(seconds) < 0.02

    def test_reset_undoes_everything(self, lane: Lane, browser: PlainBrowser):
        before = {url: lane.fetch(url) for url in everywhere(lane, 60)}
        browser.goto("http://shop.test/checkout")
        browser.play([Click("button", "Place order")])
        browser.goto("http://forum.test/submit")
        browser.play([Select("combobox", "Board", "Books"), Fill("textbox", "Title", "x"), Click("button", "Publish")])
        assert lane.query("cart_lines") == [] and lane.fetch("http://forum.test/") != before["http://forum.test/"]
        lane.reset()
        assert {url: lane.fetch(url) for url in before} == before

    def test_lanes_do_not_see_each_other(self, sites: Sites, lane: Lane, browser: PlainBrowser):
        other = sites.lanes[1]
        before = other.fetch("http://forum.test/post/1")
        browser.goto("http://forum.test/post/1")
        browser.play([Fill("textbox", "Your comment", "Only here"), Click("button", "Add comment")])
        assert "Only here" in lane.fetch("http://forum.test/post/1")
        assert other.fetch("http://forum.test/post/1") == before

    def test_the_same_actions_show_the_same_pages_in_every_lane(self, sites: Sites, lane: Lane):
        shown = []
        for each in sites.lanes:
            browser = PlainBrowser(each)
            browser.goto("http://code.test/emma.larsen/tidewatch/issues/new")
            browser.play(
                [Fill("textbox", "Title", "Again"), Click("button", "Create issue"), Click("link", "All sites")]
            )
            shown.append(
                (browser.url, each.fetch(browser.url), each.fetch("http://code.test/emma.larsen/tidewatch/issues"))
            )
            browser.close()
        assert shown[0] == shown[1]
        assert not any(str(each.port) in text for each in sites.lanes for text in shown[0])

    def test_a_request_that_fails_changes_nothing(self, lane: Lane, browser: PlainBrowser):
        browser.goto("http://shop.test/cart")
        name = next(e for e in browser.page.walk() if role_of(e) == "textbox" and "Quantity" in browser.name_of(e))
        before = lane.query("cart_lines")
        browser.play([Fill("textbox", browser.name_of(name), "100000"), Click("button", "Update cart")])
        assert browser.page.select(parse_selector('[role="alert"]'))[0].text().startswith("There are only")
        assert lane.query("cart_lines") == before


class TestInput:
    def test_what_is_typed_is_shown_and_never_run(self, lane: Lane, browser: PlainBrowser):
        browser.goto("http://forum.test/post/1")
        browser.play([Fill("textbox", "Your comment", SCRIPT), Click("button", "Add comment")])
        shown = [lane.fetch("http://forum.test/post/1")]
        browser.goto("http://forum.test/submit")
        browser.play(
            [Select("combobox", "Board", "Books"), Fill("textbox", "Title", SCRIPT), Click("button", "Publish")]
        )
        shown += [
            lane.fetch(browser.url),
            lane.fetch("http://forum.test/"),
            lane.fetch("http://forum.test/u/emma_larsen"),
        ]
        browser.goto("http://shop.test/search")
        browser.play([Fill("textbox", "Search products", SCRIPT), Click("button", "Search")])
        shown.append(lane.fetch(browser.url))
        browser.goto("http://code.test/emma.larsen/tidewatch/labels")
        browser.play([Fill("textbox", "Name", SCRIPT), Click("button", "Add label")])
        shown.append(lane.fetch(browser.url))
        browser.goto("http://map.test/directions")
        browser.play(
            [Fill("textbox", "From", SCRIPT), Fill("textbox", "To", SCRIPT), Click("button", "Show directions")]
        )
        shown.append(lane.fetch(browser.url))
        for text in shown:
            assert "<script" not in text and "<b>" not in text and "alert(" in html.unescape(text)
            assert SCRIPT.replace("\n", " ") in parse_html(text).text()

    def test_control_characters_do_not_get_into_pages(self, lane: Lane, browser: PlainBrowser):
        browser.goto("http://forum.test/submit")
        browser.play([Select("combobox", "Board", "Books"), Fill("textbox", "Title", CONTROLS)])
        browser.play([Fill("textbox", "Text", f"one{CONTROLS}\ntwo"), Click("button", "Publish")])
        assert browser.status == 200
        text = lane.fetch(browser.url)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028]", text)
        assert "<h1>ab[31m c d e</h1>" in text
        assert "<p>two</p>" in text

    @pytest.mark.parametrize("words", ["%", "_", "\\", "'; DROP TABLE posts; --", "a" * 3_000, "\x00", "🙂 ü"])
    def test_any_search_is_answered(self, lane: Lane, browser: PlainBrowser, words: str):
        for site in ("shop", "forum", "code", "map"):
            browser.goto(SITE_URLS[site])
            browser.play([Fill("textbox", SITES[site].search, words), Click("button", "Search")])
            assert browser.status == 200
        assert lane.query("posts_by", "emma_larsen")

    @pytest.mark.parametrize(
        "path",
        [
            "/no/such/page",
            "/product/none",
            "/orders/1001x",
            "/orders/99999999999999999999",
            "/category/%00",
            "/product/%2e%2e",
            "/product/%3Fa%23b",
        ],
    )
    def test_an_unknown_address_is_a_plain_page(self, lane: Lane, browser: PlainBrowser, path: str):
        browser.goto(f"http://shop.test{path}")
        assert browser.status == 404
        assert browser.find("link", "To the first page") and browser.find("link", "Cart")

    def test_what_an_address_does_not_take(self, lane: Lane):
        status, text = ask(lane, "POST", "/search", "shop.test", b"q=x")
        assert status == 405 and "does not take what was sent" in text
        status, text = ask(lane, "POST", "/account", "shop.test", b"email=" + b"x" * 300_000)
        assert status == 413 and "too long" in text
        status, text = ask(lane, "POST", "/account", "shop.test", b"\xff\xfe=%ff&&&=")
        assert status == 200 and "No field may be empty." in text

    def test_a_failure_inside_is_a_plain_page_and_is_logged(self, caplog: pytest.LogCaptureFixture):
        with Sites() as sites:
            sites.lanes[0].database.close()
            text = sites.lanes[0].fetch("http://shop.test/cart")
        assert "Something went wrong in this site." in text and "Traceback" not in text
        assert "GET /cart of the bundled site shop failed" in caplog.text

    @pytest.mark.parametrize("page", ["0", "-1", "99", "x", "1e9", "9" * 30])
    def test_any_page_number_is_answered(self, lane: Lane, browser: PlainBrowser, page: str):
        browser.goto(f"http://shop.test/category/kitchen?page={page}&sort=nothing")
        assert browser.status == 200 and browser.find("combobox", "Sort by")


class TestPages:
    def test_every_page_is_well_made(self, lane: Lane):
        """One heading of the first order, a title, no id twice, and a name for everything that can be acted on."""
        browser = PlainBrowser(lane)
        for url in everywhere(lane, 400):
            browser.goto(url)
            assert browser.status == 200, url
            identifiers = [e.attributes["id"] for e in browser.page.walk() if "id" in e.attributes]
            assert len(identifiers) == len(set(identifiers)), (url, identifiers)
            heading = [e for e in browser.page.walk() if e.tag == "h1"]
            title = next(e for e in browser.page.walk() if e.tag == "title")
            assert len(heading) == 1 and "".join(map(str, title.children)).startswith(str(heading[0].children[0])), url
            for element in browser.page.walk():
                assert not role_of(element) or browser.name_of(element), (url, element.tag, element.attributes)
                assert element.tag != "table" or element.select(parse_selector('th[scope="col"]')), url
        browser.close()


def everywhere(lane: Lane, most: int) -> list[str]:
    """Return addresses of pages that links lead to, a few of each kind first."""
    seen, waiting = set[str](), [f"{url}/" for url in SITE_URLS.values()]
    kinds: dict[str, int] = {}
    found: list[str] = []
    while waiting and len(found) < most:
        url = waiting.pop(0)
        kind = re.sub(r"[\w.-]*\d[\w.-]*|/[\w-]+-[\w-]+", "*", url)
        kinds[kind] = kinds.get(kind, 0) + 1
        if url in seen or kinds[kind] > 6:
            continue
        seen.add(url)
        found.append(url)
        waiting += [urljoin(url, link.attributes["href"]) for link in links(lane.fetch(url))]
    assert {urlsplit(url).netloc for url in found} == {urlsplit(url).netloc for url in SITE_URLS.values()}
    return found


def links(text: str) -> list[Element]:
    """Return the links of a page."""
    return parse_html(text).select(parse_selector("a[href]"))
