"""The world model proper: prompt format + text generator + parser."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dreamgym_env.batch_stream import BatchStream
from dreamgym_env.types import (
    AnswerStream,
    Completion,
    Memory,
    Prediction,
    Prompt,
    Query,
    Sampling,
    StreamingGenerator,
    TextGenerator,
)
from dreamgym_env.world_model.formats import AnswerError, PromptFormat, unreadable
from dreamgym_env.world_model.view import View

__all__ = ["LanguagePredictions", "LanguageWorldModel"]

_LOGGER = logging.getLogger(__name__)
_RETRY_TEMPERATURE = 0.7  # greedy decoding would only repeat the answer that could not be read


class LanguageWorldModel:
    """A language model as a world model."""

    def __init__(
        self,
        prompt_format: PromptFormat,
        generator: TextGenerator,
        *,
        temperature: float = 0.0,
        max_new_tokens: int = 1024,
        retries: int = 1,
        deterministic: bool = True,
    ) -> None:
        """Put a format and a generator together.

        Args:
            prompt_format: writes the questions and reads the answers.
            generator: answers a batch of prompts.
            temperature: 0 is greedy.
            max_new_tokens: bound on an answer's length.
            retries: how often an answer that cannot be read is asked for again, before the prediction is a failure.
            deterministic: whether the generator gives the same answer to the same prompt at temperature 0.

        Raises:
            ValueError: a number is out of its range.
        """
        if not 0 <= temperature < float("inf"):
            raise ValueError(f"temperature must be a number of at least 0, not {temperature!r}.")
        if max_new_tokens < 1 or retries < 0:
            raise ValueError(
                f"max_new_tokens must be at least 1 and retries at least 0, not {max_new_tokens!r} and {retries!r}."
            )
        self.format = prompt_format
        self.generator = generator
        self.retries = retries
        self._deterministic = deterministic and temperature == 0
        self.sampling = Sampling(
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            stop=prompt_format.stop,
            json_schema=prompt_format.json_schema,
        )
        hot = max(temperature, _RETRY_TEMPERATURE)
        self.retry_sampling = dataclasses.replace(self.sampling, temperature=hot)

    @property
    def deterministic(self) -> bool:
        """Whether the same query with the same memories always gets the same answer."""
        return self._deterministic

    def predict(
        self, queries: Sequence[Query], memories: Sequence[Sequence[Memory]], seeds: Sequence[int]
    ) -> list[Prediction]:
        """Predict n outcomes with one call of the generator (and one more for each round of retries).

        A :class:`~dreamgym_env.types.StreamingGenerator` is sent each prompt as soon as it is built.

        Args:
            queries: n questions.
            memories: for each, the transitions it is grounded in, most similar first.
            seeds: n seeds for sampling.

        Returns:
            n predictions in order; one that could not be read has ``failure`` set and counts all tokens spent on it.

        Raises:
            WorldModelError: the engine as a whole cannot answer.
        """
        with contextlib.closing(self.open()) as stream:
            tickets = [stream.submit(*question) for question in zip(queries, memories, seeds, strict=True)]
            found: dict[int, Prediction] = {}
            while len(found) < len(tickets):
                found.update(stream.receive())
        return [found[ticket] for ticket in tickets]

    def open(self) -> LanguagePredictions:
        """Open a stream of predictions, for a caller who has further queries before all answers have come.

        Raises:
            WorldModelError: the generator was closed.
        """
        return LanguagePredictions(self)

    def answers(self) -> AnswerStream:
        """Open a stream of the generator's answers, be it a streaming one or not."""
        if isinstance(self.generator, StreamingGenerator):
            return self.generator.open()
        return BatchStream(self._generate)

    def close(self) -> None:
        """Close the generator."""
        self.generator.close()

    def _generate(self, questions: Sequence[tuple[Prompt, Sampling, int]]) -> list[Completion]:
        """Answer questions with one call, and one more where some are asked again."""
        answers: dict[int, Completion] = {}
        for sampling in (self.sampling, self.retry_sampling):
            places = [at for at, (_, asked, _) in enumerate(questions) if asked is sampling]
            if places:
                prompts, seeds = [questions[at][0] for at in places], [questions[at][2] for at in places]
                answers.update(zip(places, self.generator.generate(prompts, sampling, seeds), strict=True))
        return [answers[at] for at in range(len(questions))]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query on its way."""

    ticket: int
    view: View
    seed: int
    failed: Prediction | None = None
    """What the attempts so far came to."""

    @property
    def attempts(self) -> int:
        """How many have failed."""
        return self.failed.attempts if self.failed else 0


class LanguagePredictions:
    """A :class:`~dreamgym_env.types.PredictionStream` of a language model.

    An answer that cannot be read is asked for again, while others go their way.
    """

    def __init__(self, model: LanguageWorldModel) -> None:
        """Open a stream of a model's predictions."""
        self._model = model
        self._answers = model.answers()
        self._asked: dict[int, _Asked] = {}
        """By the ticket of the answer that is awaited; a query keeps the ticket of its first attempt."""

    def submit(self, query: Query, memories: Sequence[Memory], seed: int, /) -> int:
        """Write the prompt and ask. Raises WorldModelError where the stream has ended."""
        view = self._model.format.viewer.view(query, memories)
        ticket = self._answers.submit(self._model.format.prompt(view), self._model.sampling, seed)
        self._asked[ticket] = _Asked(ticket, view, seed)
        return ticket

    def receive(self, timeout: float | None = None) -> list[tuple[int, Prediction]]:
        """Return what was read since; waits for the first answer, ``timeout`` seconds at most.

        Nothing is returned where nothing was awaited, nothing came in time, or all that came is asked for again.
        """
        return list(self._read(self._answers.receive(timeout)))

    def close(self) -> None:
        """Drop what was not received; calling it twice is allowed."""
        self._asked.clear()
        self._answers.close()

    def _read(self, answers: Sequence[tuple[int, Completion]]) -> Iterator[tuple[int, Prediction]]:
        for ticket, completion in answers:
            asked = self._asked.pop(ticket)
            prediction = self._prediction(asked, completion)
            if not prediction.failure:
                yield asked.ticket, prediction
            elif prediction.attempts <= self._model.retries:
                self._ask_again(dataclasses.replace(asked, failed=prediction))
            else:
                _LOGGER.warning("A world model's answer could not be read: %s", prediction.failure)
                yield asked.ticket, prediction

    def _ask_again(self, asked: _Asked) -> None:
        hot = self._model.retry_sampling
        ticket = self._answers.submit(self._model.format.prompt(asked.view), hot, asked.seed + asked.attempts)
        self._asked[ticket] = asked

    def _prediction(self, asked: _Asked, completion: Completion) -> Prediction:
        """Read an answer; tokens and attempts are those of all attempts together."""
        written_by = self._model.format
        try:
            prediction = (
                unreadable(asked.view, f"The engine gave no answer: {completion.error}")
                if completion.error
                else written_by.parse(completion.text, asked.view)
            )
        except AnswerError as error:
            prediction = unreadable(asked.view, str(error))
        earlier = asked.failed
        return dataclasses.replace(
            prediction,
            prompt_tokens=completion.prompt_tokens + (earlier.prompt_tokens if earlier else 0),
            completion_tokens=completion.completion_tokens + (earlier.completion_tokens if earlier else 0),
            attempts=asked.attempts + 1,
        )
