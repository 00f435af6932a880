"""Templates of tasks in the forum."""

from __future__ import annotations

import sqlite3

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.content.forum import handle_of
from dreamgym_env.domains.webarena.sites.content.names import USER_NAME
from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.sites.forum_posts import POSTS
from dreamgym_env.domains.webarena.tasks.oracle import Answer, Click, Fill, Select, Step
from dreamgym_env.domains.webarena.tasks.recipe import (
    DONE,
    Draft,
    RecipeBook,
    dates,
    ends_at,
    says,
    search,
    shows,
    stored,
    target,
)
from dreamgym_env.domains.webarena.tasks.recipes.phrases import BIOS, FORUM_COMMENTS, NEW_POSTS, QUESTIONS

__all__ = ["BOOK", "USER", "open_post", "own_posts", "write_post"]

BOOK = RecipeBook("forum")
USER = handle_of(USER_NAME)


def _posts(database: Database, condition: str = "1", order: str = "posts.id") -> list[sqlite3.Row]:
    return database.rows(f"SELECT * FROM ({POSTS}) AS posts WHERE {condition} ORDER BY {order}")


def open_post(title: str) -> tuple[Step, ...]:
    """Return steps that lead to a post."""
    return search("Search posts", title, title)


def write_post(board: str, title: str, text: str) -> tuple[Step, ...]:
    """Return steps that publish a post."""
    return (
        Click("link", "Write a post"),
        Select("combobox", "Board", board),
        Fill("textbox", "Title", title),
        Fill("textbox", "Text", text),
        Click("button", "Publish"),
    )


def own_posts(database: Database, *added: str) -> dict[str, object]:
    """Return what the database has to hold of the user's posts after some were added."""
    before = [f"{row['board']}: {row['title']}: {row['body']}" for row in _posts(database, f"author = '{USER}'")]
    return stored("posts_by", USER, exact="\n".join([*before, *added]))


def _board(database: Database, draws: Draws) -> sqlite3.Row:
    return draws.pick(database.rows("SELECT * FROM boards ORDER BY slug"))


@BOOK.add("train", 'Publish a post in the board {{board}} with the title "{{title}}" and the text "{{text}}"')
def publish(database: Database, draws: Draws) -> Draft | None:
    """Write a post."""
    board, (title, text) = _board(database, draws), draws.pick(NEW_POSTS)
    goal = shows(own_posts(database, f"{board['slug']}: {title}: {text}"))
    arguments = {"board": board["name"], "title": title, "text": text}
    return Draft(arguments, goal, (*write_post(board["name"], title, text), DONE))


@BOOK.add("test", 'I would like to know: "{{question}}" Ask just that, as a title, in the board where it fits best.')
def ask(database: Database, draws: Draws) -> Draft | None:
    """Write a post in a board that has to be found."""
    question, slug = draws.pick(QUESTIONS)
    name = database.value("SELECT name FROM boards WHERE slug = ?", slug)
    before = own_posts(database)["required_contents"]
    assert isinstance(before, dict)
    goal = shows(stored("posts_by", USER, exact=f"{before['exact_match']}\n{slug}: {question}:"))
    return Draft({"question": question}, goal, (*write_post(name, question, ""), DONE))


@BOOK.add("train", 'Comment on the post "{{title}}": "{{text}}"')
def comment(database: Database, draws: Draws) -> Draft | None:
    """Write a comment."""
    post, text = draws.pick(_posts(database, f"author <> '{USER}'")), draws.pick(FORUM_COMMENTS)
    steps = (
        *open_post(post["title"]),
        Fill("textbox", "Your comment", text),
        Click("button", "Add comment"),
        DONE,
    )
    goal = shows(
        stored("comments_on", post["title"], USER, exact=text),
        target(f"__FORUM__/post/{post['id']}", "#comments", text),
    )
    return Draft({"title": post["title"], "text": text}, goal, steps)


