"""What the forum talks about: boards, subjects, and how posts and comments are put."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BIOS", "BOARDS", "GENERAL_COMMENTS", "Board"]


@dataclass(frozen=True, slots=True)
class Board:
    """A board; in titles, bodies and comments ``{it}`` stands for one of the subjects."""

    slug: str
    name: str
    about: str
    subjects: tuple[str, ...]
    posts: tuple[tuple[str, str], ...]
    """Titles with their bodies."""
    comments: tuple[str, ...]


BOARDS = (
    Board(
        "books",
        "Books",
        "Novels, poems and everything else between two covers.",
        (
            "The Salt Ledger",
            "Winter Ferries",
            "A House of Nine Clocks",
            "The Beekeeper's Atlas",
            "Low Tide",
            "Paper Orchard",
            "The Glassblower",
            "Minor Planets",
        ),
        (
            (
                "Just finished {it} and need to talk about the ending",
                "I did not see the last chapter coming. Was it a dream or not?",
            ),
            ("Is {it} worth reading after the first hundred pages?", "I am on page 97 and nothing has happened yet."),
            ("A map of the places in {it}", "I drew where everybody lives and walks. Corrections are welcome."),
            ("Which translation of {it} do you prefer?", "There are two, and they read like different books."),
            ("{it} in our reading circle next month", "We meet on the first Monday. New faces are welcome."),
        ),
        (
            "I read {it} twice, and it was better the second time.",
            "The middle of {it} drags, but stay with it.",
            "My library has four copies of {it}, all of them on loan.",
        ),
    ),
    Board(
        "cooking",
        "Cooking",
        "Recipes, disasters and questions from the kitchen.",
        (
            "sourdough",
            "fish soup",
            "apple cake",
            "pickled beetroot",
            "lentil stew",
            "cardamom buns",
            "mushroom risotto",
            "plum jam",
        ),
        (
            ("My {it} keeps turning out too salty", "I follow the recipe to the gram. What am I doing wrong?"),
            ("A way of making {it} that takes twenty minutes", "No tricks, only a hot oven and everything cut small."),
            (
                "Grandmother's {it}, written down at last",
                "She never measured anything, so I stood beside her with a scale.",
            ),
            ("How long does {it} keep in the fridge?", "I made enough for a week, and now I wonder."),
            ("What do you serve with {it}?", "Six guests, one of whom eats no dairy."),
        ),
        (
            "Half the salt and twice the patience, that is all {it} needs.",
            "I add a spoon of vinegar to my {it}.",
            "You can freeze {it}, it is even better afterwards.",
        ),
    ),
    Board(
        "cycling",
        "Cycling",
        "Routes, repairs and rain.",
        (
            "the coast road",
            "the quarry climb",
            "the canal path",
            "the Juniper pass",
            "the old railway line",
            "the lake loop",
            "the orchard route",
            "the harbour lanes",
        ),
        (
            ("Has anyone ridden {it} this spring?", "I wonder whether the surface has dried."),
            ("Photos from {it} at sunrise", "Left home at five, and it was worth it."),
            ("Is {it} safe with a child seat?", "My son is three and likes tunnels."),
            ("Puncture number four on {it}", "Thorns everywhere. Which tyres do you use?"),
            ("Group ride along {it} on Saturday", "Easy pace, with a stop for cake. Meet at nine."),
        ),
        ("They resurfaced {it} in autumn, you will be fine.", "Avoid {it} after rain.", "Count me in for {it}."),
    ),
    Board(
        "gardening",
        "Gardening",
        "Seeds, soil and slugs.",
        ("tomatoes", "roses", "a pear tree", "lavender", "rhubarb", "strawberries", "a hornbeam hedge", "courgettes"),
        (
            ("When do you plant {it} this far north?", "The last frost here is in the middle of May."),
            ("Something is eating the leaves of {it}", "Small round holes, mostly at night."),
            ("First year with {it}: what I have learnt", "Less water, more compost, and a net."),
            ("Can {it} grow in a pot on a balcony?", "It faces west and gets wind."),
            ("Swap: who takes {it}?", "Come by on Sunday and bring a bag."),
        ),
        (
            "With {it} I wait until the ground is warm to the wrist.",
            "Slugs love {it}. Go out with a torch.",
            "Mulch helped {it} more than anything else.",
        ),
    ),
    Board(
        "films",
        "Films",
        "What we saw and what we thought of it.",
        (
            "The Lighthouse Keeper",
            "Nine Winters",
            "Paper Moons",
            "The Last Ferry",
            "Copper Sky",
            "The Cartographer",
            "A Minor Key",
            "Strangers at Noon",
        ),
        (
            ("{it} was better than I expected", "I went in for the popcorn and came out in tears."),
            ("Can someone explain the last scene of {it}?", "Who opened the door?"),
            ("The music in {it} deserves a prize", "I have been humming it for a week."),
            ("{it} at the Playhouse on Friday", "They show it with the original sound. Who is coming?"),
            ("Unpopular opinion: {it} is too long", "Forty minutes less, and it would be a masterpiece."),
        ),
        (
            "I fell asleep in {it}, and I regret nothing.",
            "The camera work in {it} is stunning.",
            "Watch {it} again and look at the clocks.",
        ),
    ),
    Board(
        "travel",
        "Travel",
        "Trips in Aldermark and beyond.",
        ("Aldermouth", "Brackenfell", "Castlebridge", "Dunmere", "Eastwick", "Fairhaven", "Greystone", "Ivybank"),
        (
            ("A weekend in {it} with two children", "Ideas for a rainy day are what we lack."),
            ("Quiet places to stay near {it}", "No nightlife, please, only birds."),
            ("Is one day enough for {it}?", "We arrive at ten and leave on the last train."),
            ("The best breakfast in {it}", "I tried seven places so that you do not have to."),
            ("Night train to {it}: worth it?", "The timetable looks tempting."),
        ),
        (
            "Go to {it} in September, when it is empty.",
            "Two days are right for {it}.",
            "The museum in {it} is closed on Mondays.",
        ),
    ),
    Board(
        "home-repair",
        "Home repair",
        "Leaks, creaks and how to stop them.",
        (
            "a dripping tap",
            "a stuck window",
            "a squeaking door",
            "a cracked tile",
            "a blocked drain",
            "a loose handrail",
            "peeling paint",
            "a damp wall",
        ),
        (
            ("How do I fix {it} without calling anybody?", "I own a screwdriver and some courage."),
            ("The third weekend with {it}", "Every repair lasts for five days."),
            ("What did you pay to have {it} repaired?", "I was quoted 240 dollars, which seems a lot."),
            ("Solved: {it}", "It was the washer. It is always the washer."),
            ("Which tool do you recommend for {it}?", "I would rather buy one good thing than three bad ones."),
        ),
        (
            "With {it}, turn off the water first, whatever you do.",
            "I had {it} for years. A bit of soap helped.",
            "Film {it} before you take anything apart.",
        ),
    ),
    Board(
        "music",
        "Music",
        "Instruments, concerts and records.",
        (
            "the cello",
            "the harmonica",
            "jazz piano",
            "choir singing",
            "the banjo",
            "old synthesizers",
            "the tin whistle",
            "drum practice",
        ),
        (
            ("Learning {it} at forty", "My neighbours are patient people."),
            ("Records that made you love {it}", "I am putting together a list for a friend."),
            ("Where can I practise {it} in the evening?", "Thin walls, thin nerves."),
            ("Secondhand gear for {it}: what to look for", "I would spend 300 dollars at most."),
            ("Looking for people who like {it}", "Thursdays, in the back room of a cafe."),
        ),
        (
            "Ten minutes of {it} every day beat two hours on Sunday.",
            "I took up {it} again last year, and it keeps me sane.",
            "Ask at the library, they have a room for {it}.",
        ),
    ),
    Board(
        "science",
        "Science",
        "Questions about how the world works.",
        ("the tides", "northern lights", "bird migration", "yeast", "sea ice", "meteor showers", "mosses", "batteries"),
        (
            ("Explain {it} to me as if I were ten", "My niece asked, and I had no answer."),
            ("A good book on {it}?", "Something with pictures and without equations."),
            ("We measured {it} at school", "Eleven weeks of data, and one broken sensor."),
            ("New results on {it}", "The article is long, but the second figure says it all."),
            ("What do we still not know about {it}?", "It seems so ordinary."),
        ),
        (
            "There is a free lecture about {it} at the university.",
            "The short answer on {it} is: it depends.",
            "I wrote my thesis about {it}. Ask me anything.",
        ),
    ),
    Board(
        "deals",
        "Deals",
        "Offers worth knowing about.",
        (
            "garden tools",
            "coffee",
            "bicycle lights",
            "notebooks",
            "headphones",
            "board games",
            "towels",
            "camping stoves",
        ),
        (
            ("Is this a fair price for {it}?", "It seems cheap, and that worries me."),
            ("Where do you buy {it}?", "My usual shop has closed."),
            ("Clearance of {it} at the harbour market", "Until Saturday, while there is something left."),
            ("Warning about an offer of {it}", "The parcel arrived empty. I have my money back."),
            ("Two for one on {it} this week", "I need only one. Who takes the other?"),
        ),
        (
            "I paid twice as much for {it}.",
            "Wait until April, {it} always get cheaper then.",
            "That shop sold me {it} that broke at once.",
        ),
    ),
)

GENERAL_COMMENTS = (
    "Thank you, this is just what I was looking for.",
    "Following, because I have the same question.",
    "I see it differently, but you put it well.",
    "Same here, and I never found out why.",
    "Could you add a photo?",
    "This made my day.",
    "It depends on how much time you have.",
    "I asked the same thing last year and got no answer.",
    "Good point. I had not thought of that.",
    "Please tell us how it went.",
)
BIOS = (
    "Reads on trains.",
    "Mostly here for the recipes.",
    "Father of two, owner of too many bicycles.",
    "Retired teacher.",
    "I fix things that are not broken.",
    "Amateur astronomer.",
    "New in Aldermouth.",
    "Tea, not coffee.",
)
