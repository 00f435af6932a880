"""What the shop sells: departments, kinds of products, and what reviewers say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BRANDS", "CATEGORIES", "COMMON_BLAME", "COMMON_PRAISE", "SERIES", "TITLES", "Category", "Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of product."""

    name: str
    low: int
    """Dollars that the cheapest one costs."""
    high: int
    materials: tuple[str, ...]
    detail: str
    """Name of the attribute that matters most to its buyers."""
    values: tuple[str, ...]
    use: str
    """What it is made for, for the description."""


@dataclass(frozen=True, slots=True)
class Category:
    """A department."""

    name: str
    kinds: tuple[Kind, ...]
    praise: tuple[str, ...]
    blame: tuple[str, ...]


_WOODS = ("oak", "beech", "walnut", "bamboo")
_METALS = ("steel", "aluminium", "brass")

CATEGORIES = (
    Category(
        "Lighting",
        (
            Kind(
                "Desk Lamp",
                24,
                95,
                _METALS,
                "Brightness",
                ("400 lumens", "650 lumens", "800 lumens"),
                "reading and close work",
            ),
            Kind("Floor Lamp", 59, 190, _METALS, "Height", ("142 cm", "155 cm", "168 cm"), "a corner that needs light"),
            Kind(
                "Bedside Lamp",
                19,
                70,
                ("oak", "ceramic", "glass"),
                "Brightness",
                ("180 lumens", "250 lumens", "320 lumens"),
                "the last pages before sleep",
            ),
            Kind(
                "String Lights",
                9,
                34,
                ("copper wire", "fabric cable"),
                "Length",
                ("5 m", "10 m", "15 m"),
                "balconies and garden tables",
            ),
        ),
        ("it gives a warm and even light", "the dimmer works smoothly"),
        ("it flickers at the lowest setting", "the cable is too short"),
    ),
    Category(
        "Kitchen",
        (
            Kind(
                "Kettle",
                29,
                89,
                ("steel", "glass", "enamel"),
                "Capacity",
                ("1.0 litres", "1.5 litres", "1.7 litres"),
                "tea for the whole table",
            ),
            Kind(
                "Frying Pan",
                22,
                99,
                ("cast iron", "steel", "aluminium"),
                "Diameter",
                ("20 cm", "24 cm", "28 cm"),
                "eggs, pancakes and quick suppers",
            ),
            Kind(
                "Cutting Board",
                12,
                48,
                _WOODS,
                "Size",
                ("30 x 20 cm", "38 x 26 cm", "45 x 30 cm"),
                "bread, herbs and vegetables",
            ),
            Kind(
                "Coffee Grinder",
                35,
                149,
                ("steel", "aluminium"),
                "Capacity",
                ("60 g", "120 g", "250 g"),
                "fresh coffee every morning",
            ),
        ),
        ("it cleans up in a minute", "the handle stays cool"),
        ("the handle gets hot", "it stains easily"),
    ),
    Category(
        "Garden",
        (
            Kind(
                "Watering Can",
                14,
                52,
                ("zinc", "steel", "recycled plastic"),
                "Capacity",
                ("2 litres", "5 litres", "9 litres"),
                "beds, pots and seedlings",
            ),
            Kind(
                "Garden Fork",
                21,
                64,
                ("steel", "forged steel"),
                "Length",
                ("95 cm", "105 cm", "112 cm"),
                "heavy soil and compost",
            ),
            Kind(
                "Plant Pot",
                7,
                45,
                ("terracotta", "glazed clay", "concrete"),
                "Diameter",
                ("14 cm", "22 cm", "30 cm"),
                "herbs and house plants",
            ),
            Kind(
                "Pruning Shears",
                13,
                58,
                ("steel", "carbon steel"),
                "Cutting width",
                ("18 mm", "22 mm", "28 mm"),
                "roses and young branches",
            ),
        ),
        ("it stood outside all winter without harm", "it is well balanced in the hand"),
        ("it rusted after the first rain", "it is too heavy when full"),
    ),
    Category(
        "Outdoor",
        (
            Kind(
                "Backpack",
                45,
                180,
                ("nylon", "waxed cotton", "recycled polyester"),
                "Volume",
                ("18 litres", "28 litres", "45 litres"),
                "day walks and weekends away",
            ),
            Kind(
                "Sleeping Bag",
                49,
                240,
                ("down", "polyester"),
                "Comfort temperature",
                ("10 degrees", "5 degrees", "-2 degrees"),
                "nights in a tent",
            ),
            Kind(
                "Camping Stove",
                27,
                120,
                ("steel", "titanium"),
                "Boiling time",
                ("3 minutes", "4 minutes", "6 minutes"),
                "coffee on a mountain",
            ),
            Kind(
                "Water Bottle",
                11,
                42,
                ("steel", "tritan", "glass"),
                "Capacity",
                ("500 ml", "750 ml", "1 litre"),
                "long days on the trail",
            ),
        ),
        ("it kept everything dry in a storm", "it packs down very small"),
        ("the zip got stuck on the second day", "it leaks when it lies on its side"),
    ),
    Category(
        "Office",
        (
            Kind(
                "Notebook",
                6,
                28,
                ("recycled paper", "cotton paper"),
                "Pages",
                ("96 pages", "144 pages", "192 pages"),
                "lists, sketches and minutes",
            ),
            Kind(
                "Fountain Pen",
                18,
                130,
                ("resin", "brass", "steel"),
                "Nib",
                ("extra fine", "fine", "medium"),
                "letters and signatures",
            ),
            Kind("Desk Organizer", 14, 59, (*_WOODS, "steel"), "Compartments", ("4", "6", "9"), "a tidy desk"),
            Kind(
                "Monitor Stand", 29, 98, (*_WOODS, "aluminium"), "Height", ("9 cm", "12 cm", "15 cm"), "a straight neck"
            ),
        ),
        ("it feels good to write with every day", "it brought order to my desk"),
        ("the edges are rough", "it takes up half of my desk"),
    ),
    Category(
        "Audio",
        (
            Kind(
                "Headphones",
                39,
                249,
                ("plastic", "aluminium"),
                "Battery life",
                ("20 hours", "30 hours", "45 hours"),
                "music on the way to work",
            ),
            Kind(
                "Bluetooth Speaker",
                29,
                189,
                ("fabric", "plastic", "walnut"),
                "Battery life",
                ("8 hours", "12 hours", "24 hours"),
                "parties and picnics",
            ),
            Kind(
                "Turntable",
                119,
                420,
                ("walnut", "aluminium", "acrylic"),
                "Speeds",
                ("33 rpm", "33 and 45 rpm", "33, 45 and 78 rpm"),
                "a record collection",
            ),
            Kind(
                "Kitchen Radio",
                33,
                140,
                ("plastic", "beech"),
                "Reception",
                ("FM", "FM and DAB", "FM, DAB and internet"),
                "news over breakfast",
            ),
        ),
        ("the sound is clear even at low volume", "the battery lasts longer than promised"),
        ("the connection drops every few minutes", "the bass is too weak"),
    ),
    Category(
        "Games",
        (
            Kind(
                "Board Game",
                19,
                79,
                ("cardboard", "wood"),
                "Players",
                ("2 to 4", "3 to 5", "1 to 6"),
                "long evenings with friends",
            ),
            Kind("Jigsaw Puzzle", 9, 39, ("cardboard", "wood"), "Pieces", ("500", "1000", "2000"), "rainy Sundays"),
            Kind(
                "Chess Set",
                25,
                160,
                ("maple", "walnut", "marble"),
                "Board",
                ("30 cm", "38 cm", "45 cm"),
                "players of every level",
            ),
            Kind(
                "Card Game",
                7,
                24,
                ("linen cards", "recycled cards"),
                "Players",
                ("2", "2 to 5", "3 to 8"),
                "journeys and cafes",
            ),
        ),
        ("the rules are explained in five minutes", "the children want to play it every night"),
        ("the rules are hard to follow", "one piece was missing"),
    ),
    Category(
        "Bathroom",
        (
            Kind(
                "Bath Towel",
                12,
                49,
                ("cotton", "linen", "bamboo viscose"),
                "Size",
                ("50 x 100 cm", "70 x 140 cm", "100 x 150 cm"),
                "soft mornings",
            ),
            Kind(
                "Shower Head",
                19,
                95,
                ("chrome", "steel"),
                "Flow",
                ("6 litres a minute", "8 litres a minute", "9 litres a minute"),
                "a better shower with less water",
            ),
            Kind(
                "Soap Dispenser",
                9,
                38,
                ("ceramic", "glass", "steel"),
                "Capacity",
                ("250 ml", "350 ml", "500 ml"),
                "kitchens and bathrooms",
            ),
            Kind(
                "Bath Mat",
                13,
                55,
                ("cotton", "diatomite", "cork"),
                "Size",
                ("40 x 60 cm", "50 x 80 cm", "60 x 90 cm"),
                "warm feet",
            ),
        ),
        ("it dries quickly", "it still looks new after many washes"),
        ("it loses lint", "it slips on wet tiles"),
    ),
    Category(
        "Cycling",
        (
            Kind(
                "Bicycle Light",
                12,
                85,
                ("aluminium", "plastic"),
                "Brightness",
                ("30 lux", "60 lux", "100 lux"),
                "dark roads",
            ),
            Kind(
                "Bicycle Pump",
                15,
                69,
                ("steel", "aluminium"),
                "Pressure",
                ("7 bar", "9 bar", "11 bar"),
                "tyres of every width",
            ),
            Kind(
                "Pannier Bag",
                39,
                140,
                ("waxed cotton", "tarpaulin"),
                "Volume",
                ("15 litres", "20 litres", "27 litres"),
                "shopping and touring",
            ),
            Kind(
                "Cycling Helmet",
                35,
                160,
                ("polycarbonate",),
                "Size",
                ("52-56 cm", "55-59 cm", "58-62 cm"),
                "every ride",
            ),
        ),
        ("it was mounted in two minutes", "it held through a week of rain"),
        ("the bracket broke after a month", "it rattles on cobbles"),
    ),
    Category(
        "Toys",
        (
            Kind("Wooden Train", 15, 72, ("beech", "maple"), "Parts", ("6", "12", "24"), "floors and long afternoons"),
            Kind(
                "Building Blocks",
                14,
                66,
                ("beech", "cork", "recycled plastic"),
                "Parts",
                ("50", "100", "200"),
                "towers of every height",
            ),
            Kind("Kite", 11, 48, ("nylon", "silk"), "Wingspan", ("90 cm", "140 cm", "180 cm"), "windy beaches"),
            Kind("Doll House", 49, 210, ("beech", "birch plywood"), "Rooms", ("3", "5", "8"), "small families"),
        ),
        ("my daughter has played with it every day since", "the paint does not chip"),
        ("the paint came off in a week", "it is too difficult for small hands"),
    ),
)

