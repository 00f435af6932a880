"""Templates of tasks on the map and in its encyclopedia."""

from __future__ import annotations

import sqlite3

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.content.region import SPEEDS, journey
from dreamgym_env.domains.webarena.sites.database import Database
from dreamgym_env.domains.webarena.tasks.oracle import Answer, Click, Fill, Select, Step
from dreamgym_env.domains.webarena.tasks.recipe import (
    DONE,
    Draft,
    RecipeBook,
    durations,
    ends_at,
    says,
    search,
    shows,
    target,
)
from dreamgym_env.domains.webarena.tasks.recipes.phrases import PLACE_NOTES

__all__ = ["BOOK", "directions", "pick_place", "travel"]

BOOK = RecipeBook("map")
_BY = {"car": "by car", "bicycle": "by bicycle", "foot": "on foot"}


def pick_place(database: Database, draws: Draws, condition: str = "1") -> sqlite3.Row:
    """Return one of the places that meet a condition."""
    return draws.pick(database.rows(f"SELECT * FROM places WHERE {condition} ORDER BY slug"))


def travel(start: sqlite3.Row, end: sqlite3.Row, way: str) -> tuple[float, int]:
    """Return kilometres and minutes between two places."""
    return journey((start["east"], start["north"]), (end["east"], end["north"]), way)


def directions(start: str, end: str, way: str) -> tuple[Step, ...]:
    """Return steps that ask for directions, from any page of the map."""
    return (
        Click("link", "Directions"),
        Fill("textbox", "From", start),
        Fill("textbox", "To", end),
        Select("combobox", "Travel by", way),
        Click("button", "Show directions"),
    )


def _two_places(database: Database, draws: Draws) -> tuple[sqlite3.Row, sqlite3.Row, str]:
    start, end = pick_place(database, draws), pick_place(database, draws)
    return start, end, draws.pick(list(SPEEDS))


@BOOK.add("train", "How far is it from {{start}} to {{end}} {{way}}?")
def distance(database: Database, draws: Draws) -> Draft | None:
    """Read a distance."""
    start, end, way = _two_places(database, draws)
    if start == end:
        return None
    kilometres = str(travel(start, end, way)[0])
    steps = (*directions(start["name"], end["name"], way), Answer(f"{kilometres} km"))
    return Draft({"start": start["name"], "end": end["name"], "way": _BY[way]}, says(kilometres), steps)


@BOOK.add("train", "How long does it take to get from {{start}} to {{end}} {{way}}?")
def duration(database: Database, draws: Draws) -> Draft | None:
    """Read a time."""
    start, end, way = _two_places(database, draws)
    if start == end:
        return None
    minutes = travel(start, end, way)[1]
    said = durations(minutes)
    steps = (*directions(start["name"], end["name"], way), Answer(f"It takes {minutes} minutes."))
    return Draft({"start": start["name"], "end": end["name"], "way": _BY[way]}, says(said), steps)


@BOOK.add("test", "From {{start}} to {{end}}: how much longer does it take by bicycle than by car?")
def compare(database: Database, draws: Draws) -> Draft | None:
    """Compare two times."""
    start, end, _ = _two_places(database, draws)
    if start["town"] == end["town"]:
        return None
    more = travel(start, end, "bicycle")[1] - travel(start, end, "car")[1]
    names = start["name"], end["name"]
    steps = (*directions(*names, "car"), *directions(*names, "bicycle"), Answer(f"{more} minutes longer."))
    return Draft({"start": names[0], "end": names[1]}, says(durations(more)), steps)


@BOOK.add("eval", "Show me the way from {{start}} to {{end}} {{way}}.")
def show_directions(database: Database, draws: Draws) -> Draft | None:
    """Open directions."""
    start, end, way = _two_places(database, draws)
    if start == end:
        return None
    names = start["name"].replace(" ", "+"), end["name"].replace(" ", "+")
    goal = ends_at(f"__MAP__/directions?from={names[0]}&to={names[1]}&way={way}")
    arguments = {"start": start["name"], "end": end["name"], "way": _BY[way]}
    return Draft(arguments, goal, (*directions(start["name"], end["name"], way), DONE))


@BOOK.add("train", "What is the street address of {{place}}, and in which town is it?")
def address(database: Database, draws: Draws) -> Draft | None:
    """Read an address."""
    place = pick_place(database, draws, "street <> ''")
    steps = (*search("Search places", place["name"], place["name"]), Answer(f"{place['street']}, {place['town']}"))
    return Draft({"place": place["name"]}, says(place["street"], place["town"]), steps)


