"""The code host: issues."""

from __future__ import annotations

import sqlite3

from dreamgym_env.domains.webarena.sites.code_access import USER, notes_of, own_role, project_crumbs, project_of
from dreamgym_env.domains.webarena.sites.content.dates import TODAY
from dreamgym_env.domains.webarena.sites.pages import (
    Answer,
    NotHereError,
    Page,
    Redirect,
    Route,
    Visit,
    matching,
    paginate,
)

__all__ = ["ISSUE_NOTICES", "ISSUE_ROUTES"]

_STATES = ("Open", "Closed")
_ISSUES = """
    SELECT issues.*, (SELECT group_concat(label, ', ') FROM (SELECT label FROM issue_labels WHERE
        issue_labels.project = issues.project AND issue_labels.number = issues.number ORDER BY label)) AS labels
    FROM issues
"""


def _labels(visit: Visit, path: str) -> list[str]:
    return [row["name"] for row in visit.database.rows("SELECT name FROM labels WHERE project = ? ORDER BY name", path)]


def _members(visit: Visit, path: str) -> list[str]:
    rows = visit.database.rows("SELECT username FROM memberships WHERE project = ? ORDER BY username", path)
    return [row["username"] for row in rows]


def issues(visit: Visit) -> Answer:
    """List a project's issues, the latest first, by state, label and words where that is asked for."""
    path = project_of(visit)["path"]
    state, label, words = visit.asked("state", "Open"), visit.asked("label"), visit.asked("q")
    condition, given = matching(words, "title", "body")
    rows = visit.database.rows(
        f"{_ISSUES} WHERE project = ? AND (? = 'All' OR state = ?) AND (? = '' OR EXISTS (SELECT 1 FROM issue_labels "
        "WHERE issue_labels.project = issues.project AND issue_labels.number = issues.number AND label = ?)) "
        f"AND {condition} ORDER BY number DESC",
        *(path, state, state, label, label, *given),
    )
    values = {
        **paginate(visit, rows, 12),
        "path": path,
        "state": state,
        "states": (*_STATES, "All"),
        "label": label,
        "labels": _labels(visit, path),
        "words": words,
    }
    return Page("code/issues.html", "Issues", values, project_crumbs(path))


def my_issues(visit: Visit) -> Answer:
    """List the open issues that are assigned to the user."""
    rows = visit.database.rows(
        f"{_ISSUES} WHERE assignee = ? AND state = 'Open' ORDER BY created DESC, project, number", USER
    )
    return Page("code/my_issues.html", "Issues assigned to me", {"rows": rows}, [("Home", "/")])


def _issue(visit: Visit) -> sqlite3.Row:
    found = visit.database.row(
        f"{_ISSUES} WHERE project = ? AND CAST(number AS TEXT) = ?", project_of(visit)["path"], visit.names["number"]
    )
    if found is None:
        raise NotHereError("There is no such issue.")
    return found


def _own_labels(visit: Visit, found: sqlite3.Row) -> list[str]:
    rows = visit.database.rows(
        "SELECT label FROM issue_labels WHERE project = ? AND number = ? ORDER BY label",
        found["project"],
        found["number"],
    )
    return [row["label"] for row in rows]


def _issue_page(visit: Visit, error: str = "") -> Page:
    found = _issue(visit)
    path = found["project"]
    values = {
        "path": path,
        "issue": found,
        "own_labels": _own_labels(visit, found),
        "labels": _labels(visit, path),
        "members": _members(visit, path),
        "notes": notes_of(visit, path, "issue", found["number"]),
        "may_manage": bool(own_role(visit, path)),
        "body": visit.text("body"),
    }
    crumbs = [*project_crumbs(path), ("Issues", f"/{path}/issues")]
    return Page("code/issue.html", f"#{found['number']} {found['title']}", values, crumbs, error)


def _new_issue_page(visit: Visit, error: str = "") -> Page:
    path = project_of(visit)["path"]
    values = {
        "path": path,
        "headline": visit.line("title"),
        "body": visit.text("body"),
        "assignee": visit.line("assignee"),
        "label": visit.line("label"),
        "labels": _labels(visit, path),
        "members": _members(visit, path),
        "may_manage": bool(own_role(visit, path)),
    }
    return Page(
        "code/new_issue.html", "New issue", values, [*project_crumbs(path), ("Issues", f"/{path}/issues")], error
    )


