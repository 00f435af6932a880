"""What the code host keeps: projects, and how their issues, merge requests and commits are put."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BUGS", "COMMENTS", "COMMITS", "LABELS", "PROJECTS", "WISHES", "Software"]


@dataclass(frozen=True, slots=True)
class Software:
    """A project; the user is the owner of those in the group ``emma.larsen``."""

    path: str
    language: str
    about: str
    parts: tuple[str, ...]


PROJECTS = (
    Software(
        "emma.larsen/tidewatch",
        "Python",
        "Reads the harbour's tide gauge and draws a chart.",
        ("the chart", "the gauge reader", "the alarm", "the archive"),
    ),
    Software(
        "emma.larsen/recipe-box",
        "JavaScript",
        "Keeps recipes as plain text and scales them.",
        ("the parser", "the shopping list", "the print view", "the search"),
    ),
    Software(
        "emma.larsen/dotfiles",
        "Shell",
        "Settings of shells and editors.",
        ("the prompt", "the installer", "the key bindings", "the colours"),
    ),
    Software(
        "emma.larsen/route-notes",
        "Python",
        "Notes and profiles of bicycle routes.",
        ("the profile view", "the importer", "the map layer", "the export"),
    ),
    Software(
        "aldermark/transit-api",
        "Go",
        "Timetables of buses, trains and ferries for programs.",
        ("the ferry feed", "the stop search", "the cache", "the rate limiter"),
    ),
    Software(
        "aldermark/open-map",
        "TypeScript",
        "The region's map as open data with a viewer.",
        ("the viewer", "the tile server", "the search box", "the legend"),
    ),
    Software(
        "aldermark/flood-model",
        "Julia",
        "Forecasts the level of the Alder.",
        ("the solver", "the rain input", "the report", "the calibration"),
    ),
    Software(
        "brightforge/ledgerline",
        "Rust",
        "Accounting in plain text files.",
        ("the importer", "the balance report", "the tax rules", "the editor plugin"),
    ),
    Software(
        "brightforge/lantern",
        "TypeScript",
        "A small static site generator.",
        ("the watcher", "the theme loader", "the feed", "the image step"),
    ),
    Software(
        "brightforge/quill",
        "Rust",
        "A text editor for long documents.",
        ("the outline", "the spell checker", "the autosave", "the status bar"),
    ),
    Software(
        "openorchard/seedbank",
        "Python",
        "An inventory of seeds and where they grow.",
        ("the label printer", "the inventory", "the import form", "the calendar"),
    ),
    Software(
        "openorchard/beehive-monitor",
        "C++",
        "Measures weight and warmth of beehives.",
        ("the scale driver", "the radio link", "the battery meter", "the dashboard"),
    ),
)
LABELS = (
    ("bug", "Something does not work."),
    ("feature", "Something new is wanted."),
    ("documentation", "Words are missing or wrong."),
    ("good first issue", "A place to begin."),
    ("performance", "It works, but slowly."),
    ("question", "More needs to be known."),
)
BUGS = (
    (
        "Crash in {part} when the file is empty",
        "Steps: start with an empty file. It ends with an error and no message.",
    ),
    ("Wrong time zone in {part}", "In summer everything is an hour late."),
    ("Memory of {part} grows without end", "After two days it needs more than a gigabyte."),
    ("Umlauts are broken in {part}", "They show up as two letters each."),
    ("{part} hangs after the computer has slept", "Only a restart helps."),
    ("Typing error in the messages of {part}", "It says recieve in three places."),
)
WISHES = (
    ("Dark colours for {part}", "At night the white hurts."),
    ("Explain {part} in the handbook", "The chapter has a heading and nothing else."),
    ("Make {part} faster for large inputs", "With 100,000 lines it takes a minute."),
    ("Keyboard shortcuts for {part}", "My wrist would be grateful."),
    ("Let {part} be switched off", "Not everybody needs it."),
    ("Add tests for {part}", "It breaks with every release."),
)
COMMENTS = (
    "I can reproduce this on the latest version.",
    "Works for me. Which system do you use?",
    "I would like to take this on.",
    "Could this wait for the next release?",
    "See the discussion in the chat.",
    "Thank you for the clear report.",
    "I have pushed a first attempt.",
    "Please add a test.",
)
COMMITS = (
    "Fix {part} for empty input", "Rename the options of {part}", "Test {part}", "Document {part}", "Speed up {part}",
    "Remove dead code from {part}", "Update the dependencies", "Prepare the next release",
)  # fmt: skip