@BOOK.add("eval", "What is the {{detail}} of {{place}}?")
def detail(database: Database, draws: Draws) -> Draft | None:
    """Read a phone number or a postcode."""
    place = pick_place(database, draws, "phone <> ''")
    name, value = draws.pick((("phone number", place["phone"]), ("postcode", place["postcode"])))
    steps = (*search("Search places", place["name"], place["name"]), Answer(value))
    return Draft({"detail": name, "place": place["name"]}, says(value), steps)


@BOOK.add("train", "Show me the page of {{place}} on the map.")
def show_place(database: Database, draws: Draws) -> Draft | None:
    """Open a place."""
    place = pick_place(database, draws)
    steps = (*search("Search places", place["name"], place["name"]), DONE)
    return Draft({"place": place["name"]}, ends_at(f"__MAP__/place/{place['slug']}"), steps)


@BOOK.add("test", "Which {{kind}} is nearest to {{place}}, and how many kilometres is the walk?")
def nearest(database: Database, draws: Draws) -> Draft | None:
    """Search near a place."""
    place, kind = (
        pick_place(database, draws, "kind <> 'town'"),
        draws.pick(("hotel", "cafe", "pharmacy", "park", "museum")),
    )
    others = database.rows("SELECT * FROM places WHERE kind = ? AND slug <> ?", kind, place["slug"])
    ways = sorted((travel(place, other, "foot")[0], other["name"]) for other in others)
    if ways[0][0] == ways[1][0]:
        return None
    steps = (
        *search("Search places", place["name"], place["name"]),
        Select("combobox", "Kind of place", kind),
        Click("button", "Find nearby"),
        Answer(f"{ways[0][1]}, {ways[0][0]} km"),
    )
    return Draft({"kind": kind, "place": place["name"]}, says(ways[0][1], str(ways[0][0])), steps)


@BOOK.add("train", 'Save {{place}} among my places, with the note "{{note}}"')
def save(database: Database, draws: Draws) -> Draft | None:
    """Save a place."""
    place, note = pick_place(database, draws), draws.pick(PLACE_NOTES)
    steps = (
        *search("Search places", place["name"], place["name"]),
        Fill("textbox", "Note", note),
        Click("button", "Save place"),
        DONE,
    )
    goal = shows(target("__MAP__/saved", "#saved tr", place["name"], note))
    return Draft({"place": place["name"], "note": note}, goal, steps)


def _read(title: str) -> tuple[Step, ...]:
    return (
        Click("link", "Encyclopedia"),
        Fill("textbox", "Search articles", title),
        Click("button", "Search articles"),
        Click("link", title),
    )


def _facts(article: sqlite3.Row) -> dict[str, str]:
    return {name: value for name, _, value in (line.partition(": ") for line in article["facts"].split("\n"))}


def _article(database: Database, draws: Draws, kind: str) -> sqlite3.Row:
    return draws.pick(database.rows("SELECT * FROM articles WHERE kind = ? ORDER BY slug", kind))


@BOOK.add("train", "What does the encyclopedia say: {{question}}?")
def town_fact(database: Database, draws: Draws) -> Draft | None:
    """Read a fact about a town."""
    article = _article(database, draws, "Town")
    town = article["title"]
    question, name = draws.pick(
        (
            (f"how many people live in {town}", "Population"),
            (f"who is the mayor of {town}", "Mayor"),
            (f"in which year was {town} founded", "Founded"),
            (f"how many square kilometres does {town} cover", "Area"),
        )
    )
    value = _facts(article)[name].removesuffix(" square kilometres")
    return Draft({"question": question}, says(value), (*_read(town), Answer(value)))


@BOOK.add("train", "In which year did the {{museum}} open, according to the encyclopedia?")
def museum_opened(database: Database, draws: Draws) -> Draft | None:
    """Read a fact about a museum."""
    article = _article(database, draws, "Museum")
    year = _facts(article)["Opened"]
    return Draft({"museum": article["title"]}, says(year), (*_read(article["title"]), Answer(f"In {year}.")))


@BOOK.add("test", "How many kilometres is it by car from {{start}} to the town in which {{person}} was born?")
def birthplace(database: Database, draws: Draws) -> Draft | None:
    """Read where somebody was born, and ask for directions there."""
    article, start = _article(database, draws, "Person"), pick_place(database, draws, "kind = 'station'")
    town = _facts(article)["Born"].partition(", ")[2]
    end = pick_place(database, draws, f"name = '{town}'")
    kilometres = str(travel(start, end, "car")[0])
    steps = (
        *_read(article["title"]),
        *directions(start["name"], town, "car"),
        Answer(f"{kilometres} km, to {town}"),
    )
    return Draft({"start": start["name"], "person": article["title"]}, says(kilometres), steps)
