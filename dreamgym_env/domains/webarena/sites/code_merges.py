"""The code host: merge requests."""

from __future__ import annotations

import sqlite3

from dreamgym_env.domains.webarena.sites.code_access import USER, notes_of, own_role, project_crumbs, project_of
from dreamgym_env.domains.webarena.sites.content.dates import TODAY
from dreamgym_env.domains.webarena.sites.pages import Answer, NotHereError, Page, Redirect, Route, Visit, paginate

__all__ = ["MERGE_NOTICES", "MERGE_ROUTES"]

_STATES = ("Open", "Merged", "Closed", "All")
_MERGERS = ("Owner", "Maintainer", "Developer")


def merge_requests(visit: Visit) -> Answer:
    """List a project's merge requests, the latest first, of one state where that is asked for."""
    path, state = project_of(visit)["path"], visit.asked("state", "Open")
    rows = visit.database.rows(
        "SELECT * FROM merge_requests WHERE project = ? AND (? = 'All' OR state = ?) ORDER BY number DESC",
        *(path, state, state),
    )
    values = {**paginate(visit, rows, 12), "path": path, "state": state, "states": _STATES}
    return Page("code/merge_requests.html", "Merge requests", values, project_crumbs(path))


def my_reviews(visit: Visit) -> Answer:
    """List the open merge requests that wait for the user's review."""
    rows = visit.database.rows(
        "SELECT * FROM merge_requests WHERE reviewer = ? AND state = 'Open' ORDER BY created DESC, project, number",
        USER,
    )
    return Page("code/my_reviews.html", "Merge requests for me to review", {"rows": rows}, [("Home", "/")])


def _merge_request(visit: Visit) -> sqlite3.Row:
    found = visit.database.row(
        "SELECT * FROM merge_requests WHERE project = ? AND CAST(number AS TEXT) = ?",
        *(project_of(visit)["path"], visit.names["number"]),
    )
    if found is None:
        raise NotHereError("There is no such merge request.")
    return found


def _merge_request_page(visit: Visit, error: str = "") -> Page:
    found = _merge_request(visit)
    path = found["project"]
    values = {
        "path": path,
        "merge": found,
        "notes": notes_of(visit, path, "merge request", found["number"]),
        "may_manage": own_role(visit, path) in _MERGERS,
        "body": visit.text("body"),
    }
    crumbs = [*project_crumbs(path), ("Merge requests", f"/{path}/merge-requests")]
    return Page("code/merge_request.html", f"!{found['number']} {found['title']}", values, crumbs, error)


def comment(visit: Visit) -> Answer:
    """Add a comment to a merge request."""
    found, body = _merge_request(visit), visit.text("body")
    if not body:
        return _merge_request_page(visit, "A comment needs a text.")
    values = (found["project"], "merge request", found["number"], USER, body, TODAY)
    visit.database.rows("INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?)", *values)
    return Redirect(_path(found), "commented")


def settle(visit: Visit) -> Answer:
    """Merge an open merge request, or close it."""
    found, state = _merge_request(visit), visit.line("state")
    if own_role(visit, found["project"]) not in _MERGERS:
        return _merge_request_page(visit, "Only developers and above merge or close.")
    if found["state"] != "Open" or state not in ("Merged", "Closed"):
        return _merge_request_page(visit, "This merge request is no longer open.")
    where = (found["project"], found["number"])
    visit.database.rows("UPDATE merge_requests SET state = ? WHERE project = ? AND number = ?", state, *where)
    return Redirect(_path(found), "merged" if state == "Merged" else "merge-closed")


def _path(found: sqlite3.Row) -> str:
    return f"/{found['project']}/merge-requests/{found['number']}"


MERGE_NOTICES = {"merged": "The merge request is merged.", "merge-closed": "The merge request is closed."}
_MERGE = "/{group}/{name}/merge-requests/{number}"
MERGE_ROUTES = (
    Route("/my/reviews", my_reviews),
    Route("/{group}/{name}/merge-requests", merge_requests),
    Route(_MERGE, _merge_request_page),
    Route(f"{_MERGE}/comment", comment, "POST"),
    Route(f"{_MERGE}/state", settle, "POST"),
)
