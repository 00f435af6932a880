"""Promises of the report in a real browser: whatever it holds does nothing, it fits a phone, and its viewer works."""

from __future__ import annotations

import contextlib

import pytest
import report_samples
from browsers import needs_browser

from dreamgym_env.domains.browser.chromium import find_chromium
from dreamgym_env.evaluation.report import write_html

pytestmark = needs_browser

WIDTHS = (390, 1280)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(find_chromium()), args=["--disable-gpu"])
        yield started
        started.close()


@contextlib.contextmanager
def opened(browser, comparison, tmp_path, width=1280, **settings):
    """Open a report; by the end nothing may have been asked of the network, said on the console, or put as a dialog."""
    write_html(comparison, tmp_path / "report.html")
    context = browser.new_context(viewport={"width": width, "height": 800}, **settings)
    context.set_default_timeout(5_000)
    page = context.new_page()
    told: list[str] = []
    page.on("dialog", lambda dialog: (told.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("console", lambda message: told.append(f"console {message.text}"))
    page.on("pageerror", lambda error: told.append(f"error {error}"))
    page.on("request", lambda request: told.append(f"request {request.url}"))
    context.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    page.goto((tmp_path / "report.html").as_uri())
    del told[0]  # the document itself
    yield page
    assert not told
    context.close()


def open_all(page):
    """Open everything that is folded, but for the tabs."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")


def overflow(page):
    """Return how far the document is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def test_hostile_texts_do_nothing_and_do_not_widen_the_page(browser, tmp_path):
    with opened(browser, report_samples.hostile(), tmp_path) as page:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert overflow(page) <= 0
            open_all(page)
            assert overflow(page) <= 0
        assert page.evaluate("window.broken") is None
        assert page.evaluate("document.baseURI") == page.url
        assert page.locator("body").is_visible()
        assert page.locator(".transcript").count() == 8
        page.fill("#filter-words", "</SCRIPT>")
        assert page.locator(".transcript:visible").count() > 0


@pytest.mark.parametrize("make", [report_samples.small, report_samples.empty])
def test_a_report_fits_a_phone_and_a_desk(browser, tmp_path, make):
    with opened(browser, make(), tmp_path) as page:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            open_all(page)
            assert overflow(page) <= 0


def test_dream_and_reality_stand_side_by_side_and_on_a_phone_one_below_the_other(browser, tmp_path):
    with opened(browser, report_samples.small(), tmp_path) as page:
        open_all(page)
        left, right = (page.locator(f".line.{side}").first for side in ("dream", "real"))
        for side in (left, right):
            assert side.is_visible()
        price = page.locator(".row:has(> .line.real mark)").first
        left, right = (price.locator(f".line.{side}").bounding_box() for side in ("dream", "real"))
        assert left["y"] == right["y"] and left["x"] < right["x"]
        page.set_viewport_size({"width": 390, "height": 800})
        left, right = (price.locator(f".line.{side}").bounding_box() for side in ("dream", "real"))
        assert left["x"] == right["x"] and left["y"] < right["y"]


def test_transcripts_are_filtered_by_agent_outcome_and_text(browser, tmp_path):
    with opened(browser, report_samples.small(), tmp_path) as page:
        shown = page.locator(".transcript:visible")
        assert shown.count() == 4
        page.select_option("#filter-agent", "oracle")
        assert shown.count() == 1 and "webshop/test/18" in shown.first.inner_text()
        page.select_option("#filter-outcome", "solved in neither")
        assert shown.count() == 0
        assert page.locator("#filter-shown").inner_text() == "0 of 4 transcripts"
        page.select_option("#filter-agent", "")
        assert shown.count() == 1
        page.select_option("#filter-outcome", "")
        page.fill("#filter-words", "CLICK[b033XK37]")
        assert shown.count() == 1 and "policy" in shown.first.inner_text()


def test_the_viewer_is_used_by_keyboard(browser, tmp_path):
    with opened(browser, report_samples.small(), tmp_path) as page:
        transcript = page.locator(".transcript").first
        transcript.locator("> details > summary").focus()
        page.keyboard.press("Enter")
        assert transcript.locator(".panel.beside").is_visible()
        assert not transcript.locator(".panel.own").is_visible()
        transcript.locator("input[type=radio]").first.focus()
        page.keyboard.press("ArrowRight")
        assert transcript.locator(".panel.own").is_visible()
        page.keyboard.press("ArrowLeft")
        transcript.locator(".why > summary").first.focus()
        page.keyboard.press("Enter")
        link = transcript.locator(".memories .text-link").first
        link.focus()
        page.keyboard.press("Enter")
        opened_text = transcript.locator(".memories .page-text")
        assert "Trail shoe model 9" in opened_text.inner_text()
        assert link.get_attribute("aria-expanded") == "true"
        page.keyboard.press("Enter")
        assert opened_text.count() == 0


def test_without_a_script_all_but_the_filter_works(browser, tmp_path):
    with opened(browser, report_samples.small(), tmp_path, java_script_enabled=False) as page:
        assert not page.locator("#filter").is_visible()
        transcript = page.locator(".transcript").first
        transcript.locator("> details > summary").click()
        transcript.locator(".tabs > label").nth(1).click()
        assert transcript.locator(".panel.own").is_visible()
        transcript.locator(".tabs > label").first.click()
        transcript.locator(".why > summary").first.click()
        link = transcript.locator(".memories .text-link").first
        target = link.get_attribute("href")
        link.click()
        page.locator(target).wait_for(state="visible")
