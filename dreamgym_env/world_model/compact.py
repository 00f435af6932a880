"""The prompt format of models that this project trains: short, tagged, and written for copying.

A small model cannot repeat a page of two thousand characters, and need not: it is shown where things stand (kinds of
pages, how long they are, the segments that the actions name) and answers with references.  An example::

    <|task|>i need a red trail running shoe, size 9
    <|past|>search[trail running shoe]
    <|page|>results 33: 6. B0A1B2C3D4 7. Fellhawk Trail R 8. $54.90
    <|seen|>P1 index 4
    <|memory|>M1 == results -> item 21 continue
    <|action|>item click[b0a1b2c3d4]<|answer|>The product is listed, so its page opens.<|state|>M1<|outcome|>continue

``==`` marks a memory of the same action on the same page, ``=a`` of the same action, ``=p`` of the same page.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from dreamgym_env.types import Domain, Prediction, Prompt, Transition
from dreamgym_env.world_model.codec import CODECS, CodecError
from dreamgym_env.world_model.formats import AnswerError, checked_state, evidence, has_open_end, outcome_word
from dreamgym_env.world_model.view import RelatedMemory, View, Viewer

__all__ = ["SPECIAL_TOKENS", "CompactFormat"]

SPECIAL_TOKENS = (
    "<|task|>",
    "<|past|>",
    "<|page|>",
    "<|seen|>",
    "<|memory|>",
    "<|action|>",
    "<|answer|>",
    "<|state|>",
    "<|outcome|>",
    "<|end|>",
    "<|pad|>",
)
"""Each is one token of a tokenizer trained for this format; ``<|end|>`` ends an answer, ``<|pad|>`` fills a batch."""

_OUTCOMES = {"continue": (0.0, False), "success": (1.0, True), "failure": (0.0, True), "rewarded": (1.0, False)}


class CompactFormat:
    """Short questions and shorter answers for small fine-tuned models."""

    name = "compact"
    stop: tuple[str, ...] = ("<|end|>",)
    json_schema: Mapping[str, Any] | None = None

    def __init__(self, domain: Domain, codec: str = "edits", *, max_memories: int = 3, reasoning: bool = True) -> None:
        """Create the format.

        Args:
            domain: names the kinds of pages and actions.
            codec: ``"edits"`` or ``"full"``.
            max_memories: how many memories the prompt shows (and an answer may refer to).
            reasoning: whether the model reasons before it answers; the mark that ends the reasoning is else part of
                the question.
        """
        self.codec = CODECS[codec]
        self.viewer = Viewer(domain, newest_first=True, max_earlier=5)
        self.max_memories = max_memories
        self._lead = "" if reasoning else "<|state|>"

    def prompt(self, view: View) -> Prompt:
        """Write the question; it ends with ``<|answer|>``."""
        view = self._clipped(view)
        domain, query = self.viewer.domain, view.query
        action, named = _argument(query.action), _telling(view)
        past = [_plain(turn.action, 24) for turn in query.history[-3:]]
        seen = [f"{page.name} {page.kind} {_overview(page.segments, action, named, 2)}" for page in view.earlier]
        lines = [
            f"<|task|>{_plain(query.task.instruction, 60)}",
            f"<|past|>{' ; '.join(past)}",
            f"<|page|>{domain.page_kind(query.state)} {_overview(view.current, action, named, 4)}",
            f"<|seen|>{' ; '.join(seen)}",
            *(self._memory_line(memory) for memory in view.memories),
            f"<|action|>{domain.action_kind(query.action)} {_plain(query.action, 60)}<|answer|>{self._lead}",
        ]
        return Prompt("", "\n".join(lines))

    def shown(self, view: View) -> Sequence[RelatedMemory]:
        """Return the first memories, as many as the prompt shows."""
        return view.memories[: self.max_memories]

    def parse(self, text: str, view: View) -> Prediction:
        """Read ``reasoning<|state|>edits<|outcome|>word``."""
        view = self._clipped(view)
        reasoning, mark, rest = f"{self._lead}{text}".partition("<|state|>")
        written, mark_outcome, word = rest.partition("<|outcome|>")
        if not mark or not mark_outcome:
            raise AnswerError(f"The answer lacks <|state|> or <|outcome|>: {text[:120]!r}")
        outcome = _OUTCOMES.get(word.strip())
        if outcome is None:
            raise AnswerError(f"The outcome must be one of {', '.join(_OUTCOMES)}, not {word.strip()[:40]!r}.")
        try:
            segments = self.codec.decode(written, view.pages)
        except CodecError as error:
            raise AnswerError(str(error)) from error
        state = self.viewer.domain.render(segments, view.query.task.instruction)
        return Prediction(reasoning.strip(), checked_state(state), *outcome)

    def answer(self, view: View, transition: Transition) -> str:
        """Write the answer, without the closing ``<|end|>``."""
        view = self._clipped(view)
        segments = self.viewer.domain.segment(transition.next_state, transition.instruction)
        written = self.codec.encode(segments, view.pages).replace("<|", "<\\|")  # the codecs read \| as |
        word = outcome_word(transition.reward, transition.terminated)
        reasoning = "" if self._lead else f"{_plain(transition.reasoning, 400)}<|state|>"
        return f"{reasoning}{written}<|outcome|>{word}"

    def _clipped(self, view: View) -> View:
        return View(view.query, view.current, view.earlier, tuple(self.shown(view)))

    def _memory_line(self, memory: RelatedMemory) -> str:
        past, kind = memory.memory.transition, self.viewer.domain.page_kind
        relation = {(True, True): "==", (True, False): "=a", (False, True): "=p", (False, False): "~"}
        action = "" if memory.same_action else f" {_plain(past.action, 24)}"
        outcome = outcome_word(past.reward, past.terminated)
        if has_open_end(past):  # it is for the model to judge
            outcome = f"ended: {_plain(past.reasoning, 120)}"
        elif told := evidence(past):
            outcome = f"{outcome}: {_plain(told, 60)}"
        return (
            f"<|memory|>{memory.name} {relation[memory.same_action, memory.same_page]} {kind(past.state)}{action} -> "
            f"{kind(past.next_state)} {len(memory.outcome)} {outcome}"
        )


def _argument(action: str) -> str:
    """Return what stands in an action's brackets, lower-cased; the whole action where there are none."""
    _, bracket, rest = action.partition("[")
    return (rest.rpartition("]")[0] if bracket else action).strip().lower()


