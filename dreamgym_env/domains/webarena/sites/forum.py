"""The forum: boards, posts, comments, votes, members."""

from __future__ import annotations

import sqlite3

from dreamgym_env.domains.webarena.sites.content.dates import TODAY
from dreamgym_env.domains.webarena.sites.content.forum import handle_of
from dreamgym_env.domains.webarena.sites.content.names import USER_NAME
from dreamgym_env.domains.webarena.sites.forum_posts import POST_NOTICES, POST_ROUTES, POSTS
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

_USER = handle_of(USER_NAME)
_PAGE = 10
_SORTS = {
    "new": ("Newest", "written DESC, posts.id DESC"),
    "top": ("Highest score", "points DESC, posts.id"),
    "comments": ("Most comments", "comments DESC, posts.id"),
}
_BOARDS = """
    SELECT boards.*, (SELECT count(*) FROM posts WHERE board = boards.slug) AS posts,
        EXISTS (SELECT 1 FROM subscriptions WHERE board = boards.slug) AS subscribed FROM boards
"""


def home(visit: Visit) -> Answer:
    """Show the boards and the newest posts."""
    values = {
        "boards": visit.database.rows(f"{_BOARDS} ORDER BY name"),
        "rows": visit.database.rows(f"{POSTS} ORDER BY written DESC, posts.id DESC LIMIT 8"),
    }
    return Page("forum/home.html", "Welcome", values)


def _board(visit: Visit) -> sqlite3.Row:
    found = visit.database.row(f"{_BOARDS} WHERE slug = ?", visit.names["slug"])
    if found is None:
        raise NotHereError("There is no such board.")
    return found


def board(visit: Visit) -> Answer:
    """List the posts of a board."""
    found, sort = _board(visit), visit.asked("sort", "new")
    order = _SORTS.get(sort, _SORTS["new"])[1]
    rows = visit.database.rows(f"{POSTS} WHERE board = ? ORDER BY {order}", found["slug"])
    sorts = [(key, name) for key, (name, _) in _SORTS.items()]
    values = {**paginate(visit, rows, _PAGE), "board": found, "sort": sort, "sorts": sorts}
    return Page("forum/board.html", found["name"], values, [("Home", "/")])


def subscribe(visit: Visit) -> Answer:
    """Subscribe to a board, or end that."""
    found = _board(visit)
    if found["subscribed"]:
        visit.database.rows("DELETE FROM subscriptions WHERE board = ?", found["slug"])
        return Redirect(f"/b/{found['slug']}", "unsubscribed")
    visit.database.rows("INSERT INTO subscriptions VALUES (?)", found["slug"])
    return Redirect(f"/b/{found['slug']}", "subscribed")


def subscriptions(visit: Visit) -> Answer:
    """List the boards that the user has subscribed to."""
    rows = visit.database.rows(f"SELECT * FROM ({_BOARDS}) WHERE subscribed ORDER BY name")
    return Page("forum/subscriptions.html", "My boards", {"boards": rows}, [("Home", "/")])


def search(visit: Visit) -> Answer:
    """List the posts in which every word of the search stands."""
    words = visit.asked("q")
    condition, given = matching(words, "title", "body", "author")
    rows = (
        visit.database.rows(f"{POSTS} WHERE {condition} ORDER BY written DESC, posts.id DESC", *given) if words else []
    )
    title = f"Search results for {words}" if words else "Search"
    return Page("forum/search.html", title, {**paginate(visit, rows, _PAGE), "words": words}, [("Home", "/")])


def member(visit: Visit) -> Answer:
    """Show a member with posts and latest comments."""
    found = visit.database.row("SELECT * FROM members WHERE handle = ?", visit.names["handle"])
    if found is None:
        raise NotHereError("There is no such member.")
    values = {
        "member": found,
        "own": found["handle"] == _USER,
        "posts": visit.database.rows(f"{POSTS} WHERE author = ? ORDER BY written DESC, posts.id DESC", found["handle"]),
        "comments": visit.database.rows(
            "SELECT comments.*, posts.title FROM comments JOIN posts ON posts.id = post WHERE comments.author = ? "
            "ORDER BY comments.written DESC, comments.id DESC LIMIT 10",
            found["handle"],
        ),
        "comment_count": visit.database.value("SELECT count(*) FROM comments WHERE author = ?", found["handle"]),
    }
    return Page("forum/member.html", found["handle"], values, [("Home", "/")])


def settings(visit: Visit) -> Answer:
    """Show what the user says of herself."""
    bio = visit.database.value("SELECT bio FROM members WHERE handle = ?", _USER)
    return Page("forum/settings.html", "Settings", {"bio": bio, "handle": _USER}, [("Home", "/")])


def change_settings(visit: Visit) -> Answer:
    """Keep what the user says of herself."""
    visit.database.rows("UPDATE members SET bio = ? WHERE handle = ?", visit.text("bio"), _USER)
    return Redirect(f"/u/{_USER}", "saved")


def _submit_page(visit: Visit, error: str = "") -> Page:
    values = {
        "boards": visit.database.rows("SELECT slug, name FROM boards ORDER BY name"),
        "chosen": visit.line("board") or visit.asked("board"),
        "headline": visit.line("title"),
        "body": visit.text("body"),
    }
    return Page("forum/submit.html", "Write a post", values, [("Home", "/")], error)


def submit(visit: Visit) -> Answer:
    """Publish a post."""
    slug, title = visit.line("board"), visit.line("title")
    if visit.database.row("SELECT 1 FROM boards WHERE slug = ?", slug) is None:
        return _submit_page(visit, "Choose a board.")
    if not title:
        return _submit_page(visit, "A post needs a title.")
    visit.database.rows(
        "INSERT INTO posts (board, author, title, body, written, score) VALUES (?, ?, ?, ?, ?, 1)",
        *(slug, _USER, title, visit.text("body"), TODAY),
    )
    number = visit.database.value("SELECT max(id) FROM posts")
    return Redirect(f"/post/{number}", "published")


NOTICES = {
    **POST_NOTICES,
    "subscribed": "You have subscribed to this board.",
    "unsubscribed": "You no longer subscribe to this board.",
    "saved": "Your settings are saved.",
    "published": "Your post is published.",
}
ROUTES = (
    Route("/", home),
    Route("/b/{slug}", board),
    Route("/b/{slug}/subscribe", subscribe, "POST"),
    Route("/subscriptions", subscriptions),
    Route("/search", search),
    Route("/u/{handle}", member),
    Route("/settings", settings),
    Route("/settings", change_settings, "POST"),
    Route("/submit", _submit_page),
    Route("/submit", submit, "POST"),
    *POST_ROUTES,
)
