"""Templates of tasks on the code host: issues."""

from __future__ import annotations

import sqlite3

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.code_access import USER
from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.tasks.oracle import Answer, Click, Fill, Select, Step
from dreamgym_env.domains.webarena.tasks.recipe import DONE, Draft, RecipeBook, ends_at, says, search, shows, target
from dreamgym_env.domains.webarena.tasks.recipes.phrases import CODE_COMMENTS, NEW_ISSUES

__all__ = ["BOOK", "OWN", "open_project", "pick_project", "write_issue"]

BOOK = RecipeBook("code")
OWN = f"path IN (SELECT project FROM memberships WHERE username = '{USER}')"
"""An SQL condition: a project that the user is a member of."""


def pick_project(database: Database, draws: Draws, condition: str = "1") -> str:
    """Return the path of one of the projects that meet a condition."""
    return str(draws.pick(database.rows(f"SELECT path FROM projects WHERE {condition} ORDER BY path"))["path"])


def open_project(path: str, *links: str) -> tuple[Step, ...]:
    """Return steps that lead to a project, and from there on by links."""
    return search("Search projects", path, path, *links)


def write_issue(path: str, title: str, text: str) -> tuple[Step, ...]:
    """Return steps that open an issue."""
    return (
        *open_project(path, "Issues", "New issue"),
        Fill("textbox", "Title", title),
        Fill("textbox", "Description", text),
        Click("button", "Create issue"),
    )


def _issue(database: Database, draws: Draws, condition: str = "1") -> sqlite3.Row:
    rows = database.rows(
        "SELECT issues.*, (SELECT group_concat(label, ', ') FROM issue_labels WHERE issue_labels.project = "
        "issues.project AND issue_labels.number = issues.number) AS labels FROM issues JOIN projects ON path = project "
        f"WHERE {condition} ORDER BY project, number"
    )
    return draws.pick(rows)


def _open_issue(issue: sqlite3.Row) -> tuple[Step, ...]:
    """Return steps that lead to an issue that is open."""
    return (
        *open_project(issue["project"], "Issues"),
        Fill("textbox", "Words", issue["title"]),
        Click("button", "Filter"),
        Click("link", f"#{issue['number']} {issue['title']}"),
    )


def _url(issue: sqlite3.Row) -> str:
    return f"__CODE__/{issue['project']}/issues/{issue['number']}"


def _named(issue: sqlite3.Row) -> dict[str, str]:
    return {"title": issue["title"], "project": issue["project"]}


@BOOK.add("train", 'Open an issue in {{project}} with the title "{{title}}" and the description "{{text}}"')
def new_issue(database: Database, draws: Draws) -> Draft | None:
    """Open an issue."""
    path, (title, text) = pick_project(database, draws), draws.pick(NEW_ISSUES)
    number = database.value("SELECT max(number) + 1 FROM issues WHERE project = ?", path)
    url = f"__CODE__/{path}/issues/{number}"
    goal = shows(target(url, "h1", exact=f"#{number} {title}"), target(url, "main", text))
    return Draft({"project": path, "title": title, "text": text}, goal, (*write_issue(path, title, text), DONE))


@BOOK.add("eval", 'Open an issue in {{project}} with the title "{{title}}", assigned to me and labelled {{label}}.')
def new_labelled_issue(database: Database, draws: Draws) -> Draft | None:
    """Open an issue with assignee and label."""
    path, (title, _) = pick_project(database, draws, OWN), draws.pick(NEW_ISSUES)
    label = draws.pick(database.rows("SELECT name FROM labels WHERE project = ? ORDER BY name", path))["name"]
    number = database.value("SELECT max(number) + 1 FROM issues WHERE project = ?", path)
    url = f"__CODE__/{path}/issues/{number}"
    steps = (
        *open_project(path, "Issues", "New issue"),
        Fill("textbox", "Title", title),
        Select("combobox", "Assign to", USER),
        Select("combobox", "Label", label),
        Click("button", "Create issue"),
        DONE,
    )
    goal = shows(
        target(url, "h1", exact=f"#{number} {title}"),
        target(url, "#current-assignee", exact=USER),
        target(url, "#current-labels", exact=label),
    )
    return Draft({"project": path, "title": title, "label": label}, goal, steps)


@BOOK.add("train", 'Comment on the issue "{{title}}" of {{project}}: "{{text}}"')
def comment(database: Database, draws: Draws) -> Draft | None:
    """Comment on an issue."""
    issue, text = _issue(database, draws, "state = 'Open'"), draws.pick(CODE_COMMENTS)
    steps = (
        *_open_issue(issue),
        Fill("textbox", "Your comment", text),
        Click("button", "Add comment"),
        DONE,
    )
    return Draft({**_named(issue), "text": text}, shows(target(_url(issue), "#notes", text)), steps)


