"""The code host: projects, their members, labels and commits, and the user's own pages."""

from __future__ import annotations

from dreamgym_env.domains.webarena.sites.code_access import USER, own_role, project_crumbs, project_of
from dreamgym_env.domains.webarena.sites.code_issues import ISSUE_NOTICES, ISSUE_ROUTES
from dreamgym_env.domains.webarena.sites.code_merges import MERGE_NOTICES, MERGE_ROUTES
from dreamgym_env.domains.webarena.sites.content.dates import TODAY
from dreamgym_env.domains.webarena.sites.content.region import slug_of
from dreamgym_env.domains.webarena.sites.content.software import LABELS
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

__all__ = ["NOTICES", "ROUTES"]

_ROLES = ("Guest", "Reporter", "Developer", "Maintainer")
_HOME = ("Home", "/")
_SORTS = {
    "name": ("Name", "path"),
    "stars": ("Most stars", "total_stars DESC, path"),
    "new": ("Newest", "created DESC, path"),
}
_PROJECTS = """
    SELECT projects.*, stars + EXISTS (SELECT 1 FROM stars WHERE project = path) AS total_stars,
        (SELECT count(*) FROM issues WHERE project = path AND state = 'Open') AS open_issues FROM projects
"""


def home(visit: Visit) -> Answer:
    """Show the projects that the user is a member of."""
    rows = visit.database.rows(
        f"SELECT * FROM ({_PROJECTS}) JOIN memberships ON project = path WHERE username = ? ORDER BY path", USER
    )
    return Page("code/home.html", "My projects", {"rows": rows})


def projects(visit: Visit) -> Answer:
    """List all projects, those with some words where that is asked for."""
    words, sort = visit.asked("q"), visit.asked("sort", "name")
    condition, given = matching(words, "path", "about", "language")
    order = _SORTS.get(sort, _SORTS["name"])[1]
    rows = visit.database.rows(f"{_PROJECTS} WHERE {condition} ORDER BY {order}", *given)
    sorts = [(key, name) for key, (name, _) in _SORTS.items()]
    values = {**paginate(visit, rows, 20), "words": words, "sort": sort, "sorts": sorts}
    return Page("code/projects.html", "Projects", values, [_HOME])


def project(visit: Visit) -> Answer:
    """Show a project."""
    found = project_of(visit)
    count = "SELECT count(*) FROM {} WHERE project = ?"
    values = {
        "project": found,
        "starred": visit.database.row("SELECT 1 FROM stars WHERE project = ?", found["path"]) is not None,
        "role": own_role(visit, found["path"]),
        "open_issues": visit.database.value(count.format("issues") + " AND state = 'Open'", found["path"]),
        "open_merges": visit.database.value(count.format("merge_requests") + " AND state = 'Open'", found["path"]),
        "commits": visit.database.value(count.format("commits"), found["path"]),
        "members": visit.database.value(count.format("memberships"), found["path"]),
    }
    return Page("code/project.html", found["path"], values, [_HOME, ("Projects", "/projects")])


def star(visit: Visit) -> Answer:
    """Star a project, or take the star back."""
    path = project_of(visit)["path"]
    if visit.database.row("SELECT 1 FROM stars WHERE project = ?", path):
        visit.database.rows("DELETE FROM stars WHERE project = ?", path)
        return Redirect(f"/{path}", "unstarred")
    visit.database.rows("INSERT INTO stars VALUES (?)", path)
    return Redirect(f"/{path}", "starred")


def _new_project_page(visit: Visit, error: str = "") -> Page:
    values = {name: visit.line(name) for name in ("name", "about", "language", "visibility")}
    return Page("code/new_project.html", "New project", values, [_HOME], error)


def new_project(visit: Visit) -> Answer:
    """Make a project of the user's own."""
    name, visibility = slug_of(visit.line("name")), visit.line("visibility")
    path = f"{USER}/{name}"
    if not name:
        return _new_project_page(visit, "A project needs a name.")
    if visibility not in ("Private", "Public"):
        return _new_project_page(visit, "Choose who may see the project.")
    if visit.database.row("SELECT 1 FROM projects WHERE path = ?", path):
        return _new_project_page(visit, "You already have a project of this name.")
    values = (path, name, visit.line("about"), visit.line("language"), visibility, TODAY)
    visit.database.rows("INSERT INTO projects VALUES (?, ?, ?, ?, ?, 0, ?)", *values)
    visit.database.rows("INSERT INTO memberships VALUES (?, ?, 'Owner')", path, USER)
    for label, about in LABELS:
        visit.database.rows("INSERT INTO labels VALUES (?, ?, ?)", path, label, about)
    return Redirect(f"/{path}", "created")


def _members_page(visit: Visit, error: str = "") -> Page:
    path = project_of(visit)["path"]
    members = visit.database.rows(
        "SELECT memberships.*, name FROM memberships JOIN people USING (username) WHERE project = ? ORDER BY username",
        path,
    )
    known = {member["username"] for member in members}
    people = visit.database.rows("SELECT * FROM people ORDER BY username")
    values = {
        "path": path,
        "rows": members,
        "people": [person for person in people if person["username"] not in known],
        "roles": _ROLES,
        "may_manage": own_role(visit, path) in ("Owner", "Maintainer"),
    }
    return Page("code/members.html", "Members", values, project_crumbs(path), error)


