"""Recorded: any text environment, dreamt from nothing but a file of its transitions.

``gym.make("DreamGym/Recorded-v0", experience="my_env.jsonl.gz")``.  The wrapper
:class:`~dreamgym_env.envs.record.RecordTransitions` around an environment of one's own writes the file.

**Task.** One for each task id of the file, with its instruction, its split, and the state in which it began.

**Actions.** Any text; white space is normalised.  What a state offers is what recordings of that page offered, or did
there; else of the most similar page (:class:`~.candidates.RecordedActions`).

**States.** The environment's own texts, split into lines and sentences.

**Rewards.** 1 where the world model says that the task is done, else 0: no program can check it here.

**End.** When the world model says so, and after as many actions as the longest recorded episode has;
``gym.make(..., max_episode_steps=)`` takes another number.

**Ids.** ``DreamGym/Recorded-v0``.  The real counterpart is the environment that was recorded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from dreamgym_env.domains.recorded.candidates import RecordedActions
from dreamgym_env.domains.recorded.composer import ExplainingComposer
from dreamgym_env.domains.recorded.undescribed import Undescribed
from dreamgym_env.errors import ExperienceFormatError, KeywordError, UnknownTaskError
from dreamgym_env.memory.experience import read_domain_transitions
from dreamgym_env.types import Composer, Memory, Source, Task, Transition, Turn

__all__ = ["Recorded"]

_RULES = """\
- Nothing is known of this environment but what the memories show. It is the same environment in all of them.
- The same action on the same page leads to what a memory of it shows, unless what happened in this episode since, or \
what this task has otherwise, speaks against it.
- Whatever the action does not touch stays as it is, word for word.
- An action that the environment does not understand, or that is not possible now, gets the kind of answer that it got \
in the memories.
- The episode ends when the task is done (success), or where memories of such an action end (failure)."""


class Recorded(Undescribed):
    """The domain."""

    rules = _RULES

    def __init__(self, experience: str | os.PathLike[str] | None = None) -> None:
        """Read the recorded transitions; the domain bears the name that they have.

        Args:
            experience: the transitions file.

        Raises:
            KeywordError: no file is named.
            ExperienceFormatError: there is no such file, it holds no transitions, or those of several domains, or it is
                none.
        """
        if experience is None:
            raise KeywordError(
                "A recorded environment needs experience=, the transitions file that is all that is known of it, for "
                'example experience="my_env.jsonl.gz". RecordTransitions(env, "my_env.jsonl.gz") around your '
                "environment writes one."
            )
        if not isinstance(experience, (str, os.PathLike)):
            raise KeywordError(f"experience takes the path of a transitions file, not {type(experience).__name__}.")
        try:
            transitions = read_domain_transitions(experience)
        except OSError as error:
            raise ExperienceFormatError(
                f"The experience {os.fspath(experience)!r} cannot be read ({error.strerror}). RecordTransitions(env, "
                "path) around your environment writes such a file."
            ) from error
        self._path = os.fspath(experience)
        self.name = transitions[0].domain
        self.max_episode_steps = 1 + max(step.step for step in transitions)
        self._actions = RecordedActions(transitions)
        self._tasks: dict[str, Task] = {}
        self._splits: dict[str, list[str]] = {}
        for step in transitions:
            if step.task_id not in self._tasks:
                self._tasks[step.task_id] = _task(step)
                self._splits.setdefault(step.split, []).append(step.task_id)

    def splits(self) -> tuple[str, ...]:
        """Return the splits of the recorded tasks."""
        return tuple(self._splits)

    def task_ids(self, split: str) -> Sequence[str]:
        """Return the ids of a split's tasks in the order of the file. Raises UnknownTaskError."""
        if split not in self._splits:
            raise UnknownTaskError(
                f"{self._path} holds no task of the split {split!r:.80}; its splits are: {', '.join(self._splits)}. "
                "Say which with split=."
            )
        return self._splits[split]

    def task(self, task_id: str) -> Task:
        """Return a task. Raises UnknownTaskError."""
        if task_id not in self._tasks:
            first = next(iter(self._tasks))
            raise UnknownTaskError(
                f"{self._path} holds no task {task_id!r:.80}; it holds {len(self._tasks)}, the first is {first!r:.80}."
            )
        return self._tasks[task_id]

    def available_actions(self, task: Task, history: Sequence[Turn], state: str) -> tuple[str, ...]:
        """Return what recordings of that page, or of the most similar one, offered or did."""
        return self._actions.of(task, state)

    def parse_action(self, action: str) -> str | None:
        """Return an action with its white space normalised; None where nothing else is in it."""
        return " ".join(action.split()) or None

    def composer(self, experience: Callable[[], Iterator[Transition]]) -> Composer:
        """Return what composes answers by what has explained such answers before; see :mod:`.composer`."""
        return ExplainingComposer(self, experience)

    def teach(self, transition: Transition, memories: Sequence[Memory]) -> Transition:
        """Return a recorded step with a reason, its own or what can be said of any, and what can be known of its text.

        What no page of the episode and no memory holds, such as a room that nobody has entered, cannot be known.  Where
        that is more than half of the text, and an answer was composed, then that is the one to learn.
        """
        told = next((memory.transition for memory in memories if memory.transition.source is Source.COMPOSED), None)
        if told is not None:
            pages = [(turn.state, transition.instruction) for turn in transition.history]
            pages.append((transition.state, transition.instruction))
            pages.extend((memory.transition.next_state, memory.transition.instruction) for memory in memories)
            known = {segment for text, instruction in pages for segment in self.segment(text, instruction)}
            answer = self.segment(transition.next_state, transition.instruction)
            if sum(len(segment) for segment in answer if segment in known) < sum(map(len, answer)) / 2:
                transition = replace(transition, next_state=told.next_state)
        return replace(transition, reasoning=transition.reasoning or self.explain(transition))

    def explain(self, transition: Transition) -> str:
        """Return in a sentence what can be said of any environment: whether the episode ends, and the text changes."""
        if transition.terminated:
            return "It completes the task." if transition.reward > 0 else "It ends the episode without success."
        if not transition.valid:
            return "The action is not possible here, and the environment says so."
        if transition.next_state == transition.state:
            return "The episode goes on, and nothing changes."
        if self.page_kind(transition.next_state) == self.page_kind(transition.state):
            return "The episode goes on, and the text changes."
        return "The episode goes on with another text."

    def seed_experience(self) -> str:
        """Return the path of the file itself."""
        return self._path


def _task(step: Transition) -> Task:
    """Return the task of which a step is the first that was recorded."""
    return Task(
        id=step.task_id,
        domain=step.domain,
        instruction=step.instruction,
        initial_state=step.history[0].state if step.history else step.state,
        split=step.split,
        parent=step.parent,
    )
