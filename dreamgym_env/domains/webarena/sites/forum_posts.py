"""The forum: a post with its comments, and what can be done with them."""

from __future__ import annotations

import sqlite3

from dreamgym_env.domains.webarena.sites.content.dates import TODAY
from dreamgym_env.domains.webarena.sites.content.forum import handle_of
from dreamgym_env.domains.webarena.sites.content.names import USER_NAME
from dreamgym_env.domains.webarena.sites.pages import Answer, NotHereError, Page, Redirect, Route, Visit

__all__ = ["POSTS", "POST_NOTICES", "POST_ROUTES"]

_USER = handle_of(USER_NAME)
POSTS = """
    SELECT posts.*, boards.name AS board_name,
        score + coalesce((SELECT value FROM post_votes WHERE post = posts.id), 0) AS points,
        coalesce((SELECT value FROM post_votes WHERE post = posts.id), 0) AS vote,
        (SELECT count(*) FROM comments WHERE post = posts.id) AS comments
    FROM posts JOIN boards ON boards.slug = posts.board
"""
"""Selects posts as they are shown."""


def _post(visit: Visit) -> sqlite3.Row:
    found = visit.database.row(f"{POSTS} WHERE CAST(posts.id AS TEXT) = ?", visit.names["id"])
    if found is None:
        raise NotHereError("There is no such post.")
    return found


def _own_post(visit: Visit) -> sqlite3.Row:
    found = _post(visit)
    if found["author"] != _USER:
        raise NotHereError("This post is not yours.")
    return found


def _crumbs(found: sqlite3.Row) -> list[tuple[str, str]]:
    return [("Home", "/"), (found["board_name"], f"/b/{found['board']}")]


def _post_page(visit: Visit, error: str = "") -> Page:
    found = _post(visit)
    comments = visit.database.rows(
        "SELECT comments.*, score + coalesce(value, 0) AS points, coalesce(value, 0) AS vote FROM comments "
        "LEFT JOIN comment_votes ON comment = comments.id WHERE post = ? ORDER BY comments.id",
        found["id"],
    )
    values = {"post": found, "comments": comments, "own": found["author"] == _USER, "body": visit.text("body")}
    return Page("forum/post.html", found["title"], values, _crumbs(found), error)


def comment(visit: Visit) -> Answer:
    """Add a comment to a post."""
    found, body = _post(visit), visit.text("body")
    if not body:
        return _post_page(visit, "A comment needs a text.")
    visit.database.rows(
        "INSERT INTO comments (post, author, body, written, score) VALUES (?, ?, ?, ?, 1)",
        *(found["id"], _USER, body, TODAY),
    )
    return Redirect(f"/post/{found['id']}", "commented")


def vote(visit: Visit) -> Answer:
    """Vote for or against a post; the same vote once more takes it back."""
    found = _post(visit)
    _vote(visit, "post_votes", found["id"], found["vote"])
    return Redirect(f"/post/{found['id']}", "voted")


def vote_comment(visit: Visit) -> Answer:
    """Vote for or against a comment; the same vote once more takes it back."""
    found = visit.database.row(
        "SELECT comments.*, coalesce(value, 0) AS vote FROM comments LEFT JOIN comment_votes ON comment = comments.id "
        "WHERE CAST(comments.id AS TEXT) = ?",
        visit.names["id"],
    )
    if found is None:
        raise NotHereError("There is no such comment.")
    _vote(visit, "comment_votes", found["id"], found["vote"])
    return Redirect(f"/post/{found['post']}", "voted")


def _vote(visit: Visit, table: str, number: int, before: int) -> None:
    value = {"up": 1, "down": -1}.get(visit.line("vote"), 0)
    visit.database.rows(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", number, 0 if value == before else value)


def _edit_page(visit: Visit, error: str = "") -> Page:
    found = _own_post(visit)
    values = {
        "post": found,
        "headline": visit.form.get("title", found["title"]),
        "body": visit.form.get("body", found["body"]),
    }
    crumbs = [*_crumbs(found), (found["title"], f"/post/{found['id']}")]
    return Page("forum/edit.html", "Edit post", values, crumbs, error)


def edit(visit: Visit) -> Answer:
    """Keep a post's new title and body."""
    found, title = _own_post(visit), visit.line("title")
    if not title:
        return _edit_page(visit, "A post needs a title.")
    visit.database.rows("UPDATE posts SET title = ?, body = ? WHERE id = ?", title, visit.text("body"), found["id"])
    return Redirect(f"/post/{found['id']}", "edited")


def delete(visit: Visit) -> Answer:
    """Take a post away with its comments."""
    found = _own_post(visit)
    visit.database.rows("DELETE FROM comments WHERE post = ?", found["id"])
    visit.database.rows("DELETE FROM posts WHERE id = ?", found["id"])
    return Redirect(f"/b/{found['board']}", "deleted")


POST_NOTICES = {
    "commented": "Your comment is published.",
    "voted": "Your vote is counted.",
    "edited": "Your post is saved.",
    "deleted": "Your post is deleted.",
}
POST_ROUTES = (
    Route("/post/{id}", _post_page),
    Route("/post/{id}/comment", comment, "POST"),
    Route("/post/{id}/vote", vote, "POST"),
    Route("/comment/{id}/vote", vote_comment, "POST"),
    Route("/post/{id}/edit", _edit_page),
    Route("/post/{id}/edit", edit, "POST"),
    Route("/post/{id}/delete", delete, "POST"),
)