@BOOK.add("train", 'Close the issue "{{title}}" of {{project}}.')
def close(database: Database, draws: Draws) -> Draft | None:
    """Close an issue."""
    issue = _issue(database, draws, f"state = 'Open' AND {OWN}")
    goal = shows(target(_url(issue), "#current-state", exact="Closed"))
    return Draft(_named(issue), goal, (*_open_issue(issue), Click("button", "Close issue"), DONE))


@BOOK.add("test", 'Somebody has closed the issue "{{title}}" of {{project}} too early. Reopen it.')
def reopen(database: Database, draws: Draws) -> Draft | None:
    """Open a closed issue again."""
    issue = _issue(database, draws, f"state = 'Closed' AND {OWN}")
    steps = (
        *open_project(issue["project"], "Issues"),
        Select("combobox", "State", "Closed"),
        Click("button", "Filter"),
        Click("link", f"#{issue['number']} {issue['title']}"),
        Click("button", "Reopen issue"),
        DONE,
    )
    return Draft(_named(issue), shows(target(_url(issue), "#current-state", exact="Open")), steps)


@BOOK.add("train", 'Assign the issue "{{title}}" of {{project}} to {{person}}.')
def assign(database: Database, draws: Draws) -> Draft | None:
    """Assign an issue."""
    issue = _issue(database, draws, f"state = 'Open' AND {OWN}")
    members = database.rows(
        "SELECT username FROM memberships WHERE project = ? AND username <> ? ORDER BY username",
        *(issue["project"], issue["assignee"]),
    )
    person = draws.pick(members)["username"]
    steps = (
        *_open_issue(issue),
        Select("combobox", "Assign to", person),
        Click("button", "Save assignee"),
        DONE,
    )
    goal = shows(target(_url(issue), "#current-assignee", exact=person))
    return Draft({**_named(issue), "person": person}, goal, steps)


@BOOK.add("test", 'Put the label {{label}} on the issue "{{title}}" of {{project}}.')
def label_issue(database: Database, draws: Draws) -> Draft | None:
    """Label an issue."""
    issue = _issue(database, draws, f"state = 'Open' AND {OWN}")
    label = draws.pick(("bug", "feature", "documentation", "performance", "question"))
    if label in (issue["labels"] or ""):
        return None
    steps = (
        *_open_issue(issue),
        Select("combobox", "Label", label),
        Click("button", "Add label"),
        DONE,
    )
    return Draft({"label": label, **_named(issue)}, shows(target(_url(issue), "#current-labels", label)), steps)


@BOOK.add("train", "How many open issues of {{project}} have the label {{label}}?")
def count_label(database: Database, draws: Draws) -> Draft | None:
    """Read how often a label is used."""
    path = pick_project(database, draws)
    row = draws.pick(
        database.rows(
            "SELECT label, count(*) FROM issue_labels JOIN issues USING (project, number) "
            "WHERE project = ? AND state = 'Open' GROUP BY label ORDER BY label",
            path,
        )
    )
    count = str(row[1])
    return Draft({"project": path, "label": row[0]}, says(count), (*open_project(path, "Labels"), Answer(count)))


@BOOK.add("train", 'Who has opened the issue "{{title}}" of {{project}}?')
def opener(database: Database, draws: Draws) -> Draft | None:
    """Read who opened an issue."""
    issue = _issue(database, draws, "state = 'Open'")
    return Draft(_named(issue), says(issue["author"]), (*_open_issue(issue), Answer(issue["author"])))


@BOOK.add("train", "Show me all open issues that are assigned to me.")
def my_issues(database: Database, draws: Draws) -> Draft | None:
    """Open a page of the user's own."""
    return Draft({}, ends_at("__CODE__/my/issues"), (Click("link", "My issues"), DONE))


@BOOK.add("test", "Show me the {{state}} issues of {{project}} with the label {{label}}.")
def filtered_issues(database: Database, draws: Draws) -> Draft | None:
    """Open a filtered list of issues."""
    path, state = pick_project(database, draws), draws.pick(("Open", "Closed"))
    label = draws.pick(("bug", "feature", "documentation", "performance", "question"))
    steps = (
        *open_project(path, "Issues"),
        Select("combobox", "State", state),
        Select("combobox", "Label", label),
        Click("button", "Filter"),
        DONE,
    )
    url = f"__CODE__/{path}/issues?label={label}" + ("" if state == "Open" else "&state=Closed")
    goal = ends_at(f"{url}&state=Open |OR| {url}" if state == "Open" else url)
    return Draft({"state": state.lower(), "project": path, "label": label}, goal, steps)
