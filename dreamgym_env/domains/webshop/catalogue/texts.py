"""The seller's words: title, bullet points and description of a product."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dreamgym_env.domains.draws import Draws
from dreamgym_env.domains.webshop.catalogue.vocabulary import Attribute, ProductType

__all__ = ["Copy", "write_copy"]

SHORTEST_TITLE, LONGEST_TITLE = 50, 160
HIDDEN_SHARE = 0.06
"""Share of attributes that no text mentions."""
NO_DESCRIPTION_SHARE = 0.2

TITLE_FORMS = (
    "{brand} {adjectives} {head}{extras}, {touches}",
    "{brand} {head}{extras}, {adjectives}, {touches}",
    "{brand} {head}, {touches}{extras} - {adjectives}",
    "{adjectives} {head}{extras} - {touches} by {brand}",
    "{brand} {code} {adjectives} {head}, {touches}{extras}",
    "{brand} {head} | {touches} | {adjectives}{extras}",
    "{head} {touches}{extras}, {adjectives} ({brand} {code})",
    "{brand} {adjectives} {head} {touches}{extras}",
    "{brand} {head}{extras}, {touches}, {adjectives}",
    "{brand} {head}{extras} [{adjectives}] {touches}",
)
BULLET_FORMS = (
    "{UPPER}: {Reason}.",
    "{Title} - {Reason}.",
    "【{Title}】{Reason}.",
    "{Lead}: {reason}.",
    "{Reason} ({text}).",
    "✔ {Title}: {reason}.",
    "{Title}. {Reason}.",
)
BULLET_STYLES = ((0,), (1,), (2,), (3, 4), (5,), (6,), (0, 1), (4,), (3,))
"""A seller writes all bullet points of a product in one style."""
LEADS = {"is": "{text}", "has": "with {phrase}", "suits": "for {phrase}"}
DESCRIPTION_FORMS = {
    "is": (
        "What sets it apart is simple: {text}, because {reason}.",
        "Our customers asked for something {text}; {reason}.",
        "Being {text} comes first here, so {reason}.",
    ),
    "has": (
        "You get {phrase}, and {reason}.",
        "Thanks to {phrase}, {reason}.",
        "We chose {phrase} because {reason}.",
    ),
    "suits": (
        "A good choice for {phrase}: {reason}.",
        "We had {phrase} in mind, so {reason}.",
        "Made for {phrase}, since {reason}.",
    ),
}
PROMISES = (
    "Questions about your order? {brand} answers within one working day.",
    "If it is not what you hoped for, {brand} takes it back within 30 days.",
    "Every order is checked by hand before {brand} ships it.",
    "A thoughtful gift for birthdays and holidays.",
    "{brand} has been a small family business from the start.",
    "Write to us if anything is missing in the box; {brand} sends it at once.",
)
COLOR_NOTE = "Colors can look slightly different from one screen to another."
ACRONYMS = frozenset({"bpa", "gmo", "usb", "xs", "xl", "2xl", "3xl", "4xl"})
SMALL_WORDS = frozenset({"and", "for", "of", "with", "in", "to", "the", "a", "or", "on", "by"})


@dataclass(frozen=True, slots=True)
class Copy:
    """The texts of one product."""

    title: str
    bullets: tuple[str, ...]
    description: str


def write_copy(
    *,
    product_type: ProductType,
    brand: str,
    head: str,
    touches: Sequence[str],
    attributes: Sequence[Attribute],
    options: Mapping[str, Sequence[str]],
    draws: Draws,
) -> Copy:
    """Write the texts of a product.

    Args:
        product_type: what it is.
        brand: who sells it.
        head: head noun of the title.
        touches: decorative title parts to choose from.
        attributes: the product's hidden attributes; nearly all are mentioned word for word somewhere.
        options: what it offers; a product without a colour option names its colour nowhere.
        draws: source of randomness.
    """
    mentioned = [attribute for attribute in attributes if not draws.chance(HIDDEN_SHARE)] or list(attributes[:1])
    in_title = [attribute for attribute in mentioned if draws.chance(0.5)][:3]
    elsewhere = [attribute for attribute in mentioned if attribute not in in_title]
    told = [*elsewhere, *(attribute for attribute in in_title if draws.chance(0.4))]
    described = [] if draws.chance(NO_DESCRIPTION_SHARE) else [a for a in told if draws.chance(0.35)][:2]
    bulleted = [attribute for attribute in told if attribute not in described]
    silent = not described and draws.chance(NO_DESCRIPTION_SHARE + 0.1)
    promises = [*PROMISES, COLOR_NOTE] if "color" in options else PROMISES
    remarks = [*draws.sample(product_type.facts, 3), *(p.format(brand=brand) for p in draws.sample(promises, 2))]
    bullets, spare = _bullets(bulleted, remarks, draws)
    return Copy(
        title=_title(brand, head, touches, in_title, options, draws),
        bullets=bullets,
        description="" if silent else _description(product_type, brand, described, spare, draws),
    )


def _title(
    brand: str,
    head: str,
    touches: Sequence[str],
    attributes: Sequence[Attribute],
    options: Mapping[str, Sequence[str]],
    draws: Draws,
) -> str:
    adjectives = [title_case(attribute.text) for attribute in attributes if attribute.kind == "is"]
    extras = [_title_extra(attribute) for attribute in attributes if attribute.kind != "is"]
    form = draws.pick(TITLE_FORMS)
    tail = _title_tail(options, draws)
    order = draws.shuffled(touches)
    count = draws.between(1, 2)
    while True:
        title = _fill(form, brand, head, adjectives, extras, order[:count], _code(draws)) + tail
        if len(title) > LONGEST_TITLE and count > 1:
            count -= 1
        elif len(title) < SHORTEST_TITLE and count < len(order):
            count += 1
        else:
            return title


def _title_extra(attribute: Attribute) -> str:
    joint = "with" if attribute.kind == "has" else "for"
    return f"{joint} {title_case(attribute.text)}"


def _fill(
    form: str, brand: str, head: str, adjectives: list[str], extras: list[str], touches: list[str], code: str
) -> str:
    """Fill a title form and remove the joints around parts that are empty."""
    text = form.format(
        brand=brand,
        head=head,
        adjectives=" ".join(adjectives) if "{adjectives} {head}" in form else ", ".join(adjectives),
        extras="".join(f" {extra}" for extra in extras[:1])
        + "".join(f", {extra[0].upper()}{extra[1:]}" for extra in extras[1:]),
        touches=", ".join(touches),
        code=code,
    )
    for empty, instead in ((" []", ""), (" |  |", " |"), (", ,", ","), ("  ", " ")):
        text = text.replace(empty, instead)
    text = text.replace(", (", " (").strip()
    for joint in (" -", " |", ","):
        text = text.removesuffix(joint)
    return text


def _title_tail(options: Mapping[str, Sequence[str]], draws: Draws) -> str:
    """Now and then a title names one of the values on offer, as listings of variants do."""
    if not options or not draws.chance(0.18):
        return ""
    name = draws.pick(list(options))
    value = draws.pick(options[name])
    return f", Size {title_case(value)}" if name == "size" else f", {title_case(value)}"


def _code(draws: Draws) -> str:
    letters = "".join(draws.pick(string.ascii_uppercase) for _ in range(draws.between(1, 2)))
    return f"{letters}{draws.between(10, 989)}"


def _bullets(
    attributes: Sequence[Attribute], remarks: Sequence[str], draws: Draws
) -> tuple[tuple[str, ...], Sequence[str]]:
    """Return three to six bullet points, and the remarks that they left over."""
    style = draws.pick(BULLET_STYLES)
    bullets = [_bullet(attribute, BULLET_FORMS[draws.pick(style)], draws) for attribute in attributes][:6]
    fill = max(draws.between(3, 6) - len(bullets), 0)
    return tuple(draws.shuffled([*bullets, *remarks[:fill]])), remarks[fill:]


def _bullet(attribute: Attribute, form: str, draws: Draws) -> str:
    reason = draws.pick(attribute.reasons)
    return form.format(
        text=attribute.text,
        UPPER=attribute.text.upper(),
        Title=title_case(attribute.text),
        Lead=sentence_case(LEADS[attribute.kind].format(text=attribute.text, phrase=attribute.phrase)),
        reason=reason,
        Reason=sentence_case(reason),
    )


def _description(
    product_type: ProductType, brand: str, attributes: Sequence[Attribute], remarks: Sequence[str], draws: Draws
) -> str:
    sentences = [draws.pick(product_type.blurbs).format(brand=brand)]
    for attribute in attributes:
        form = draws.pick(DESCRIPTION_FORMS[attribute.kind])
        reason = draws.pick(attribute.reasons)
        sentences.append(form.format(text=attribute.text, phrase=attribute.phrase, reason=reason))
    sentences += remarks[: draws.between(0, 2)]
    return " ".join(sentences)


def sentence_case(text: str) -> str:
    """Return the text with its first letter in upper case."""
    first, space, rest = text.partition(" ")
    return (first.upper() if first in ACRONYMS else first[:1].upper() + first[1:]) + space + rest


def title_case(text: str) -> str:
    """Return the text as titles write it: every word but the small ones in upper case."""
    words = text.split(" ")
    return " ".join(word if word in SMALL_WORDS and i else sentence_case(word) for i, word in enumerate(words))
