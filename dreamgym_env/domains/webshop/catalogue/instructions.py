"""Wording a goal: the same wish in many voices.

A wish is put together from three clauses, each worded at random: the thing with its attributes, the options, and the
price.  A template says how they are joined, from one terse line to a chatty message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webshop.catalogue.texts import sentence_case
from dreamgym_env.domains.webshop.catalogue.vocabulary import Attribute, ProductType

__all__ = ["TEMPLATES", "Wish", "word_wish"]

TEMPLATES = (
    "Find me {things}{options}, and {price}",
    "find me {things}{options}, {price}",
    "I am looking for {thing}{options}, {price}.",
    "i'm looking for {thing}{options}, {price}",
    "I need {thing}{options}, and {price}.",
    "i need {thing}{options} {budget}",
    "I would like to buy {thing}{options}, {price}, please.",
    "I want {thing}{options} {budget}.",
    "i want to buy {thing}{options}, and {price}",
    "Can you find me {thing}{options}? {Price_sentence}.",
    "Could you please help me find {thing}{options}? {Price_sentence}.",
    "Please show me {things}{options}, {price}.",
    "Do you have {things}{options} {budget}?",
    "Where can I get {thing}{options} {budget}?",
    "{Things}{options}, {price}.",
    "{things}{options} {budget}",
    "Looking for {thing}{options}. {Price_sentence}.",
    "Searching for {things}{options}, {price}.",
    "Hello, I am shopping for {thing}. {Option_sentence}{Price_sentence}.",
    "Hi there! The one I liked is sold out, so I need {thing}. {Option_sentence}{Price_sentence}.",
    "It is a present for my sister: {thing}{options}, {price}.",
    "A friend recommended {things}, and now I want some too. {Option_sentence}{Price_sentence}.",
    "We are out of luck in town, so please order {thing}{options} {budget}.",
    "Get me {thing}{options}. {Price_sentence}.",
    "Buy {thing}{options}, {price}.",
    "Please buy {thing} for me. {Option_sentence}{Price_sentence}.",
    "Show me {things} {budget}. {Option_sentence}",
    "Which {things} do you have{options} {budget}? I will take one.",
    "I've been meaning to get {thing}{options} for a while, {price}.",
    "My budget is small, but I really need {thing}{options}; {price}.",
    "For next week I need {thing}{options}, {price}.",
    "I'd love {thing}{options}, as long as it is {budget}.",
    "Shopping list: {things}{options}, {price}.",
    "Help me pick {thing}. {Price_sentence}. {Option_sentence}",
)
PRICE_CLAUSES = (
    "price lower than {price:.2f} dollars",
    "priced lower than {price:.2f} dollars",
    "price below ${price:.0f}",
    "costing less than ${price:.0f}",
    "under {price:.0f} dollars",
    "cheaper than {price:.0f} dollars",
    "for less than ${price:.2f}",
    "not more expensive than ${price:.0f}",
)
BUDGETS = (
    "under ${price:.0f}",
    "below {price:.2f} dollars",
    "for less than {price:.0f} dollars",
    "for under ${price:.2f}",
    "cheaper than ${price:.0f}",
)
PRICE_SENTENCES = (
    "the price should be lower than {price:.2f} dollars",
    "I can spend up to ${price:.0f}",
    "my budget is {price:.0f} dollars",
    "it must cost less than ${price:.0f}",
    "please keep it under ${price:.2f}",
    "I do not want to pay more than {price:.0f} dollars",
)
INLINE_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "color": ("in {value}", "in the color {value}", "color {value}", "in {value} color"),
    "size": ("in size {value}", "size {value}", "in a size {value}"),
    "flavor name": ("in {value} flavor", "with {value} flavor", "flavor {value}"),
    "scent": ("with the {value} scent", "scent {value}", "scented {value}"),
    "style": ("in the {value} style", "style {value}", "in {value} style"),
    "pattern name": ("with the {value} pattern", "in the pattern {value}", "pattern {value}"),
    "number of items": ("sold as: {value}", "number of items: {value}", "number of items {value}"),
    "capacity": ("with a capacity of {value}", "capacity {value}"),
    "length": ("with a length of {value}", "length {value}"),
}
SPOKEN_NAMES = {"flavor name": "flavor", "pattern name": "pattern", "number of items": "pack size"}
"""What people call an option whose name on the page is stiff."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a shopper asks for."""

    type: ProductType
    attributes: tuple[Attribute, ...]
    options: Mapping[str, str]
    price_upper: float
    """Dollars; a whole number."""


def word_wish(wish: Wish, draws: Draws) -> str:
    """Write the wish as an instruction that names every attribute, option value and the price bound word for word."""
    template = draws.pick(TEMPLATES)
    things = _things(wish, draws)
    sentence = _option_sentence(wish.options, draws)
    text = template.format(
        thing=_thing(wish, draws),
        things=things,
        Things=sentence_case(things),
        options=_option_clause(wish.options, draws),
        Option_sentence=f"{sentence} " if sentence else "",
        price=draws.pick(PRICE_CLAUSES).format(price=wish.price_upper),
        budget=draws.pick(BUDGETS).format(price=wish.price_upper),
        Price_sentence=sentence_case(draws.pick(PRICE_SENTENCES).format(price=wish.price_upper)),
    )
    return " ".join(text.split())


def _thing(wish: Wish, draws: Draws) -> str:
    """One of it, with its article: "a pair of non slip trail running shoes with a rubber sole"."""
    article, _, unit = wish.type.article.partition(" ")
    noun = " ".join(filter(None, (unit, _adjectives(wish, draws), wish.type.singular)))
    if article == "a" and noun[0].lower() in "aeiou":
        article = "an"
    return f"{article} {noun}{_complements(wish)}"


def _things(wish: Wish, draws: Draws) -> str:
    """The same in general: "non slip trail running shoes with a rubber sole"."""
    return " ".join(filter(None, (_adjectives(wish, draws), wish.type.query))) + _complements(wish)


def _adjectives(wish: Wish, draws: Draws) -> str:
    texts = [attribute.text for attribute in wish.attributes if attribute.kind == "is"]
    return _listed(texts) if draws.chance(0.25) else ", ".join(texts)


def _complements(wish: Wish) -> str:
    features = [attribute.phrase for attribute in wish.attributes if attribute.kind == "has"]
    purposes = [attribute.phrase for attribute in wish.attributes if attribute.kind == "suits"]
    with_clause = f" with {_listed(features)}" if features else ""
    return with_clause + (f" for {_listed(purposes)}" if purposes else "")


def _listed(texts: Sequence[str]) -> str:
    """Join as "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1] if texts else "")))


def _option_clause(options: Mapping[str, str], draws: Draws) -> str:
    """The options inside a sentence, with the joint that leads to them."""
    if not options:
        return ""
    if draws.chance(0.3):
        return " with " + ", and ".join(f"{name}: {value}" for name, value in options.items())
    clauses = [draws.pick(INLINE_OPTIONS[name]).format(value=value) for name, value in options.items()]
    joint = " " if clauses[0].startswith(("in ", "with ")) and draws.chance(0.5) else ", "
    return joint + ", ".join(clauses)


def _option_sentence(options: Mapping[str, str], draws: Draws) -> str:
    """The options as a sentence of their own, or nothing."""
    if not options:
        return ""
    spoken = [(SPOKEN_NAMES.get(name, name), value) for name, value in options.items()]
    if draws.chance(0.5):
        return sentence_case(_listed([f"the {name} should be {value}" for name, value in spoken])) + "."
    return "I would take " + ", ".join(f"{name} {value}" for name, value in spoken) + "."
