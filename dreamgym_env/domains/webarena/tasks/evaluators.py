"""Whether a task is done: pure functions of the answer, the final URL, and what pages and database show.

No language model judges anything.  A ``fuzzy_match`` is a ``must_include`` on normalised texts (:mod:`.texts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from dreamgym_env.domains.webarena.sites.directory import resolve_url
from dreamgym_env.domains.webarena.tasks.html_tree import parse_html, parse_selector
from dreamgym_env.domains.webarena.tasks.task import WebTask
from dreamgym_env.domains.webarena.tasks.texts import OR, equal, includes

__all__ = ["Evidence", "evaluate"]


class Evidence(Protocol):
    """What an evaluator may look at; a :class:`~dreamgym_env.domains.webarena.sites.Lane` is one."""

    def fetch(self, url: str) -> str:
        """Return the HTML of a page as the episode's browser would get it; empty for what is none of the sites."""
        ...

    def query(self, name: str, *arguments: str) -> list[str]:
        """Return the answers of a named query on the live database."""
        ...


def evaluate(task: WebTask, answer: str, url: str, evidence: Evidence) -> float:
    """Return 1.0 if a task is done, else 0.0.

    Args:
        task: the task.
        answer: the final message to the user; empty if there was none.
        url: the URL at which the episode ended.
        evidence: the state of the sites at that time.

    Raises:
        OSError: a page cannot be fetched.
    """
    for kind in task.eval["eval_types"]:
        if kind == "string_match":
            done = _answers(task.eval["reference_answers"], answer)
        elif kind == "url_match":
            done = any(_same_page(url, resolve_url(choice.strip())) for choice in task.eval["reference_url"].split(OR))
        else:
            done = all(_shows(target, url, evidence) for target in task.eval["program_html"])
        if not done:
            return 0.0
    return 1.0


def _answers(references: Mapping[str, Any], answer: str) -> bool:
    return bool(answer.strip()) and _fulfils(references, answer)


def _fulfils(rules: Mapping[str, Any], text: str) -> bool:
    for rule, wanted in rules.items():
        texts: Iterable[str] = [wanted] if isinstance(wanted, str) else wanted
        compare = equal if rule == "exact_match" else includes
        if not all(compare(text, resolve_url(reference)) for reference in texts):
            return False
    return True


def _same_page(url: str, reference: str) -> bool:
    """Return whether a URL is a page of a reference: same host and path, and each of its parameters."""
    try:
        asked, found = urlsplit(reference), urlsplit(url)
    except ValueError:
        return False
    parameters = {name: _cleaned(value) for name, value in parse_qsl(found.query, keep_blank_values=True)}
    return (
        (asked.scheme, asked.netloc) == (found.scheme, found.netloc)
        and asked.path.rstrip("/") == found.path.rstrip("/")
        and all(
            parameters.get(name) == _cleaned(value) for name, value in parse_qsl(asked.query, keep_blank_values=True)
        )
    )


def _cleaned(text: str) -> str:
    return " ".join(text.lower().split())


def _shows(target: Mapping[str, Any], url: str, evidence: Evidence) -> bool:
    if target["url"] == "database":
        text = "\n".join(evidence.query(target["locator"], *target.get("arguments", ())))
    else:
        page = parse_html(evidence.fetch(url if target["url"] == "last" else resolve_url(target["url"])))
        found = page.select(parse_selector(target["locator"])) if target["locator"] else [page]
        text = "\n".join(element.text() for element in found)
    return _fulfils(target["required_contents"], text)
