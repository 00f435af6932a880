"""The prompt format of instruction-tuned models: prose in, JSON out."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dreamgym_env.types import Domain, Prediction, Prompt, Source, Transition, Turn
from dreamgym_env.world_model.codec import CODECS, CodecError
from dreamgym_env.world_model.formats import AnswerError, checked_state, evidence, has_open_end
from dreamgym_env.world_model.quoting import one_line
from dreamgym_env.world_model.view import RelatedMemory, View, Viewer

__all__ = ["ChatFormat"]

_SYSTEM = """You are the environment that a text agent acts in. You are given the agent's task, the pages it has seen, \
the current page, transitions recorded in the real environment (memories), and the agent's action. \
Answer with what the environment does.

How this environment behaves:
{rules}

Rules of answering:
- Be truthful, not kind: an action that the current page does not offer changes nothing and earns nothing.
- A memory of the same action on the same page shows the real answer: follow it. \
Other memories show what pages look like.
- A page that was seen before in this episode is the same page again.
- reward is 1 only when this very action completes the task; otherwise 0. terminated tells whether the episode is over.

Answer with one JSON object and nothing else, its members in this order:
{{{reasoning}"next_state": "...", "reward": 0 or 1, "terminated": true or false}}
In next_state: {contract}"""

_REASONING_MEMBER = (
    '"reasoning": "one to three sentences: does the action lead toward success or failure, and how does the '
    'environment respond", '
)

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reasoning": {"type": "string", "maxLength": 600},
        "next_state": {"type": "string"},
        "reward": {"type": "integer", "enum": [0, 1]},
        "terminated": {"type": "boolean"},
    },
    "required": ["reasoning", "next_state", "reward", "terminated"],
    "additionalProperties": False,
}

_REASONING = re.compile(r'"reasoning"\s*:\s*("(?:[^"\\]|\\.)*")', re.DOTALL)
_NEXT_STATE = re.compile(r'"next_state"\s*:\s*("(?:[^"\\]|\\.)*")', re.DOTALL)


class ChatFormat:
    """Asks an instruction-tuned model; the constant part is the system message, and the rest only grows at its end."""

    name = "chat"
    stop: tuple[str, ...] = ()

    def __init__(
        self, domain: Domain, codec: str = "full", *, max_memories: int | None = None, reasoning: bool = True
    ) -> None:
        """Create the format.

        Args:
            domain: whose rules the model is told.
            codec: ``"full"`` or ``"edits"``: how the model writes the next state.
            max_memories: how many memories the prompt shows at most; None for all that were retrieved.
            reasoning: whether the model reasons before it answers.
        """
        self.codec = CODECS[codec]
        self.max_memories = max_memories
        self.viewer = Viewer(domain, newest_first=False, max_earlier=16)
        self._write = functools.lru_cache(maxsize=16_384)(self._written)  # most pages are written many times
        self._reasons = reasoning
        self.json_schema: Mapping[str, Any] | None = _SCHEMA if reasoning else _without_reasoning(_SCHEMA)
        self._system = _SYSTEM.format(
            rules=domain.rules,
            contract=self.codec.contract,
            reasoning=_REASONING_MEMBER if reasoning else "",
        )

    def prompt(self, view: View) -> Prompt:
        """Write task, pages and actions so far, memories and the action, in this order."""
        task = view.query.task
        parts = [f"# Task\n{one_line(task.instruction)}"]
        if task.facts:  # not the goal: a kind model would show the target wherever the agent looks
            facts = json.dumps(dict(task.facts), ensure_ascii=False)
            parts.append(f"# Facts that the agent does not see\n{facts}")
        parts.append("# Episode")
        parts.extend(self._episode(view))
        names = {page.segments: page.name for page in view.earlier}
        parts.append(f"# The current page C\n{names[view.current]}")
        parts.append("# Memories" if self.shown(view) else "# Memories\nnone")
        for memory in self.shown(view):
            past = memory.memory.transition
            page = "the same page" if memory.same_page else self._write(memory.page)
            parts.append(
                f"## {memory.name} ({_origin(past)})\nPage:\n{page}\nAction: {one_line(past.action)}\n"
                f"Next page ({memory.name}):\n{self._write(memory.outcome)}\n"
                f"{_end(past)}"
            )
        parts.append(f"# The agent's action, on the current page C\n{one_line(view.query.action)}")
        return Prompt(self._system, "\n\n".join(parts))

    def shown(self, view: View) -> Sequence[RelatedMemory]:
        """Return the first memories, as many as the prompt shows."""
        return view.memories[: self.max_memories]

    def parse(self, text: str, view: View) -> Prediction:
        """Read the JSON object; one that was cut off after its next state is completed without reward."""
        answer = _object(text) or _salvage(text)
        if answer is None:
            raise AnswerError(f"The answer holds no JSON object with a next_state: {text[:120]!r}")
        written, reward, terminated = answer.get("next_state"), answer.get("reward"), answer.get("terminated")
        if not isinstance(written, str) or not isinstance(terminated, bool) or isinstance(reward, bool):
            raise AnswerError("next_state must be a text, terminated true or false, reward 0 or 1.")
        if reward not in (0, 1):
            raise AnswerError(f"reward must be 0 or 1, not {str(reward)[:40]!r}.")
        try:
            segments = self.codec.decode(written, self._clipped(view).pages)
        except CodecError as error:
            raise AnswerError(str(error)) from error
        state = self.viewer.domain.render(segments, view.query.task.instruction)
        reasoning = str(answer.get("reasoning", "")).encode("utf-8", "replace").decode("utf-8")
        return Prediction(reasoning, checked_state(state), float(reward), terminated)

    def answer(self, view: View, transition: Transition) -> str:
        """Write the JSON object."""
        segments = self.viewer.domain.segment(transition.next_state, transition.instruction)
        return json.dumps(
            {
                **({"reasoning": transition.reasoning} if self._reasons else {}),
                "next_state": self.codec.encode(segments, self._clipped(view).pages),
                "reward": int(transition.reward > 0),
                "terminated": transition.terminated,
            },
            ensure_ascii=False,
        )

    def _clipped(self, view: View) -> View:
        return View(view.query, view.current, view.earlier, tuple(self.shown(view)))

    def _episode(self, view: View) -> list[str]:
        """Write each page once, under its number, and the actions between: one step later all this stands unchanged."""
        unshown = {page.segments: page.name for page in view.earlier}
        names = dict(unshown)
        parts = []
        for turn in (*view.query.history, Turn(view.query.state, "")):
            segments = self.viewer.domain.segment(turn.state, view.query.task.instruction)
            if name := unshown.pop(segments, None):
                parts.append(f"## Page {name}\n{self._write(segments)}")
            elif name := names.get(segments):
                parts.append(f"## Page {name} again")
            parts.append(f"Action: {one_line(turn.action)}")
        return parts[:-1]

    def _written(self, segments: Sequence[str]) -> str:
        """Write a page as the codec would; no text on it can be taken for a heading of the prompt."""
        if self.codec.name == "full":
            written = self.codec.encode(segments, {})
            return re.sub(r"^#", r"\\#", written, flags=re.MULTILINE)  # the codec reads \# as #
        text = "\n".join([f"{number}| {segment}" for number, segment in enumerate(segments, start=1)])
        if len(text.splitlines()) == len(segments) and not any(mark in text for mark in "\\#"):
            return text  # nothing to escape, as on nearly all pages
        return "\n".join(f"{number}| {one_line(segment)}" for number, segment in enumerate(segments, start=1))


def _without_reasoning(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = {name: value for name, value in schema["properties"].items() if name != "reasoning"}
    return {**schema, "properties": properties, "required": list(properties)}


def _origin(past: Transition) -> str:
    return one_line(past.reasoning) if past.source is Source.COMPOSED else f"{past.source} experience"


def _end(past: Transition) -> str:
    """Return what came of a memory; of a composed one that speaks for or against success, that is open."""
    terminated = str(past.terminated).lower()
    if has_open_end(past):
        return f"Reward: not known, yours to judge, terminated: {terminated}"
    if evidence(past):
        return "Reward and end: not known, yours to judge"
    return f"Reward: {past.reward:g}, terminated: {terminated}"


def _object(text: str) -> dict[str, Any] | None:
    """Return the first JSON object of a text that has a next_state, or None."""
    decoder = json.JSONDecoder(strict=False)  # models leave line breaks in their strings
    at = text.find("{")
    for _ in range(20):  # a bound: garbage may hold thousands of braces
        if at < 0:
            return None
        try:
            value, _ = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):  # ValueError also for a number of thousands of digits
            value = None
        if isinstance(value, dict) and "next_state" in value:
            return value
        at = text.find("{", at + 1)
    return None


def _salvage(text: str) -> dict[str, Any] | None:
    """Read an object that was cut off after its next_state; what is missing counts as no reward and no end."""
    state = _NEXT_STATE.search(text)
    if state is None:
        return None
    reasoning = _REASONING.search(text)
    try:
        return {
            "reasoning": json.loads(reasoning[1], strict=False) if reasoning else "",
            "next_state": json.loads(state[1], strict=False),
            "reward": 0,
            "terminated": False,
        }
    except ValueError:
        return None
