"""vLLM inside this process: continuous batching, prefix caching and structured output on a GPU (or a CPU)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dreamgym_env.errors import MissingDependencyError, WorldModelError
from dreamgym_env.types import Completion, Prompt, Sampling
from dreamgym_env.world_model.generators.batches import check_batch
from dreamgym_env.world_model.generators.prompt_encoder import PromptEncoder
from dreamgym_env.world_model.generators.stop_strings import cut_at_stop

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["VLLMGenerator"]


class VLLMGenerator:
    """Answers a whole batch by one call of vLLM's engine.

    Answers follow ``Sampling.json_schema`` where it is given, prompts share the engine's prefix cache, and each prompt
    is sampled with its own seed.  Greedy answers may still change with the batch, in the last bits of floating point.

    Args:
        model: id on the Hugging Face hub, or path of a folder in its format.
        chat: whether to use the tokenizer's chat template; None means "when there is one".
        chat_options: variables for the chat template, for example ``{"enable_thinking": False}``.
        engine_args: keywords of ``vllm.LLM``, for example ``tensor_parallel_size=2``,
            ``gpu_memory_utilization=0.5``, ``max_model_len=8192``, or for guesses copied from the prompt
            ``speculative_config={"method": "ngram", "num_speculative_tokens": 8, "prompt_lookup_max": 4}``.  A model
            that fills its JSON with white space needs
            ``structured_outputs_config={"backend": "xgrammar", "disable_any_whitespace": True}``.

    Raises:
        MissingDependencyError: vLLM is not installed.
        WorldModelError: the engine does not start.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        chat: bool | None = None,
        chat_options: Mapping[str, Any] | None = None,
        **engine_args: Any,
    ) -> None:
        try:
            import vllm
        except ImportError as error:
            raise MissingDependencyError(
                "The vllm generator needs vLLM, which cannot be imported here "
                f"({error}). Install it with: pip install 'dreamgym_env[vllm]'"
            ) from error
        try:
            self._engine: Any = vllm.LLM(model=str(model), **{"disable_log_stats": True, **engine_args})
        except Exception as error:  # the engine's start raises nearly anything, partly from its own processes
            raise WorldModelError(
                f"vLLM could not start with the model {model}: {error} Check the path or id, and whether the device's "
                "memory suffices (gpu_memory_utilization, max_model_len)."
            ) from error
        self._encoder = PromptEncoder(self._engine.get_tokenizer(), chat, chat_options)
        self._context: int = self._engine.llm_engine.model_config.max_model_len

    def generate(self, prompts: Sequence[Prompt], sampling: Sampling, seeds: Sequence[int]) -> list[Completion]:
        """Answer every prompt, in order; one that leaves no room in the model's context gets an error.

        Raises:
            WorldModelError: the generator was closed, or the engine died.
        """
        check_batch(prompts, seeds)
        if self._engine is None:
            raise WorldModelError("This generator was closed; make a new one to generate again.")
        encoded = self._encoder.encode(prompts)
        rows = [index for index, ids in enumerate(encoded) if 0 < len(ids) < self._context]
        completions = [self._unanswerable(ids) for ids in encoded]
        if rows:
            try:
                outputs = self._engine.generate(
                    [{"prompt_token_ids": encoded[index]} for index in rows],
                    [_sampling_params(sampling, seeds[index]) for index in rows],
                    use_tqdm=False,
                )
            except Exception as error:  # a dead engine says so in many ways
                raise WorldModelError(f"vLLM's engine failed: {error} Make a new generator to go on.") from error
            for index, output in zip(rows, outputs, strict=True):
                completions[index] = _completion(output, sampling)
        return completions

    def close(self) -> None:
        """Stop the engine and release the device's memory."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.llm_engine.engine_core.shutdown()

    def _unanswerable(self, ids: Sequence[int]) -> Completion:
        reason = (
            f"The prompt has {len(ids)} tokens, and the model's context holds {self._context} together with the "
            "answer; shorten the history or retrieve fewer memories."
            if ids
            else "The prompt is empty, and this model needs at least one token to start from."
        )
        return Completion("", prompt_tokens=len(ids), error=reason)


def _sampling_params(sampling: Sampling, seed: int) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    schema = sampling.json_schema
    return SamplingParams(
        max_tokens=sampling.max_new_tokens,
        temperature=sampling.temperature,
        stop=[string for string in sampling.stop if string],
        seed=seed % 2**63,
        structured_outputs=None if schema is None else StructuredOutputsParams(json=dict(schema)),
    )


def _completion(output: Any, sampling: Sampling) -> Completion:
    answer = output.outputs[0]
    return Completion(
        cut_at_stop(answer.text, sampling.stop),
        prompt_tokens=len(output.prompt_token_ids),
        completion_tokens=len(answer.token_ids),
    )
