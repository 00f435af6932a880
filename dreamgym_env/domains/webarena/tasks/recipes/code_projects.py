"""Templates of tasks on the code host: projects, people, merge requests."""

from __future__ import annotations

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.code_access import USER
from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.tasks.oracle import Answer, Click, Fill, Select
from dreamgym_env.domains.webarena.tasks.recipe import (
    DONE,
    Draft,
    RecipeBook,
    dates,
    ends_at,
    says,
    search,
    shows,
    target,
)
from dreamgym_env.domains.webarena.tasks.recipes.code import OWN, open_project, pick_project
from dreamgym_env.domains.webarena.tasks.recipes.phrases import CODE_COMMENTS, NEW_LABELS, NEW_PROJECTS, STATUSES

__all__ = ["BOOK"]

BOOK = RecipeBook("code")
_OWNED = f"path LIKE '{USER}/%'"


@BOOK.add("train", "How many commits to {{project}} are by {{person}}?")
def count_commits(database: Database, draws: Draws) -> Draft | None:
    """Filter commits by author."""
    path = pick_project(database, draws)
    row = draws.pick(
        database.rows("SELECT author, count(*) FROM commits WHERE project = ? GROUP BY author ORDER BY author", path)
    )
    steps = (
        *open_project(path, "Commits"),
        Select("combobox", "Author", row[0]),
        Click("button", "Filter"),
        Answer(f"{row[1]} commits."),
    )
    return Draft({"project": path, "person": row[0]}, says(str(row[1])), steps)


@BOOK.add("test", "When was the latest commit to {{project}}, and by whom?")
def latest_commit(database: Database, draws: Draws) -> Draft | None:
    """Read the first line of the commits."""
    path = pick_project(database, draws)
    first, second = database.rows(
        "SELECT * FROM commits WHERE project = ? ORDER BY written DESC, rowid DESC LIMIT 2", path
    )
    if first["written"] == second["written"]:
        return None
    steps = (*open_project(path, "Commits"), Answer(f"On {first['written']}, by {first['author']}."))
    return Draft({"project": path}, says(dates(first["written"]), first["author"]), steps)


@BOOK.add("train", "Who is the {{role}} of the project {{project}}?")
def role_holder(database: Database, draws: Draws) -> Draft | None:
    """Read the list of members."""
    path, role = pick_project(database, draws), draws.pick(("Owner", "Maintainer", "Reporter", "Guest"))
    rows = database.rows(
        "SELECT username, name FROM memberships JOIN people USING (username) WHERE project = ? AND role = ?", path, role
    )
    if len(rows) != 1:
        return None
    answer = f"{rows[0]['username']} |OR| {rows[0]['name']}"
    steps = (*open_project(path, "Members"), Answer(rows[0]["username"]))
    return Draft({"role": role.lower(), "project": path}, says(answer), steps)


@BOOK.add("test", "Make {{person}} a member of {{project}}, as {{role}}.")
def add_member(database: Database, draws: Draws) -> Draft | None:
    """Add a member to a project of the user's own."""
    path, role = pick_project(database, draws, _OWNED), draws.pick(("Guest", "Reporter", "Developer", "Maintainer"))
    person = draws.pick(
        database.rows(
            "SELECT * FROM people WHERE username NOT IN (SELECT username FROM memberships WHERE project = ?) "
            "ORDER BY username",
            path,
        )
    )
    steps = (
        *open_project(path, "Members"),
        Select("combobox", "Person", person["username"]),
        Select("combobox", "Role", role),
        Click("button", "Add member"),
        DONE,
    )
    row = f"{person['username']} {person['name']} {role}"
    goal = shows(target(f"__CODE__/{path}/members", "#members tr", row))
    return Draft({"person": person["username"], "project": path, "role": role.lower()}, goal, steps)


@BOOK.add("eval", 'Give {{project}} a new label {{name}}, described as "{{about}}"')
def new_label(database: Database, draws: Draws) -> Draft | None:
    """Add a label to a project."""
    path, (name, about) = pick_project(database, draws, OWN), draws.pick(NEW_LABELS)
    steps = (
        *open_project(path, "Labels"),
        Fill("textbox", "Name", name),
        Fill("textbox", "About", about),
        Click("button", "Add label"),
        DONE,
    )
    goal = shows(target(f"__CODE__/{path}/labels", "#labels tr", f"{name} {about}"))
    return Draft({"project": path, "name": name, "about": about}, goal, steps)


@BOOK.add("train", "Star the project {{project}}.")
def star(database: Database, draws: Draws) -> Draft | None:
    """Star a project."""
    path = pick_project(database, draws, "path NOT IN (SELECT project FROM stars)")
    goal = shows(target(f"__CODE__/{path}", f'form[action="/{path}/star"] button', exact="Unstar"))
    return Draft({"project": path}, goal, (*open_project(path), Click("button", "Star"), DONE))


