"""The world model proper: prompt format + text generator + parser."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Iterator, Sequence

from dreamgym_env.types import (
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

__all__ = ["LanguageWorldModel"]

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
        self._sampling = Sampling(
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            stop=prompt_format.stop,
            json_schema=prompt_format.json_schema,
        )

    @property
    def deterministic(self) -> bool:
        """Whether the same query with the same memories always gets the same answer."""
        return self._deterministic

    def predict(
        self, queries: Sequence[Query], memories: Sequence[Sequence[Memory]], seeds: Sequence[int]
    ) -> list[Prediction]:
        """Predict n outcomes with one call of the generator (and one more for each round of retries).

        A :class:`~dreamgym_env.types.StreamingGenerator` is sent each prompt as soon as it is built, and its answers
        are read as they come.

        Args:
            queries: n questions.
            memories: for each, the transitions it is grounded in, most similar first.
            seeds: n seeds for sampling.

        Returns:
            n predictions in order; one that could not be read has ``failure`` set and counts all tokens spent on it.

        Raises:
            WorldModelError: the engine as a whole cannot answer.
        """
        views: list[View] = []

        def prompts() -> Iterator[Prompt]:
            for query, found in zip(queries, memories, strict=True):
                views.append(self.format.viewer.view(query, found))
                yield self.format.prompt(views[-1])

        predictions = self._ask(prompts(), views, seeds, self._sampling)
        hot = dataclasses.replace(self._sampling, temperature=max(self._sampling.temperature, _RETRY_TEMPERATURE))
        for attempt in range(1, self.retries + 1):
            failed = [at for at, prediction in enumerate(predictions) if prediction.failure]
            if not failed:
                break
            asked = [views[at] for at in failed]
            again = self._ask(map(self.format.prompt, asked), asked, [seeds[at] + attempt for at in failed], hot)
            for at, prediction in zip(failed, again, strict=True):
                predictions[at] = _with_tokens(prediction, predictions[at])
        for prediction in predictions:
            if prediction.failure:
                _LOGGER.warning("A world model's answer could not be read: %s", prediction.failure)
        return predictions

    def close(self) -> None:
        """Close the generator."""
        self.generator.close()

    def _ask(
        self, prompts: Iterable[Prompt], views: Sequence[View], seeds: Sequence[int], sampling: Sampling
    ) -> list[Prediction]:
        """Return the predictions for ``views``, each of which need only be there once its prompt was drawn."""
        read = {at: self._read(views[at], answer) for at, answer in self._answers(prompts, sampling, list(seeds))}
        return [read[at] for at in range(len(views))]

    def _answers(
        self, prompts: Iterable[Prompt], sampling: Sampling, seeds: Sequence[int]
    ) -> Iterator[tuple[int, Completion]]:
        if isinstance(self.generator, StreamingGenerator):
            return self.generator.stream(prompts, sampling, seeds)
        return enumerate(self.generator.generate(list(prompts), sampling, seeds))

    def _read(self, view: View, completion: Completion) -> Prediction:
        try:
            prediction = (
                unreadable(view, f"The engine gave no answer: {completion.error}")
                if completion.error
                else self.format.parse(completion.text, view)
            )
        except AnswerError as error:
            prediction = unreadable(view, str(error))
        return dataclasses.replace(
            prediction,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
        )


def _with_tokens(prediction: Prediction, earlier: Prediction) -> Prediction:
    return dataclasses.replace(
        prediction,
        prompt_tokens=prediction.prompt_tokens + earlier.prompt_tokens,
        completion_tokens=prediction.completion_tokens + earlier.completion_tokens,
        attempts=prediction.attempts + earlier.attempts,
    )
