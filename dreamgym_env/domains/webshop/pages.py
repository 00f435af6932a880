"""What the shop's pages show, in both observation modes, and what can be clicked on them.

A page is a row of visible strings.  ``text`` mode joins them by ``" [SEP] "``; ``text_rich`` mode writes one a line and
marks what can be clicked: ``[button] … [button_]``, or ``[clicked button] … [clicked button_]`` for chosen options and
for products that were opened before.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dreamgym_env.domains.webshop.observation import (
    BACK_TO_SEARCH,
    BUY_NOW,
    NEXT_PAGE,
    PREVIOUS_PAGE,
    SEPARATOR,
    SUB_PAGES,
    page_kind,
    results_title,
)
from dreamgym_env.domains.webshop.products import Product

__all__ = [
    "Kind",
    "Page",
    "Piece",
    "done_page",
    "index_page",
    "item_page",
    "results_page",
    "scored_page",
    "sub_page",
]

_SCORE_LABEL = "Your score (min 0.0, max 1.0)"
_ASCII_SPACES = " \t\n\r\f\v"


class Kind(enum.Enum):
    """What a visible string is."""

    TEXT = enum.auto()
    BUTTON = enum.auto()
    PRODUCT = enum.auto()
    """The asin that opens a product."""
    OPTION = enum.auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """One visible string of a page."""

    text: str
    kind: Kind = Kind.TEXT
    option_name: str = ""
    """Name of the option that an option value belongs to."""
    marked: bool = False
    """Whether ``text_rich`` shows it as clicked."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the shop."""

    pieces: tuple[Piece, ...]

    def text(self) -> str:
        """Return the observation of ``text`` mode."""
        return SEPARATOR.join(piece.text.strip() for piece in self.pieces)

    def text_rich(self) -> str:
        """Return the observation of ``text_rich`` mode."""
        clicked = [f"You have clicked {p.text}.\n" for p in self.pieces if p.kind is Kind.OPTION and p.marked]
        return "".join(reversed(clicked)) + "".join(_rich_line(piece) for piece in self.pieces)

    def clickables(self) -> tuple[str, ...]:
        """Return what can be clicked, in lower case, each once: buttons, then products, then option values."""
        buttons = (p.text.lower() for p in self.pieces if p.kind is Kind.BUTTON)
        products = (p.text.lower() for p in self.pieces if p.kind is Kind.PRODUCT)
        options = (p.text for p in self.pieces if p.kind is Kind.OPTION)
        return tuple(dict.fromkeys((*buttons, *products, *options)))

    def option_name(self, value: str) -> str | None:
        """Return the name of the option that a click on ``value`` sets (the last that lists it), or None."""
        return next((p.option_name for p in reversed(self.pieces) if p.kind is Kind.OPTION and p.text == value), None)


def index_page(instruction: str) -> Page:
    """The start: a search bar."""
    return Page((Piece("WebShop"), Piece("Instruction: "), *_visible(instruction), Piece("Search", Kind.BUTTON)))


def results_page(
    instruction: str, products: Sequence[Product], page_number: int, total: int, opened: Collection[str] = ()
) -> Page:
    """A page of search results.

    Args:
        instruction: the goal's text.
        products: what this page lists.
        page_number: from 1.
        total: how many products the search found.
        opened: asins whose pages were opened since the last visit to the index page.
    """
    buttons = [Piece(PREVIOUS_PAGE, Kind.BUTTON)] if page_number > 1 else []
    listing = [
        piece
        for product in products
        for piece in (
            Piece(product.asin, Kind.PRODUCT, marked=product.asin in opened),
            *_visible(product.title),
            *_visible(product.price_text),
        )
    ]
    return Page(
        (
            *_head(instruction),
            Piece(results_title(page_number, total)),
            *buttons,
            Piece(NEXT_PAGE, Kind.BUTTON),
            *listing,
        )
    )


def item_page(instruction: str, product: Product, chosen: Mapping[str, str]) -> Page:
    """A product's own page with its options; ``chosen`` maps option names to the values that were clicked."""
    options = [
        piece
        for name, values in product.options.items()
        for piece in (
            *_visible(name),
            *(Piece(value, Kind.OPTION, name, marked=chosen.get(name) == value) for value in values),
        )
    ]
    return Page(
        (
            *_head(instruction),
            Piece(PREVIOUS_PAGE, Kind.BUTTON),
            *options,
            *_visible(product.title),
            Piece(f"Price: {product.price_text}"),
            Piece(f"Rating: {product.rating}"),
            *(Piece(name, Kind.BUTTON) for name in SUB_PAGES),
            Piece(BUY_NOW, Kind.BUTTON),
        )
    )


def sub_page(instruction: str, product: Product, name: str) -> Page:
    """One of :data:`observation.SUB_PAGES` of a product."""
    texts = {"Description": _description, "Features": _features, "Reviews": _reviews}[name](product)
    return Page((*_head(instruction), Piece(PREVIOUS_PAGE, Kind.BUTTON), *texts))


def done_page(asin: str, chosen: Mapping[str, str], score: float | None) -> Page:
    """The end: what was bought and its score. "None" for what is not told is part of the original's page."""
    bought = [("asin", asin), ("options", _json(chosen))]
    bought += [(label, "None") for label in ("attrs", "category", "query", "product category")]
    target = ("asin", "options", "attrs", "price upper", "instuction text", "category", "product category", "query")
    texts = [
        *(
            "Thank you for shopping with us!",
            "Your code: ",
            "None",
            " (Paste it in your MTurk interface.)",
            "Purchased",
        ),
        *(text for pair in bought for text in pair),
        *("Target", *target, "Goal ", "None", "Reward", _SCORE_LABEL, str(score)),
        *("Reward Details ", "None"),
    ]
    return Page(tuple(Piece(text) for text in texts))


def scored_page(page: str, score: float) -> str:
    """Return an order page with this score on it; an empty text for what is no order page."""
    before, label, after = page.rpartition(f"{SEPARATOR}{_SCORE_LABEL}{SEPARATOR}")
    if page_kind(page) != "done" or not label:
        return ""
    _, *rest = after.split(SEPARATOR)
    return SEPARATOR.join([before + label + str(score), *rest])


def _head(instruction: str) -> Iterable[Piece]:
    return (Piece("Instruction:"), *_visible(instruction), Piece(BACK_TO_SEARCH, Kind.BUTTON))


def _description(product: Product) -> list[Piece]:
    return _visible(product.description)


def _features(product: Product) -> list[Piece]:
    return [piece for bullet in product.bullet_points for piece in _visible(f" {bullet}")]


def _reviews(product: Product) -> list[Piece]:
    texts = [(f'"{review.title}"', review.score, review.body) for review in product.reviews]
    return [piece for review in texts for text in review for piece in _visible(text)]


def _visible(text: str) -> list[Piece]:
    """Return the text as a page shows it: nothing if it is empty or but line breaks, one space if it is but spaces."""
    if text.strip(_ASCII_SPACES):
        return [Piece(text)]
    return [Piece(" ")] if text and "\n" not in text else []


def _json(chosen: Mapping[str, str]) -> str:
    """Return the chosen options as the page's JSON: sorted by name, and safe inside HTML."""
    text = json.dumps(dict(chosen), sort_keys=True)
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _rich_line(piece: Piece) -> str:
    if piece.kind is Kind.TEXT:
        return f"{piece.text}\n"
    lead = {Kind.BUTTON: "", Kind.PRODUCT: "\n", Kind.OPTION: "  "}[piece.kind]
    mark = "clicked button" if piece.marked else "button"
    return f"{lead}[{mark}] {piece.text} [{mark}_]\n"