def _telling(view: View) -> list[str]:
    """Return the arguments of the episode's actions, latest first, without those that most pages show (buttons)."""
    arguments = dict.fromkeys(_argument(turn.action) for turn in reversed(view.query.history))
    pages = [_places(page) for page in view.pages.values()]
    return [text for text in arguments if sum(text in page for page in pages) <= len(pages) / 2]


def _overview(segments: tuple[str, ...], action: str, named: Sequence[str], limit: int) -> str:
    """Return how many segments a page has, and those that actions name.

    The one that the current action names is shown with the two that follow it, for that is what a listing says.
    """
    places = _places(segments)
    shown: list[int] = []
    if action in places:
        shown.extend(range(places[action], min(places[action] + 3, len(segments))))
    shown.extend([places[text] for text in named if text in places and text != action][:limit])
    told = " ".join(f"{at + 1}. {_plain(segments[at], 16)}" for at in dict.fromkeys(shown))
    return f"{len(segments)}: {told}" if told else f"{len(segments)}"


@functools.lru_cache(maxsize=4096)
def _places(segments: tuple[str, ...]) -> Mapping[str, int]:
    """Return where each text of a page stands first, lower-cased."""
    places: dict[str, int] = {}
    for at, segment in enumerate(segments):
        places.setdefault(segment.lower(), at)
    return places


@functools.lru_cache(maxsize=16_384)
def _plain(text: str, length: int) -> str:
    """Return the beginning of a text on one line, unable to imitate a tag."""
    return " ".join(text[: 4 * length].split()).replace("<|", "< |")[:length]