@BOOK.add("train", "Who has written the post with the highest score in {{board}}?")
def top_author(database: Database, draws: Draws) -> Draft | None:
    """Sort a board."""
    board = _board(database, draws)
    first, second = _posts(database, f"board = '{board['slug']}'", "points DESC")[:2]
    if first["points"] == second["points"]:
        return None
    steps = (
        Click("link", board["name"]),
        Select("combobox", "Sort by", "Highest score"),
        Click("button", "Sort"),
        Answer(first["author"]),
    )
    return Draft({"board": board["name"]}, says(first["author"]), steps)


@BOOK.add("eval", "Open the post in {{board}} that has the most comments.")
def most_comments(database: Database, draws: Draws) -> Draft | None:
    """Sort a board and open the first post."""
    board = _board(database, draws)
    first, second = _posts(database, f"board = '{board['slug']}'", "comments DESC")[:2]
    if first["comments"] == second["comments"]:
        return None
    steps = (
        Click("link", board["name"]),
        Select("combobox", "Sort by", "Most comments"),
        Click("button", "Sort"),
        Click("link", first["title"]),
        DONE,
    )
    return Draft({"board": board["name"]}, ends_at(f"__FORUM__/post/{first['id']}"), steps)


@BOOK.add("train", 'How many comments are there on the post "{{title}}"?')
def count_comments(database: Database, draws: Draws) -> Draft | None:
    """Count comments."""
    post = draws.pick(_posts(database, "comments > 1"))
    count = str(post["comments"])
    return Draft({"title": post["title"]}, says(count), (*open_post(post["title"]), Answer(f"{count} comments.")))


@BOOK.add("train", "Subscribe to the board {{board}}.")
def subscribe(database: Database, draws: Draws) -> Draft | None:
    """Subscribe."""
    board = _board(database, draws)
    if database.row("SELECT 1 FROM subscriptions WHERE board = ?", board["slug"]):
        return None
    goal = shows(target("__FORUM__/subscriptions", "#boards a", board["name"]))
    return Draft({"board": board["name"]}, goal, (Click("link", board["name"]), Click("button", "Subscribe"), DONE))


@BOOK.add("eval", "I no longer want to follow the board {{board}}. End my subscription.")
def unsubscribe(database: Database, draws: Draws) -> Draft | None:
    """End a subscription."""
    board = draws.pick(
        database.rows("SELECT boards.* FROM boards JOIN subscriptions ON board = slug ORDER BY slug"),
    )
    button = f'form[action="/b/{board["slug"]}/subscribe"] button'
    steps = (
        Click("link", "My boards"),
        Click("link", board["name"]),
        Click("button", "Unsubscribe"),
        DONE,
    )
    goal = shows(target(f"__FORUM__/b/{board['slug']}", button, exact="Subscribe"))
    return Draft({"board": board["name"]}, goal, steps)


@BOOK.add("train", 'Change my bio in the forum to "{{text}}"')
def change_bio(database: Database, draws: Draws) -> Draft | None:
    """Write a bio."""
    text = draws.pick(BIOS)
    steps = (
        Click("link", "Settings"),
        Fill("textbox", "Bio", text),
        Click("button", "Save settings"),
        DONE,
    )
    return Draft({"text": text}, shows(target(f"__FORUM__/u/{USER}", "#bio", exact=text)), steps)


@BOOK.add("train", "How many posts has the member {{member}} written?")
def posts_of_member(database: Database, draws: Draws) -> Draft | None:
    """Count a member's posts."""
    post = draws.pick(_posts(database))
    posts = _posts(database, f"author = '{post['author']}'", "written DESC, posts.id DESC")
    count = str(len(posts))
    steps = (
        *search("Search posts", post["author"], posts[0]["title"], post["author"]),
        Answer(f"{count} posts."),
    )
    return Draft({"member": post["author"]}, says(count), steps)