def add_member(visit: Visit) -> Answer:
    """Make somebody a member of a project."""
    path, username, role = project_of(visit)["path"], visit.line("username"), visit.line("role")
    if own_role(visit, path) not in ("Owner", "Maintainer"):
        return _members_page(visit, "Only owners and maintainers add members.")
    if visit.database.row("SELECT 1 FROM people WHERE username = ?", username) is None or role not in _ROLES:
        return _members_page(visit, "Choose a person and a role.")
    visit.database.rows("INSERT OR REPLACE INTO memberships VALUES (?, ?, ?)", path, username, role)
    return Redirect(f"/{path}/members", "member")


def remove_member(visit: Visit) -> Answer:
    """End a membership."""
    path, username = project_of(visit)["path"], visit.line("username")
    if own_role(visit, path) not in ("Owner", "Maintainer") or username == USER:
        return _members_page(visit, "This membership cannot be ended by you.")
    visit.database.rows("DELETE FROM memberships WHERE project = ? AND username = ?", path, username)
    return Redirect(f"/{path}/members", "removed")


def _labels_page(visit: Visit, error: str = "") -> Page:
    path = project_of(visit)["path"]
    values = {
        "path": path,
        "rows": visit.database.rows(
            "SELECT labels.*, (SELECT count(*) FROM issue_labels JOIN issues USING (project, number) WHERE "
            "issue_labels.project = labels.project AND label = name AND state = 'Open') AS open_issues FROM labels "
            "WHERE project = ? ORDER BY name",
            path,
        ),
        "may_manage": bool(own_role(visit, path)),
        "name": visit.line("name"),
        "about": visit.line("about"),
    }
    return Page("code/labels.html", "Labels", values, project_crumbs(path), error)


def add_label(visit: Visit) -> Answer:
    """Give a project a label."""
    path, name = project_of(visit)["path"], visit.line("name")
    if not own_role(visit, path):
        return _labels_page(visit, "Only members add labels.")
    if not name or visit.database.row("SELECT 1 FROM labels WHERE project = ? AND name = ?", path, name):
        return _labels_page(visit, "A label needs a name that no other label has.")
    visit.database.rows("INSERT INTO labels VALUES (?, ?, ?)", path, name, visit.line("about"))
    return Redirect(f"/{path}/labels", "label")


def commits(visit: Visit) -> Answer:
    """List the commits of a project, the latest first, those of one author where that is asked for."""
    path, author = project_of(visit)["path"], visit.asked("author")
    rows = visit.database.rows(
        "SELECT * FROM commits WHERE project = ? AND (? = '' OR author = ?) ORDER BY written DESC, rowid DESC",
        *(path, author, author),
    )
    authors = visit.database.rows("SELECT DISTINCT author FROM commits WHERE project = ? ORDER BY author", path)
    values = {**paginate(visit, rows, 20), "path": path, "author": author, "authors": authors}
    return Page("code/commits.html", "Commits", values, project_crumbs(path))


def person(visit: Visit) -> Answer:
    """Show a person with the projects that all may see."""
    found = visit.database.row("SELECT * FROM people WHERE username = ?", visit.names["username"])
    if found is None:
        raise NotHereError("There is no such person.")
    rows = visit.database.rows(
        "SELECT memberships.*, about FROM memberships JOIN projects ON project = path WHERE username = ? ORDER BY path",
        found["username"],
    )
    return Page("code/person.html", found["name"], {"person": found, "rows": rows, "user": USER}, [_HOME])


def change_status(visit: Visit) -> Answer:
    """Keep what the user is doing."""
    visit.database.rows("UPDATE people SET status = ? WHERE username = ?", visit.line("status"), USER)
    return Redirect(f"/people/{USER}", "status")


NOTICES = {
    **ISSUE_NOTICES,
    **MERGE_NOTICES,
    "starred": "You have starred this project.",
    "unstarred": "You have taken your star back.",
    "created": "The project is created.",
    "member": "The member is added.",
    "removed": "The member is removed.",
    "label": "The label is added.",
    "status": "Your status is saved.",
}
ROUTES = (
    Route("/", home),
    Route("/projects", projects),
    Route("/projects/new", _new_project_page),
    Route("/projects/new", new_project, "POST"),
    Route("/people/{username}", person),
    Route("/status", change_status, "POST"),
    *ISSUE_ROUTES,
    *MERGE_ROUTES,
    Route("/{group}/{name}", project),
    Route("/{group}/{name}/star", star, "POST"),
    Route("/{group}/{name}/members", _members_page),
    Route("/{group}/{name}/members", add_member, "POST"),
    Route("/{group}/{name}/members/remove", remove_member, "POST"),
    Route("/{group}/{name}/labels", _labels_page),
    Route("/{group}/{name}/labels", add_label, "POST"),
    Route("/{group}/{name}/commits", commits),
)
