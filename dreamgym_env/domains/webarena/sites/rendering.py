"""Pages of the sites as HTML."""

from __future__ import annotations

from pathlib import Path

import jinja2

from dreamgym_env.domains.webarena.sites.content.dates import TODAY
from dreamgym_env.domains.webarena.sites.directory import SITES
from dreamgym_env.domains.webarena.sites.pages import Page

__all__ = ["Renderer", "message"]

_SENTENCES = {
    404: "There is nothing under this address.",
    405: "This address does not take what was sent.",
    413: "What was sent is too long.",
    500: "Something went wrong in this site.",
}
_TITLES = {404: "Not found", 405: "Not possible", 413: "Too long", 500: "Error"}


class Renderer:
    """Renders pages."""

    def __init__(self) -> None:
        """Load the templates."""
        self._templates = _environment()

    def render(self, site: str, page: Page, notice: str = "") -> str:
        """Return a page of a site as HTML."""
        return self._templates.get_template(page.template).render(
            page.values,
            site=SITES[site],
            title=page.title,
            crumbs=page.crumbs,
            error=page.error,
            notice=notice,
            today=TODAY,
        )


def message(status: int, sentence: str = "") -> Page:
    """Return a page that says what is wrong, by default what an HTTP status means."""
    sentence = sentence or _SENTENCES.get(status, _SENTENCES[500])
    return Page("message.html", _TITLES.get(status, "Error"), {"sentence": sentence}, status=status)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {"money": _money, "pair": _pair, "duration": _duration}
    environment.globals["m"] = environment.get_template("macros.html").module
    return environment


def _money(cents: int) -> str:
    return f"${cents / 100:,.2f}"


def _pair(text: str) -> tuple[str, str]:
    """Return an option of a choice whose value is its text."""
    return text, text


def _duration(minutes: int) -> str:
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