@BOOK.add("test", 'Since when has the author of the post "{{title}}" been a member?')
def member_since(database: Database, draws: Draws) -> Draft | None:
    """Follow a post to its author."""
    post = draws.pick(_posts(database, f"author <> '{USER}'"))
    joined = database.value("SELECT joined FROM members WHERE handle = ?", post["author"])
    steps = (*open_post(post["title"]), Click("link", post["author"]), Answer(f"Since {joined}."))
    return Draft({"title": post["title"]}, says(dates(joined)), steps)


@BOOK.add("test", "{{vote}} the {{which}} post in {{board}}.")
def vote(database: Database, draws: Draws) -> Draft | None:
    """Vote for a post that has to be found."""
    board = _board(database, draws)
    which, option, order = draws.pick(
        (("newest", "Newest", "written DESC, posts.id DESC"), ("highest-scored", "Highest score", "points DESC"))
    )
    word, value = draws.pick((("Upvote", 1), ("Downvote", -1)))
    first, second = _posts(database, f"board = '{board['slug']}'", order)[:2]
    if which == "highest-scored" and first["points"] == second["points"]:
        return None
    steps = (
        Click("link", board["name"]),
        Select("combobox", "Sort by", option),
        Click("button", "Sort"),
        Click("link", first["title"]),
        Click("button", f"{word} post"),
        DONE,
    )
    goal = shows(target(f"__FORUM__/post/{first['id']}", "#score", exact=str(first["points"] + value)))
    return Draft({"vote": word, "which": which, "board": board["name"]}, goal, steps)


@BOOK.add("train", 'Upvote the comment that {{member}} has written on the post "{{title}}".')
def upvote_comment(database: Database, draws: Draws) -> Draft | None:
    """Vote for a comment."""
    found = draws.pick(database.rows("SELECT comments.*, title FROM comments JOIN posts ON posts.id = post ORDER BY 1"))
    authors = [row[0] for row in database.rows("SELECT author FROM comments WHERE post = ? ORDER BY id", found["post"])]
    if authors.count(found["author"]) > 1:
        return None
    number = authors.index(found["author"]) + 1
    steps = (*open_post(found["title"]), Click("button", f"Upvote comment {number}"), DONE)
    goal = shows(target(f"__FORUM__/post/{found['post']}", "#comments", f"Take back upvote of comment {number}"))
    return Draft({"member": found["author"], "title": found["title"]}, goal, steps)


@BOOK.add("test", 'Add the line "{{line}}" to the end of my post "{{title}}".')
def edit_post(database: Database, draws: Draws) -> Draft | None:
    """Edit a post of the user's own."""
    post = draws.pick(_posts(database, f"author = '{USER}'"))
    line = draws.pick(("Edit: solved, thank you all.", "Edit: still looking.", "Edit: I have added a photo."))
    steps = (
        Click("link", "My posts"),
        Click("link", post["title"]),
        Click("link", "Edit post"),
        Fill("textbox", "Text", f"{post['body']}\n{line}"),
        Click("button", "Save post"),
        DONE,
    )
    goal = shows(target(f"__FORUM__/post/{post['id']}", "#post-body", exact=f"{post['body']} {line}"))
    return Draft({"line": line, "title": post["title"]}, goal, steps)


@BOOK.add("train", 'Delete my post "{{title}}".')
def delete_post(database: Database, draws: Draws) -> Draft | None:
    """Delete a post of the user's own."""
    posts = _posts(database, f"author = '{USER}'")
    post = draws.pick(posts)
    kept = [f"{row['board']}: {row['title']}: {row['body']}" for row in posts if row["id"] != post["id"]]
    steps = (
        Click("link", "My posts"),
        Click("link", post["title"]),
        Click("button", "Delete post"),
        DONE,
    )
    return Draft({"title": post["title"]}, shows(stored("posts_by", USER, exact="\n".join(kept))), steps)
