"""Rows of the code host: people, projects, members, labels, issues, merge requests, notes, commits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.content.dates import day_before_today, days_after
from dreamgym_env.domains.webarena.sites.content.names import USER_NAME, draw_names
from dreamgym_env.domains.webarena.sites.content.region import slug_of
from dreamgym_env.domains.webarena.sites.content.software import (
    BUGS,
    COMMENTS,
    COMMITS,
    LABELS,
    PROJECTS,
    WISHES,
    Software,
)

__all__ = ["code_records", "username_of"]

Record = Mapping[str, Any]
Rows = Iterator[tuple[str, Record]]

_PEOPLE = 26
_BUG_LABELS = ("bug", "performance")
_WISH_LABELS = ("feature", "documentation", "good first issue", "question")


def username_of(name: str) -> str:
    """Return the name by which a person is known on the code host."""
    return name.lower().replace(" ", ".")


def code_records() -> Rows:
    """Yield the table and the row of everything on the code host."""
    names = (USER_NAME, *draw_names("code", _PEOPLE))
    people = [username_of(name) for name in names]
    for username, name in zip(people, names, strict=True):
        yield "people", {"username": username, "name": name, "status": ""}
    for project in PROJECTS:
        yield from _project(project, people)
    for path in ("aldermark/open-map", "brightforge/quill"):
        yield "stars", {"project": path}


def _project(project: Software, people: list[str]) -> Rows:
    draws = Draws("bundled sites", "projects", project.path)
    user, own = people[0], project.path.startswith(people[0] + "/")
    created = draws.between(420, 1_500)
    yield (
        "projects",
        {
            "path": project.path,
            "name": project.path.partition("/")[2],
            "about": project.about,
            "language": project.language,
            "visibility": "Private" if project.path.endswith("dotfiles") else "Public",
            "stars": draws.between(3, 60) if own else draws.between(40, 900),
            "created": day_before_today(created),
        },
    )
    members = draws.sample(people[1:], 3 if own else 6)
    if own:
        members.insert(0, user)
    elif draws.chance(0.6):
        members.append(user)
    roles = ("Owner", "Maintainer", "Developer", "Developer", "Reporter", "Guest", "Developer")
    for member, role in zip(members, roles, strict=False):
        yield "memberships", {"project": project.path, "username": member, "role": role}
    for name, about in LABELS:
        yield "labels", {"project": project.path, "name": name, "about": about}
    yield from _issues(project, members, people, draws)
    yield from _merge_requests(project, members, draws)
    yield from _commits(project, members, draws)


def _issues(project: Software, members: list[str], people: list[str], draws: Draws) -> Rows:
    drafts: list[tuple[tuple[str, str], str, Sequence[str]]]
    drafts = [(text, part, _BUG_LABELS) for text in BUGS for part in project.parts]
    drafts += [(text, part, _WISH_LABELS) for text in WISHES for part in project.parts]
    count = draws.between(12, 17)
    days = sorted(draws.sample(range(1, 400), count), reverse=True)
    for number, (day, draft) in enumerate(zip(days, draws.sample(drafts, count), strict=True), start=1):
        (title, body), part, labels = draft
        yield (
            "issues",
            {
                "project": project.path,
                "number": number,
                "title": _sentence(title, part),
                "body": body,
                "author": draws.pick(people[1:]),
                "assignee": draws.pick(members) if draws.chance(0.55) else "",
                "state": "Closed" if draws.chance(0.35) else "Open",
                "created": day_before_today(day),
            },
        )
        for label in draws.subset(labels, draws.pick((0, 1, 1, 1, 2))):
            yield "issue_labels", {"project": project.path, "number": number, "label": label}
        yield from _notes(project, "issue", number, day, members, draws)


def _merge_requests(project: Software, members: list[str], draws: Draws) -> Rows:
    drafts = draws.sample([(text, part) for text in COMMITS[:6] for part in project.parts], draws.between(4, 7))
    days = sorted(draws.sample(range(1, 200), len(drafts)), reverse=True)
    for number, (day, (text, part)) in enumerate(zip(days, drafts, strict=True), start=1):
        author, reviewer = draws.sample(members, 2)
        title = _sentence(text, part)
        yield (
            "merge_requests",
            {
                "project": project.path,
                "number": number,
                "title": title,
                "body": f"This is to {title[0].lower()}{title[1:]}.",
                "author": author,
                "reviewer": reviewer,
                "source": slug_of(title.replace("the ", "")),
                "target": "main",
                "state": "Open" if day < 60 and draws.chance(0.8) else draws.pick(("Merged", "Merged", "Closed")),
                "created": day_before_today(day),
            },
        )
        yield from _notes(project, "merge request", number, day, members, draws)


def _notes(project: Software, kind: str, number: int, day: int, members: list[str], draws: Draws) -> Rows:
    texts = draws.sample(COMMENTS, draws.pick((0, 0, 1, 1, 2, 3)))
    written = sorted(draws.between(0, min(day - 1, 9)) for _ in texts)
    for text, after in zip(texts, written, strict=True):
        yield (
            "notes",
            {
                "project": project.path,
                "kind": kind,
                "number": number,
                "author": draws.pick(members),
                "body": text,
                "written": days_after(day_before_today(day), after),
            },
        )


def _commits(project: Software, members: list[str], draws: Draws) -> Rows:
    writers = members[:4]
    days = sorted((draws.between(1, 120) for _ in range(draws.between(18, 34))), reverse=True)
    for position, day in enumerate(days):
        message = _sentence(draws.pick(COMMITS), draws.pick(project.parts))
        digest = hashlib.sha256(f"{project.path} {position} {message}".encode()).hexdigest()
        yield (
            "commits",
            {
                "sha": digest[:8],
                "project": project.path,
                "author": draws.pick((writers[0], writers[0], *writers)),
                "message": message,
                "written": day_before_today(day),
            },
        )


def _sentence(text: str, part: str) -> str:
    written = text.format(part=part)
    return written[0].upper() + written[1:]
