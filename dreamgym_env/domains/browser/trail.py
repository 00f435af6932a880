"""Where an episode has been: the history of each of its tabs, read off its pages and actions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dreamgym_env.domains.browser.forms import sent_form
from dreamgym_env.domains.browser.grammar import ParsedAction
from dreamgym_env.domains.browser.local import local_change
from dreamgym_env.domains.browser.page import BLANK, Page

__all__ = ["Tab", "Trail"]


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab's history."""

    loaded: tuple[Page, ...] = (BLANK,)
    """Each of its pages as it was when it was loaded last: what was typed since is lost when the tab leaves it."""
    at: int = 0
    live: Page = BLANK
    """What it shows."""

    def moved(self, by: int) -> Tab:
        """Return the tab after going back or forward; the same where there is nothing to go to."""
        at = self.at + by
        return replace(self, at=at, live=self.loaded[at]) if 0 <= at < len(self.loaded) else self

    def changed(self, page: Page) -> Tab:
        """Return the tab where something was typed, ticked or chosen on its page."""
        return replace(self, live=page)

    def reloaded(self, page: Page) -> Tab:
        """Return the tab where its page was loaded again, or another one in its place."""
        return Tab((*self.loaded[: self.at], page, *self.loaded[self.at + 1 :]), self.at, page)

    def opening(self, page: Page) -> Tab:
        """Return the tab after another page was opened in it."""
        return Tab((*self.loaded[: self.at + 1], page), self.at + 1, page)


@dataclass(frozen=True, slots=True)
class Trail:
    """All tabs of an episode."""

    tabs: tuple[Tab, ...]
    active: int

    @classmethod
    def beginning(cls, page: Page) -> Trail:
        """Return the trail of an episode that begins with a page, in a tab that was empty before."""
        return cls((Tab((BLANK, page.content), 1, page.content),), 0)

    @property
    def tab(self) -> Tab:
        """The tab that is shown."""
        return self.tabs[self.active]

    def after(self, action: ParsedAction | None, before: Page, page: Page) -> Trail:
        """Return the trail after an action led from a page to another, whether or not one would expect it."""
        name = action.name if action and not page.error else ""
        tabs = list(self.tabs)
        if name == "new_tab":
            tabs.append(Tab())
        elif name == "tab_close":
            del tabs[self.active]
            tabs = tabs or [Tab()]
        titles = page.tab_titles
        if len(titles) != len(tabs):  # not as expected: only what is shown is known
            tabs = [Tab((blank := replace(BLANK, title=title),), live=blank) for title in titles]
        active = page.active_tab
        tabs[active] = _followed(tabs[active], action if name else None, before, page.content)
        return Trail(tuple(tabs), active)


def _followed(tab: Tab, action: ParsedAction | None, before: Page, page: Page) -> Tab:
    name = action.name if action else ""
    if name in ("go_back", "go_forward"):
        moved = tab.moved(-1 if name == "go_back" else 1)
        if moved.live.url == page.url:
            return moved.reloaded(page)
    if tab.live.url != page.url:
        return tab.opening(page)
    stays = action is None or name in ("new_tab", "tab_focus", "tab_close") or local_change(before, action) is not None
    if stays:
        return tab.changed(page)
    # a form that leads to the same address makes an entry of its own, a link or an address does not
    return tab.opening(page) if action is not None and sent_form(before, action) else tab.reloaded(page)
