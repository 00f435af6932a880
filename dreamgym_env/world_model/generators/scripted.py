"""A generator whose answers a Python function writes: for tests and for measuring everything but the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dreamgym_env.types import Completion, Prompt, Sampling
from dreamgym_env.world_model.generators.batches import check_batch
from dreamgym_env.world_model.generators.stop_strings import cut_at_stop

__all__ = ["ScriptedGenerator"]


class ScriptedGenerator:
    """Answers every prompt with what ``function`` returns for it.

    Stop strings are honoured as in every engine.  Tokens are counted as words separated by white space;
    ``max_new_tokens`` does not shorten an answer, since a script has no tokens of its own.

    Args:
        function: text of the answer to one prompt; what it raises is raised by :meth:`generate`.
    """

    def __init__(self, function: Callable[[Prompt], str]) -> None:
        self._function = function

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int]) -> list[Completion]:
        """Answer every prompt, in order; ``seeds`` are ignored, since the function decides alone."""
        check_batch(prompts, seeds)
        return [self._answer(prompt, sampling) for prompt in prompts]

    def _answer(self, prompt: Prompt, sampling: Sampling) -> Completion:
        text = cut_at_stop(self._function(prompt), sampling.stop)
        words = len(prompt.system.split()) + len(prompt.user.split())
        return Completion(text, prompt_tokens=words, completion_tokens=len(text.split()))

    def close(self) -> None:
        """Nothing is held."""
