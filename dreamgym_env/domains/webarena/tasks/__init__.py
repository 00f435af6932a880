"""Tasks on the bundled sites, in WebArena's own format, with evaluators and oracles that need no browser.

::

    bundled_ids("test")                          # ["webarena/test/0", ...]; splits train, eval, test by template
    task = bundled_task("webarena/test/0")       # a WebTask: sites, intent, start_url, eval, oracle, ...
    resolve_url(task.start_url)                  # "__SHOP__/cart" -> "http://shop.test/cart"
    evaluate(task, answer, url, lane)            # 1.0 or 0.0; lane: anything with fetch(url) and query(name, *args)
    task.oracle                                  # steps that solve it: Click("link", "Cart"), Fill("textbox", ...), ...
    read_task_file(path)                         # tasks of a file of the user's own; WebTaskError says what is wrong

**Format.** A task has the members of WebArena's (``sites``, ``task_id``, ``intent_template``, ``instantiation_dict``,
``intent``, ``start_url``, ``eval``) and three of ours: ``id``, ``split``, ``oracle``.  In ``eval``:

- ``string_match``: ``reference_answers`` with ``exact_match`` (a text), ``must_include`` (a list of texts, each of
  which may be ``"a |OR| b"``), ``fuzzy_match`` (a text or a list).  No language model judges: ``fuzzy_match`` is
  ``must_include`` on normalised texts.
- ``url_match``: ``reference_url`` (``"a |OR| b"`` allowed) is the final URL: same host and path, and each of its query
  parameters with that value.
- ``program_html``: a list of ``{"url", "locator", "required_contents"}``.  ``url`` is ``"last"`` (the final page), a
  URL with a placeholder, or ``"database"``.  WebArena's locators are JavaScript; ours are a CSS selector (empty: the
  page's whole text), or with ``"database"`` the name of a query of
  :mod:`dreamgym_env.domains.webarena.sites.queries`, with ``"arguments"``.  ``required_contents`` has ``exact_match``
  or ``must_include``.

**Oracle.** Steps by role and accessible name, as an accessibility tree has them, independent of any browser: see
:mod:`dreamgym_env.domains.webarena.tasks.oracle`.
"""

from __future__ import annotations

from dreamgym_env.domains.webarena.sites.directory import resolve_url
from dreamgym_env.domains.webarena.tasks.evaluators import Evidence, evaluate
from dreamgym_env.domains.webarena.tasks.shipped import bundled_ids, bundled_task, read_task_file
from dreamgym_env.domains.webarena.tasks.task import WebTask, task_from_record

__all__ = [
    "Evidence",
    "WebTask",
    "bundled_ids",
    "bundled_task",
    "evaluate",
    "read_task_file",
    "resolve_url",
    "task_from_record",
]