@BOOK.add("test", "Which project written in {{language}} has the most stars, and how many?")
def most_stars(database: Database, draws: Draws) -> Draft | None:
    """Search by language and compare."""
    language = draws.pick(("Python", "Rust", "TypeScript"))
    first, second = database.rows(
        "SELECT *, stars + (path IN (SELECT project FROM stars)) AS total FROM projects WHERE language = ? "
        "ORDER BY total DESC LIMIT 2",
        language,
    )
    if first["total"] == second["total"]:
        return None
    steps = (
        *search("Search projects", language),
        Select("combobox", "Sort by", "Most stars"),
        Click("button", "Sort"),
        Answer(f"{first['path']}, {first['total']} stars"),
    )
    return Draft({"language": language}, says(first["name"], str(first["total"])), steps)


@BOOK.add("train", 'Create a {{visibility}} project called {{name}}, about "{{about}}", to be written in {{language}}.')
def new_project(database: Database, draws: Draws) -> Draft | None:
    """Create a project."""
    (name, about, language), visibility = draws.pick(NEW_PROJECTS), draws.pick(("Private", "Public"))
    steps = (
        Click("link", "New project"),
        Fill("textbox", "Name", name),
        Fill("textbox", "About", about),
        Fill("textbox", "Language", language),
        Select("combobox", "Visibility", visibility),
        Click("button", "Create project"),
        DONE,
    )
    facts = (about, f"Language {language}", f"Visibility {visibility}")
    goal = shows(target(f"__CODE__/{USER}/{name}", "main", *facts))
    arguments = {"visibility": visibility.lower(), "name": name, "about": about, "language": language}
    return Draft(arguments, goal, steps)


@BOOK.add("train", 'Set my status on the code host to "{{status}}"')
def set_status(database: Database, draws: Draws) -> Draft | None:
    """Set a status."""
    status = draws.pick(STATUSES)
    steps = (
        Click("link", "My profile"),
        Fill("textbox", "Status", status),
        Click("button", "Save status"),
        DONE,
    )
    return Draft({"status": status}, shows(target(f"__CODE__/people/{USER}", "#person-status", exact=status)), steps)


@BOOK.add("eval", "What is the title of the newest merge request in {{project}}, whatever its state?")
def newest_merge_request(database: Database, draws: Draws) -> Draft | None:
    """Read the first line of the merge requests."""
    path = pick_project(database, draws)
    title = database.value("SELECT title FROM merge_requests WHERE project = ? ORDER BY number DESC", path)
    steps = (
        *open_project(path, "Merge requests"),
        Select("combobox", "State", "All"),
        Click("button", "Filter"),
        Answer(title),
    )
    return Draft({"project": path}, says(title), steps)


@BOOK.add("train", '{{verb}} the merge request "{{title}}" of {{project}}.')
def settle(database: Database, draws: Draws) -> Draft | None:
    """Merge or close a merge request."""
    merge = draws.pick(
        database.rows(
            "SELECT merge_requests.* FROM merge_requests JOIN projects ON path = project "
            f"WHERE state = 'Open' AND {OWN} ORDER BY project, number"
        )
    )
    verb, button, state = draws.pick((("Merge", "Merge", "Merged"), ("Close", "Close merge request", "Closed")))
    steps = (
        *open_project(merge["project"], "Merge requests", f"!{merge['number']} {merge['title']}"),
        Click("button", button),
        DONE,
    )
    goal = shows(target(f"__CODE__/{merge['project']}/merge-requests/{merge['number']}", "#current-state", exact=state))
    return Draft({"verb": verb, "title": merge["title"], "project": merge["project"]}, goal, steps)


@BOOK.add("test", 'Answer "{{text}}" on the merge request "{{title}}" of {{project}}.')
def comment_merge_request(database: Database, draws: Draws) -> Draft | None:
    """Comment on a merge request."""
    merge, text = (
        draws.pick(database.rows("SELECT * FROM merge_requests WHERE state = 'Open' ORDER BY project, number")),
        draws.pick(CODE_COMMENTS),
    )
    steps = (
        *open_project(merge["project"], "Merge requests", f"!{merge['number']} {merge['title']}"),
        Fill("textbox", "Your comment", text),
        Click("button", "Add comment"),
        DONE,
    )
    goal = shows(target(f"__CODE__/{merge['project']}/merge-requests/{merge['number']}", "#notes", text))
    return Draft({"text": text, "title": merge["title"], "project": merge["project"]}, goal, steps)


@BOOK.add("eval", "Which merge requests wait for my review? Open the page that lists them.")
def my_reviews(database: Database, draws: Draws) -> Draft | None:
    """Open a page of the user's own."""
    return Draft({}, ends_at("__CODE__/my/reviews"), (Click("link", "My reviews"), DONE))
