"""The region that the map shows and its encyclopedia describes: towns, places, people.  All of it is made up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webarena.sites.content.names import draw_names

__all__ = ["SPEEDS", "STREETS", "TOWNS", "Town", "journey", "region_records", "slug_of"]

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Town:
    """A town; ``east`` and ``north`` are kilometres from the south-west corner of the region."""

    name: str
    postcode: str
    east: float
    north: float
    population: int
    founded: int
    river: str
    known_for: str


TOWNS = (
    Town("Aldermouth", "10100", 22.0, 18.5, 184_300, 1242, "the Alder", "its harbour and the yearly Festival of Sails"),
    Town("Brackenfell", "10420", 61.5, 74.0, 21_750, 1388, "the Bracken Water", "slate quarries and hill walking"),
    Town("Castlebridge", "10230", 40.5, 33.0, 96_400, 1104, "the Alder", "the stone bridge of 1491 and its university"),
    Town("Dunmere", "10610", 88.0, 41.5, 12_900, 1567, "Lake Dun", "trout fishing and a rowing regatta"),
    Town("Eastwick", "10340", 73.5, 22.0, 48_200, 1329, "the Wick", "clock making and a museum of instruments"),
    Town("Fairhaven", "10150", 8.5, 35.5, 33_600, 1611, "the Sound", "ferries, beaches and smoked fish"),
    Town("Greystone", "10520", 47.0, 88.5, 8_450, 1455, "the Upper Bracken", "an observatory and dark skies"),
    Town("Hollowfield", "10270", 31.0, 57.5, 27_100, 1276, "the Hollow Brook", "orchards, cider and a spring fair"),
    Town("Ivybank", "10390", 66.0, 48.5, 39_800, 1718, "the Wick", "textile mills that are now studios"),
    Town("Juniper Hill", "10580", 92.5, 71.0, 5_300, 1802, "the Juniper Beck", "a monastery and its herb gardens"),
)

STREETS = (
    "Harbour Street", "Mill Lane", "Castle Road", "Station Road", "Orchard Way", "Bridge Street", "Church Lane",
    "Market Square", "Quarry Road", "Lime Avenue", "River Walk", "North Parade", "Weaver Street", "Foundry Lane",
    "Garden Row", "Kings Road",
)  # fmt: skip

_KINDS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "museum": (("{town} Museum of {museum}",), "10:00-17:00, closed on Mondays"),
    "hotel": (("Hotel {hotel}", "The {hotel} Inn"), "open day and night"),
    "library": (("{town} Public Library",), "9:00-19:00, closed on Sundays"),
    "hospital": (("{town} General Hospital",), "open day and night"),
    "station": (("{town} Central Station",), "4:30-0:30"),
    "cafe": (("Cafe {cafe}",), "8:00-18:00"),
    "park": (("{park} Park",), "6:00-22:00"),
    "pharmacy": (("{pharmacy} Pharmacy",), "8:30-18:30, closed on Sundays"),
    "theatre": (("{town} Playhouse",), "box office 12:00-20:00"),
    "swimming pool": (("{town} Baths",), "7:00-21:00"),
}
_WORDS = {
    "museum": ("Seafaring", "Slate", "Printing", "Fishing", "Instruments", "Ferries", "Astronomy", "Orchards",
               "Weaving", "Herbs"),
    "hotel": ("Meridian", "Bluebell", "Old Mill", "Anchor", "Lantern", "Heron", "Corona", "Foxglove", "Belvedere",
              "Kingfisher", "Granary", "Sundial", "Magnolia", "Rookery", "Harvest", "Larkspur", "Pilgrim", "Juniper",
              "Copper Kettle", "White Hart"),
    "cafe": ("Aurora", "Pomelo", "Tangerine", "Almond", "Sparrow", "Cinnamon", "Velvet", "Marigold", "Nutmeg",
             "Figaro"),
    "park": ("Queens", "Beech", "Riverside", "Lakeside", "Observatory", "Dune", "Hawthorn", "Meadow", "Weavers",
             "Cloister"),
    "pharmacy": ("Green Cross", "Linden", "Old Town", "Swan", "Bridge", "Sage", "Corner", "Crown", "Eagle", "Willow"),
}  # fmt: skip

SPEEDS: Mapping[str, tuple[float, float]] = {"car": (62.0, 4.0), "bicycle": (16.0, 1.0), "foot": (4.8, 0.0)}
"""Way of travelling -> kilometres an hour, and minutes that it takes to set out."""

_CALLINGS = (
    ("painter", "large canvases of the {river_name} in winter"),
    ("engineer", "the first lock gates that closed by the weight of the water"),
    ("botanist", "a herbarium of 4,000 plants of the region"),
    ("composer", "three operas and a song that every child in the region knows"),
    ("astronomer", "a catalogue of double stars"),
    ("poet", "the cycle Letters from the Mill"),
    ("architect", "the covered market and eleven schools"),
    ("rower", "two gold medals in the single sculls"),
    ("physician", "the first training school for nurses in the region"),
    ("clockmaker", "a marine clock that lost four seconds in a year"),
)


def slug_of(text: str) -> str:
    """Return a text as it stands in a URL: lower-case words joined by hyphens."""
    words = "".join(letter if letter.isalnum() else " " for letter in text.lower().replace("'", ""))
    return "-".join(words.split())


def journey(start: tuple[float, float], end: tuple[float, float], way: str) -> tuple[float, int]:
    """Return the kilometres (to a tenth) and the minutes of a journey between two points.

    Args:
        start: kilometres east and north.
        end: the same.
        way: a key of :data:`SPEEDS`.
    """
    straight = math.dist(start, end)
    kilometres = round(straight * (1.28 if way == "car" else 1.2) + 0.1, 1)
    speed, setting_out = SPEEDS[way]
    if way == "car" and straight < 6:
        speed = 27.0
    return kilometres, max(1, round(kilometres / speed * 60 + setting_out))


def region_records() -> Iterator[tuple[str, Record]]:
    """Yield the table and the row of each place and each article."""
    people = draw_names("region", 2 * len(TOWNS))
    mayors, famous = people[: len(TOWNS)], people[len(TOWNS) :]
    hotels = Draws("bundled sites", "hotels").shuffled(_WORDS["hotel"])
    for number, town in enumerate(TOWNS):
        draws = Draws("bundled sites", "region", town.name)
        yield "places", _place(town.name, "town", town, "", "", (town.east, town.north), draws)
        for kind, (patterns, hours) in _KINDS.items():
            for turn, pattern in enumerate(patterns):
                words = {name: items[number % len(items)] for name, items in _WORDS.items()}
                words["hotel"] = hotels[2 * number + turn]
                at = (town.east + (draws.uniform() - 0.5) * 5, town.north + (draws.uniform() - 0.5) * 5)
                name = pattern.format(town=town.name, **words)
                yield "places", _place(name, kind, town, _street(draws), hours, at, draws)
        yield "articles", _town_article(town, mayors[number], draws)
        yield "articles", _person_article(famous[number], *_CALLINGS[number], town, draws)
        yield "articles", _museum_article(number, town, draws)


def _street(draws: Draws) -> str:
    return f"{draws.between(1, 98)} {draws.pick(STREETS)}"


def _place(
    name: str, kind: str, town: Town, street: str, hours: str, at: tuple[float, float], draws: Draws
) -> dict[str, Any]:
    phone = (
        ""
        if kind in ("park", "town")
        else f"0{town.postcode[1:4]} {draws.between(200, 899)} {draws.between(1000, 9999)}"
    )
    return {
        "slug": slug_of(name),
        "name": name,
        "kind": kind,
        "street": street,
        "town": town.name,
        "postcode": town.postcode,
        "hours": hours,
        "phone": phone,
        "east": round(at[0], 2),
        "north": round(at[1], 2),
    }


def _town_article(town: Town, mayor: str, draws: Draws) -> dict[str, Any]:
    area = draws.between(18, 140)
    text = (
        f"{town.name} is a town of {town.population:,} people in the region of Aldermark. It lies by {town.river} and "
        f"is known for {town.known_for}.\n\nThe town was founded in {town.founded}. Its first charter gave it a market "
        f"on {draws.pick(('Tuesdays', 'Wednesdays', 'Thursdays', 'Saturdays'))}, which is held to this day. "
        f"The mayor is {mayor}, who was elected in {draws.between(2018, 2024)}.\n\nThe town covers {area} square "
        f"kilometres; its highest point is {draws.between(60, 690)} metres above the sea."
    )
    facts = (
        f"Population: {town.population:,}\nFounded: {town.founded}\nWater: {town.river}\nMayor: {mayor}\n"
        f"Area: {area} square kilometres\nPostcode: {town.postcode}"
    )
    return {"slug": slug_of(town.name), "title": town.name, "kind": "Town", "facts": facts, "text": text}


def _person_article(name: str, calling: str, work: str, town: Town, draws: Draws) -> dict[str, Any]:
    born = draws.between(1790, 1905)
    died = born + draws.between(52, 91)
    work = work.format(river_name=town.river.removeprefix("the "))
    article = "an" if calling[0] in "aeiou" else "a"
    text = (
        f"{name} ({born}-{died}) was {article} {calling} from Aldermark, best known for {work}.\n\n"
        f"Born in {town.name}, {name.split()[0]} left school at {draws.between(13, 18)} and learnt the trade in "
        f"{draws.pick([other.name for other in TOWNS if other is not town])}. The town's museum keeps letters, "
        f"drawings and a travelling case."
    )
    facts = f"Born: {born}, {town.name}\nDied: {died}\nOccupation: {calling}\nKnown for: {work}"
    return {"slug": slug_of(name), "title": name, "kind": "Person", "facts": facts, "text": text}


def _museum_article(number: int, town: Town, draws: Draws) -> dict[str, Any]:
    title = f"{town.name} Museum of {_WORDS['museum'][number]}"
    opened, visitors = draws.between(1871, 1998), draws.between(9, 210) * 1_000
    objects, building = draws.between(12, 240) * 100, draws.pick(("granary", "school", "customs house", "brewery"))
    text = (
        f"The {title} opened in {opened} in a former {building}. It shows {objects:,} objects on "
        f"{draws.between(2, 4)} floors and had {visitors:,} visitors last year.\n\nA ticket costs "
        f"{draws.between(4, 14)} dollars; children under twelve pay nothing."
    )
    facts = f"Opened: {opened}\nObjects: {objects:,}\nVisitors: {visitors:,} a year\nTown: {town.name}"
    return {"slug": slug_of(title), "title": title, "kind": "Museum", "facts": facts, "text": text}
