"""Texts that tasks ask an agent to type."""

from __future__ import annotations

__all__ = [
    "BIOS",
    "CODE_COMMENTS",
    "DESCRIPTIONS",
    "FORUM_COMMENTS",
    "NEW_ISSUES",
    "NEW_LABELS",
    "NEW_POSTS",
    "NEW_PROJECTS",
    "ORDER_NOTES",
    "PLACE_NOTES",
    "QUESTIONS",
    "REVIEWS",
    "STATUSES",
]

REVIEWS = (
    ("Just what I needed", "I use it every day and would not give it back."),
    ("Better than my old one", "It took the place of one that I had for ten years."),
    ("Not as described", "The size on the page is wrong, and I sent it back."),
    ("A present that pleased", "My sister has not stopped talking about it."),
    ("Fine for the money", "Do not expect wonders, but it works."),
    ("Broke within a week", "I had it for six days before it came apart."),
    ("Recommended by a friend", "She was right about all of it."),
    ("Could be lighter", "It is good, only my arms get tired."),
)
DESCRIPTIONS = (
    "Back in the shop after many requests, now with a longer guarantee.",
    "Our bestseller of last summer. Handle with care.",
    "Made to order. Please allow two weeks for delivery.",
    "The last pieces of this series, sold without a box.",
    "Chosen by our readers as the product of the month.",
    "Now made from recycled material throughout.",
)
ORDER_NOTES = (
    "Please wrap as a present",
    "Customer asked for delivery after six",
    "Leave with the neighbour at number 12",
    "Call before delivery",
    "Check the lid before packing",
    "Send in two parcels",
)
NEW_POSTS = (
    ("Lost a red scarf", "Somewhere between the station and the market. It was my aunt's."),
    ("Looking for company on Sunday mornings", "Two hours, no hurry, coffee afterwards."),
    ("A small thank you", "You helped me more than once this winter."),
    ("What are you looking forward to this month?", "I will begin: the first warm evening."),
    ("Beginner with too many questions", "Where would you start if you knew nothing at all?"),
    ("Please recommend something under 50 dollars", "It is for my father, who has everything."),
    ("Meeting on the last Friday of the month", "At seven, in the back room of the library."),
    ("I was wrong about this", "Last year I argued against it. I take it all back."),
)
FORUM_COMMENTS = (
    "I had the same trouble last year, and patience solved it.",
    "Bring a thermos, you will thank me later.",
    "Could you tell us more about the second part?",
    "My brother swears by this.",
    "I will try it on Saturday and report.",
    "That is the best advice I have read here.",
    "Count me in.",
    "I would rather wait until May.",
)
BIOS = (
    "Collects maps and forgets umbrellas.",
    "Writes short letters and long lists.",
    "Learning the cello, sorry about the noise.",
    "Baker on weekdays, cyclist on Sundays.",
    "Here to ask, not to tell.",
    "Plants more than she harvests.",
    "Half of a bookshop in Castlebridge.",
    "Knows every bench along the Alder.",
)
QUESTIONS = (
    ("How do I keep slugs away from lettuce?", "gardening"),
    ("Which bow rosin suits a beginner on the violin?", "music"),
    ("Why do my pancakes stick to the pan?", "cooking"),
    ("How do I patch a hole in a plaster wall?", "home-repair"),
    ("Which tyres are good for gravel roads in winter?", "cycling"),
    ("Who is your favourite villain in a novel?", "books"),
    ("Why is the sky dark between the stars?", "science"),
    ("Which black-and-white film should I watch first?", "films"),
)
NEW_ISSUES = (
    ("Settings are lost after an update", "Version 2.3 forgets where the files are."),
    ("Add a progress bar", "Long runs look as if they hang."),
    ("The handbook names an option that is gone", "Page 4 still speaks of the old flag."),
    ("Numbers are cut off on small screens", "The last digit is missing on my phone."),
    ("Allow comments in the configuration", "I would like to note why a line is there."),
    ("Log file fills the disk", "It grew to nine gigabytes in a week."),
    ("Show the version in the footer", "It would help when reporting errors."),
    ("Wrong plural in the summary", "It says 1 files."),
)
CODE_COMMENTS = (
    "I see this too, on two machines.",
    "A test for this would be welcome.",
    "I can look into it next week.",
    "Is there a way around it until then?",
    "This was discussed before, please link the decision.",
    "Reverting the last change helps here.",
    "Let us keep the old name for one more release.",
    "Agreed, go ahead.",
)
NEW_LABELS = (
    ("security", "Somebody could do harm."),
    ("blocked", "It waits for something else."),
    ("design", "How it looks and feels."),
    ("needs testing", "It has to be tried by hand."),
    ("regression", "It worked before."),
    ("translation", "Words in other languages."),
)
NEW_PROJECTS = (
    ("seed-swap", "A list of seeds to give away.", "Python"),
    ("choir-planner", "Rehearsals and who comes to them.", "JavaScript"),
    ("bird-log", "What sits on the feeder, by day.", "Python"),
    ("tiny-ledger", "Household money in one file.", "Rust"),
    ("ferry-bell", "Rings before the ferry leaves.", "Go"),
    ("quiet-timer", "A timer that does not beep.", "Shell"),
)
STATUSES = (
    "On holiday until Monday",
    "Reviewing, please be patient",
    "Writing the handbook",
    "Out for lunch",
    "Working on the release",
    "At a conference in Eastwick",
)
PLACE_NOTES = (
    "meet Hanna here",
    "good for rainy days",
    "ask about the guided tour",
    "open late in summer",
    "try the back entrance",
    "bring the children",
    "closed last time",
    "recommended by Jonas",
)