BRANDS = (
    "Halden", "Northwick", "Oru", "Calder", "Brightwell", "Tamsin", "Kestrel", "Lumo", "Orrin", "Pello", "Vantor",
    "Mossley",
)  # fmt: skip
SERIES = (
    "Arc", "Alba", "Aster", "Birch", "Brio", "Cirrus", "Cobalt", "Comet", "Delta", "Drift", "Echo", "Ember", "Fable",
    "Fjord", "Flint", "Gale", "Grove", "Haven", "Indigo", "Iris", "Juno", "Koral", "Lark", "Linden", "Lotus", "Maple",
    "Mira", "Nova", "Onyx", "Opal", "Orbit", "Pine", "Polar", "Quill", "Rowan", "Sable", "Solo", "Terra", "Vega",
    "Willow",
)  # fmt: skip

COMMON_PRAISE = (
    "it arrived a day early",
    "it feels solid and well made",
    "it looks even better than in the pictures",
    "it is good value for the price",
    "customer service answered within an hour",
)
COMMON_BLAME = (
    "it arrived with a scratch",
    "it smelled of plastic for weeks",
    "it is smaller than it looks in the pictures",
    "the colour is not the one shown",
    "delivery took three weeks",
)
TITLES: Mapping[int, tuple[str, ...]] = {
    5: ("Exactly what I hoped for", "Would buy it again", "My best purchase this year", "Could not be happier"),
    4: ("Very good with a small flaw", "Nearly perfect", "Good quality", "Happy with it"),
    3: ("It does the job", "Neither good nor bad", "Mixed feelings", "Average"),
    2: ("Expected more", "Not for me", "Disappointing for the price", "I would think twice"),
    1: ("Sent it back", "Do not buy", "A waste of money", "Very disappointed"),
}
"""Stars -> titles of reviews."""
