"""Asking a text generator questions whose answers may be unreadable: a bounded number of times, and never made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from dreamgym_env.masking import mask_secrets
from dreamgym_env.types import Prompt, Sampling, TextGenerator
from dreamgym_env.world_model.formats import AnswerError

__all__ = ["Asker", "Question", "Tally", "Unread"]

_RETRY_TEMPERATURE = 0.7
"""Greedy decoding would only repeat the answer that could not be read."""

T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """What asking has cost so far."""

    invalid_answers: int = 0
    """Answers that could not be read, and prompts without an answer."""
    retries: int = 0
    """Prompts that were asked again for that reason."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    last_problem: str = ""
    """Why the last of the invalid answers could not be read."""


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """A prompt, and how its answer is read."""

    prompt: Prompt
    read: Callable[[str], T]
    """Reads an answer or raises AnswerError."""
    key: tuple[int, ...]
    """Tells it from all other questions; the seeds of answers that are asked for again follow from it."""


@dataclass(frozen=True, slots=True)
class Unread:
    """No attempt gave an answer that can be read."""

    reason: str
    """Why the last attempt could not be read; without secrets."""


class Asker:
    """Puts questions to a generator and keeps count."""

    def __init__(self, generator: TextGenerator, *, seed: int = 0, retries: int = 2) -> None:
        """Choose the generator.

        Args:
            generator: answers a batch of prompts; :meth:`close` closes it.
            seed: of the sampling of answers that are asked for again; first answers are greedy.
            retries: how often an answer that cannot be read is asked for again.
        """
        self.tally = Tally()
        self._generator = generator
        self._seed = seed
        self._retries = retries

    def ask(self, questions: Sequence[Question[T]], schema: Mapping[str, Any], max_new_tokens: int) -> list[T | Unread]:
        """Return what was read of the answer to each question, in order.

        Args:
            questions: asked in one batch; those without a readable answer once more, and so on.
            schema: JSON schema of an answer, for engines with structured output.
            max_new_tokens: room for one answer.

        Raises:
            WorldModelError: the engine as a whole cannot answer.
        """
        answers: list[T | Unread] = [Unread("It was not asked.") for _ in questions]
        waiting = list(range(len(questions)))
        for attempt in range(self._retries + 1):
            if not waiting:
                break
            self.tally.retries += len(waiting) if attempt else 0
            completions = self._generator.generate(
                [questions[at].prompt for at in waiting],
                Sampling(max_new_tokens, _RETRY_TEMPERATURE if attempt else 0.0, json_schema=schema),
                [self._seed_of(questions[at].key, attempt) for at in waiting],
            )
            unread = []
            for at, completion in zip(waiting, completions, strict=True):
                self.tally.prompt_tokens += completion.prompt_tokens
                self.tally.completion_tokens += completion.completion_tokens
                try:
                    if completion.error:
                        raise AnswerError(f"The engine gave no answer: {completion.error}")
                    answers[at] = questions[at].read(completion.text)
                except AnswerError as error:
                    self.tally.invalid_answers += 1
                    self.tally.last_problem = mask_secrets(str(error))
                    answers[at] = Unread(self.tally.last_problem)
                    unread.append(at)
            waiting = unread
        return answers

    def close(self) -> None:
        """Close the generator."""
        self._generator.close()

    def _seed_of(self, key: tuple[int, ...], attempt: int) -> int:
        return int(np.random.SeedSequence([self._seed, *key, attempt]).generate_state(1)[0])