def new_issue(visit: Visit) -> Answer:
    """Open an issue; only members also assign and label it."""
    path, title = project_of(visit)["path"], visit.line("title")
    if not title:
        return _new_issue_page(visit, "An issue needs a title.")
    member = bool(own_role(visit, path))
    assignee = visit.line("assignee") if member and visit.line("assignee") in _members(visit, path) else ""
    number = visit.database.value("SELECT coalesce(max(number), 0) + 1 FROM issues WHERE project = ?", path)
    visit.database.rows(
        "INSERT INTO issues VALUES (?, ?, ?, ?, ?, ?, 'Open', ?)",
        *(path, number, title, visit.text("body"), USER, assignee, TODAY),
    )
    if member and visit.line("label") in _labels(visit, path):
        visit.database.rows("INSERT INTO issue_labels VALUES (?, ?, ?)", path, number, visit.line("label"))
    return Redirect(f"/{path}/issues/{number}", "opened")


def comment(visit: Visit) -> Answer:
    """Add a comment to an issue."""
    found, body = _issue(visit), visit.text("body")
    if not body:
        return _issue_page(visit, "A comment needs a text.")
    values = (found["project"], "issue", found["number"], USER, body, TODAY)
    visit.database.rows("INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?)", *values)
    return _done(found, "commented")


def change_state(visit: Visit) -> Answer:
    """Close an open issue, or open a closed one again."""
    found = _issue(visit)
    if not own_role(visit, found["project"]):
        return _issue_page(visit, "Only members close issues.")
    state = "Closed" if found["state"] == "Open" else "Open"
    where = (found["project"], found["number"])
    visit.database.rows("UPDATE issues SET state = ? WHERE project = ? AND number = ?", state, *where)
    return _done(found, "closed" if state == "Closed" else "reopened")


def assign(visit: Visit) -> Answer:
    """Assign an issue to a member, or to nobody."""
    found, assignee = _issue(visit), visit.line("assignee")
    if not own_role(visit, found["project"]) or assignee not in ("", *_members(visit, found["project"])):
        return _issue_page(visit, "Only members assign issues, and only to members.")
    where = (found["project"], found["number"])
    visit.database.rows("UPDATE issues SET assignee = ? WHERE project = ? AND number = ?", assignee, *where)
    return _done(found, "assigned")


def add_label(visit: Visit) -> Answer:
    """Put a label on an issue."""
    found, label = _issue(visit), visit.line("label")
    if not own_role(visit, found["project"]) or label not in _labels(visit, found["project"]):
        return _issue_page(visit, "Only members label issues, and only with labels of the project.")
    visit.database.rows("INSERT OR IGNORE INTO issue_labels VALUES (?, ?, ?)", found["project"], found["number"], label)
    return _done(found, "labelled")


def remove_label(visit: Visit) -> Answer:
    """Take a label off an issue."""
    found = _issue(visit)
    if not own_role(visit, found["project"]):
        return _issue_page(visit, "Only members label issues.")
    where = (found["project"], found["number"], visit.line("label"))
    visit.database.rows("DELETE FROM issue_labels WHERE project = ? AND number = ? AND label = ?", *where)
    return _done(found, "unlabelled")


def _done(found: sqlite3.Row, notice: str) -> Redirect:
    return Redirect(f"/{found['project']}/issues/{found['number']}", notice)


ISSUE_NOTICES = {
    "opened": "The issue is opened.",
    "commented": "Your comment is published.",
    "closed": "The issue is closed.",
    "reopened": "The issue is open again.",
    "assigned": "The assignee is saved.",
    "labelled": "The label is added.",
    "unlabelled": "The label is removed.",
}
_ISSUE = "/{group}/{name}/issues/{number}"
ISSUE_ROUTES = (
    Route("/my/issues", my_issues),
    Route("/{group}/{name}/issues", issues),
    Route("/{group}/{name}/issues/new", _new_issue_page),
    Route("/{group}/{name}/issues/new", new_issue, "POST"),
    Route(_ISSUE, _issue_page),
    Route(f"{_ISSUE}/comment", comment, "POST"),
    Route(f"{_ISSUE}/state", change_state, "POST"),
    Route(f"{_ISSUE}/assign", assign, "POST"),
    Route(f"{_ISSUE}/label", add_label, "POST"),
    Route(f"{_ISSUE}/unlabel", remove_label, "POST"),
)
