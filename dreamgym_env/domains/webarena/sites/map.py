"""The map: places, what is near them, directions, saved places; and the encyclopedia of the region."""

from __future__ import annotations

import sqlite3
from typing import Any

from dreamgym_env.domains.webarena.sites.content.region import SPEEDS, journey
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

_HOME = ("Map", "/")
_WAYS = tuple(SPEEDS)


def home(visit: Visit) -> Answer:
    """Show the towns and the kinds of places."""
    values = {
        "towns": visit.database.rows("SELECT * FROM places WHERE kind = 'town' ORDER BY name"),
        "ways": _WAYS,
    }
    return Page("map/home.html", "Map of Aldermark", values)


def search(visit: Visit) -> Answer:
    """List the places in which every word of the search stands."""
    words = visit.asked("q")
    condition, given = matching(words, "name", "kind", "town", "street")
    rows = visit.database.rows(f"SELECT * FROM places WHERE {condition} ORDER BY name", *given) if words else []
    title = f"Search results for {words}" if words else "Search"
    return Page("map/search.html", title, {**paginate(visit, rows, 15), "words": words}, [_HOME])


def _kinds(visit: Visit) -> list[str]:
    return [row["kind"] for row in visit.database.rows("SELECT DISTINCT kind FROM places ORDER BY kind")]


def _place(visit: Visit, slug: str) -> sqlite3.Row:
    found = visit.database.row("SELECT * FROM places WHERE slug = ?", slug)
    if found is None:
        raise NotHereError("There is no such place.")
    return found


def place(visit: Visit) -> Answer:
    """Show a place."""
    found = _place(visit, visit.names["slug"])
    saved = visit.database.row("SELECT * FROM saved_places WHERE place = ?", found["slug"])
    article = visit.database.row("SELECT * FROM articles WHERE title = ?", found["name"])
    values = {"place": found, "saved": saved, "article": article, "kinds": _kinds(visit)}
    return Page("map/place.html", found["name"], values, [_HOME])


def near(visit: Visit) -> Answer:
    """List the ten places of a kind that are nearest to another place, by the way on foot."""
    found, kind = _place(visit, visit.asked("place")), visit.asked("kind")
    others = visit.database.rows("SELECT * FROM places WHERE kind = ? AND slug <> ?", kind, found["slug"])
    ways = [(journey(_point(found), _point(other), "foot"), other) for other in others]
    ways.sort(key=lambda pair: (pair[0][0], pair[1]["name"]))
    rows = [
        {"place": other, "kilometres": kilometres, "minutes": minutes} for (kilometres, minutes), other in ways[:10]
    ]
    values = {"place": found, "kind": kind, "kinds": _kinds(visit), "rows": rows}
    return Page(
        "map/near.html", f"Places near {found['name']}", values, [_HOME, (found["name"], f"/place/{found['slug']}")]
    )


def _point(found: sqlite3.Row) -> tuple[float, float]:
    return found["east"], found["north"]


def _named(visit: Visit, text: str) -> sqlite3.Row | str:
    """Return the place that a text names, or a sentence that says why there is none."""
    found = visit.database.row("SELECT * FROM places WHERE lower(name) = lower(?)", text)
    if found is not None:
        return found
    condition, given = matching(text, "name", "town")
    guesses = visit.database.rows(f"SELECT * FROM places WHERE {condition} ORDER BY name LIMIT 4", *given)
    if len(guesses) == 1:
        return guesses[0]
    names = ", ".join(guess["name"] for guess in guesses)
    return f"There is no place called {text}." + (f" Did you mean: {names}?" if names else "")


def directions(visit: Visit) -> Answer:
    """Show distance and time between two places."""
    start, end, way = visit.asked("from"), visit.asked("to"), visit.asked("way", _WAYS[0])
    values: dict[str, Any] = {"start": start, "end": end, "way": way, "ways": _WAYS, "journey": None}
    if not start and not end:
        return Page("map/directions.html", "Directions", values, [_HOME])
    if not start or not end or way not in SPEEDS:
        return Page("map/directions.html", "Directions", values, [_HOME], "Say where you start and where you go.")
    places = _named(visit, start), _named(visit, end)
    for found in places:
        if isinstance(found, str):
            return Page("map/directions.html", "Directions", values, [_HOME], found)
    first, last = (found for found in places if not isinstance(found, str))
    kilometres, minutes = journey(_point(first), _point(last), way)
    values["journey"] = {"start": first, "end": last, "kilometres": kilometres, "minutes": minutes}
    return Page("map/directions.html", "Directions", values, [_HOME])


def saved(visit: Visit) -> Answer:
    """List the places that the user has saved."""
    rows = visit.database.rows("SELECT * FROM saved_places JOIN places ON slug = place ORDER BY name")
    return Page("map/saved.html", "Saved places", {"rows": rows}, [_HOME])


def save(visit: Visit) -> Answer:
    """Save a place with a note."""
    found = _place(visit, visit.names["slug"])
    visit.database.rows("INSERT OR REPLACE INTO saved_places VALUES (?, ?)", found["slug"], visit.line("note"))
    return Redirect(f"/place/{found['slug']}", "saved")


def forget(visit: Visit) -> Answer:
    """Take a place off the saved ones."""
    visit.database.rows("DELETE FROM saved_places WHERE place = ?", _place(visit, visit.names["slug"])["slug"])
    return Redirect("/saved", "forgotten")


def encyclopedia(visit: Visit) -> Answer:
    """List the articles, those with some words where that is asked for."""
    words = visit.asked("q")
    condition, given = matching(words, "title", "kind", "facts", "text")
    rows = visit.database.rows(f"SELECT * FROM articles WHERE {condition} ORDER BY title", *given)
    title = f"Articles about {words}" if words else "Encyclopedia"
    return Page("map/encyclopedia.html", title, {**paginate(visit, rows, 15), "words": words}, [_HOME])


def article(visit: Visit) -> Answer:
    """Show an article."""
    found = visit.database.row("SELECT * FROM articles WHERE slug = ?", visit.names["slug"])
    if found is None:
        raise NotHereError("There is no such article.")
    shown = visit.database.row("SELECT * FROM places WHERE name = ?", found["title"])
    crumbs = [_HOME, ("Encyclopedia", "/wiki")]
    return Page("map/article.html", found["title"], {"article": found, "place": shown}, crumbs)


NOTICES = {"saved": "The place is saved.", "forgotten": "The place is no longer saved."}
ROUTES = (
    Route("/", home),
    Route("/search", search),
    Route("/place/{slug}", place),
    Route("/place/{slug}/save", save, "POST"),
    Route("/place/{slug}/forget", forget, "POST"),
    Route("/near", near),
    Route("/directions", directions),
    Route("/saved", saved),
    Route("/wiki", encyclopedia),
    Route("/wiki/{slug}", article),
)
