"""The code host: who may do what, and what all pages of a project need."""

from __future__ import annotations

import sqlite3

from dreamgym_env.domains.webarena.sites.content.code import username_of
from dreamgym_env.domains.webarena.sites.content.names import USER_NAME
from dreamgym_env.domains.webarena.sites.pages import NotHereError, Visit

__all__ = ["USER", "notes_of", "own_role", "project_crumbs", "project_of"]

USER = username_of(USER_NAME)
"""The person who is logged in."""


def project_of(visit: Visit) -> sqlite3.Row:
    """Return the project that the path names. Raises NotHereError."""
    path = f"{visit.names['group']}/{visit.names['name']}"
    found = visit.database.row("SELECT * FROM projects WHERE path = ?", path)
    if found is None:
        raise NotHereError("There is no such project.")
    return found


def own_role(visit: Visit, path: str) -> str:
    """Return the user's role in a project; empty for none."""
    role = visit.database.value("SELECT role FROM memberships WHERE project = ? AND username = ?", path, USER)
    return role or ""


def project_crumbs(path: str) -> list[tuple[str, str]]:
    """Return what stands above a page of a project."""
    return [("Home", "/"), ("Projects", "/projects"), (path, f"/{path}")]


def notes_of(visit: Visit, path: str, kind: str, number: int) -> list[sqlite3.Row]:
    """Return the comments on an issue or a merge request, oldest first."""
    return visit.database.rows(
        "SELECT * FROM notes WHERE project = ? AND kind = ? AND number = ? ORDER BY rowid", path, kind, number
    )
