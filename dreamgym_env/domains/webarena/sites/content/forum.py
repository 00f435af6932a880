"""Rows of the forum: members, boards, posts, comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.content.boards import BIOS, BOARDS, GENERAL_COMMENTS, Board
from dreamgym_env.domains.webarena.sites.content.dates import day_before_today, days_after
from dreamgym_env.domains.webarena.sites.content.names import USER_NAME, draw_names

__all__ = ["forum_records", "handle_of"]

Record = Mapping[str, Any]

_MEMBERS = 40
_POSTS_PER_BOARD = 14
_USER_POSTS = (("books", 5), ("cycling", 3), ("home-repair", 8))
"""Board -> which of its posts, from the oldest, the user has written."""


def handle_of(name: str) -> str:
    """Return the name by which a person is known on the forum."""
    return name.lower().replace(" ", "_")


def forum_records() -> Iterator[tuple[str, Record]]:
    """Yield the table and the row of everything in the forum."""
    members = [handle_of(name) for name in draw_names("forum", _MEMBERS)]
    user = handle_of(USER_NAME)
    for handle in (user, *members):
        draws = Draws("bundled sites", "members", handle)
        bio = "Lives in Castlebridge. Asks more than she answers." if handle == user else draws.pick(("", *BIOS))
        yield "members", {"handle": handle, "joined": day_before_today(draws.between(260, 2_000)), "bio": bio}
    post_number = comment_number = 0
    for board in BOARDS:
        yield "boards", {"slug": board.slug, "name": board.name, "about": board.about}
        draws = Draws("bundled sites", "posts", board.slug)
        days = sorted(draws.sample(range(2, 240), _POSTS_PER_BOARD), reverse=True)
        drafts = _drafts(board, draws)
        for position, (day, (subject, title, body)) in enumerate(zip(days, drafts, strict=True)):
            post_number += 1
            author = user if (board.slug, position) in _USER_POSTS else draws.pick(members)
            yield (
                "posts",
                {
                    "id": post_number,
                    "board": board.slug,
                    "author": author,
                    "title": title,
                    "body": body,
                    "written": day_before_today(day),
                    "score": draws.between(-2, 90),
                },
            )
            others = [member for member in members if member != author]
            for comment in _comments(board, subject, day, others, draws):
                comment_number += 1
                yield "comments", {"id": comment_number, "post": post_number, **comment}
    for slug in ("books", "travel"):
        yield "subscriptions", {"board": slug}


def _drafts(board: Board, draws: Draws) -> list[tuple[str, str, str]]:
    """Return subject, title and body of a board's posts; no two titles are alike."""
    pairs = [(subject, post) for subject in board.subjects for post in board.posts]
    drafts = []
    for subject, (title, body) in draws.sample(pairs, _POSTS_PER_BOARD):
        written = title.format(it=subject)
        drafts.append((subject, written[0].upper() + written[1:], body))
    return drafts


def _comments(board: Board, subject: str, day: int, members: list[str], draws: Draws) -> Iterator[dict[str, Any]]:
    """Yield the comments on a post that was written so many days ago, oldest first."""
    count = draws.pick((0, 1, 2, 3, 3, 4, 5, 6, 7))
    texts = draws.sample((*(text.format(it=subject) for text in board.comments), *GENERAL_COMMENTS), count)
    written = sorted(draws.between(0, min(day - 1, 12)) for _ in range(count))
    for text, after in zip(texts, written, strict=True):
        yield {
            "author": draws.pick(members),
            "body": text[0].upper() + text[1:],
            "written": days_after(day_before_today(day), after),
            "score": draws.between(-5, 30),
        }
