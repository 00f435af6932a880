"""Writing SVG: elements whose attributes and texts are escaped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from dreamgym_env.evaluation.report.wording import visible

__all__ = ["Scale", "element", "label", "picture", "text_width"]

_NARROW = 0.54
"""Mean width of a Latin letter, of the font's size."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from values to coordinates."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value; one beyond the ends is drawn at the end."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + min(1.0, max(0.0, share)) * (self.end - self.start), 2)


def element(name: str, content: str | Markup = "", **attributes: str | float) -> Markup:
    """Return an element; ``class_`` is the attribute ``class``, and ``_`` in a name stands for ``-``."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _attribute(value))
        for key, value in attributes.items()
    )
    inner = content if isinstance(content, Markup) else escape(visible(content))
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, inner)


def label(x: float, y: float, words: str, class_: str = "", anchor: str = "start") -> Markup:
    """Return a text at a place."""
    return element("text", words, x=x, y=y, class_=class_ or "label", text_anchor=anchor)


def picture(width: float, height: float, described: str, parts: Iterable[Markup]) -> Markup:
    """Return a picture that grows with the place it is given; ``described`` is what it shows, for who cannot see it."""
    return element(
        "svg",
        Markup("").join(parts),
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=described,
        class_="plot",
    )


def text_width(words: str, size: float) -> float:
    """Return about how wide a text is."""
    return sum(1.0 if ord(letter) > 0x2E7F else _NARROW for letter in words) * size


def _attribute(value: str | float) -> str:
    return visible(value) if isinstance(value, str) else f"{round(value, 2):g}"
