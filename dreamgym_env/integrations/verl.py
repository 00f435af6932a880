"""verl on dreams and real environments: an agent loop (``pip install "dreamgym_env[verl]"``).

An episode is one trajectory of several turns; ids only ever grow, and the environment's are masked.  Name the loop in
the file of ``actor_rollout_ref.rollout.agent.agent_loop_config_path``::

    - name: dreamgym
      _target_: dreamgym_env.integrations.verl.DreamAgentLoop
      env_id: DreamGym/WebShop-v0
      settings: {world_model: "openai:Qwen/Qwen2.5-7B-Instruct@http://127.0.0.1:8000/v1"}

and train on ``pandas.DataFrame(dataset_rows("webshop")).to_parquet("train.parquet")``.  All episodes of a worker share
one pool, and those who wait are answered in one batch.  ``rollout.n`` samples of a row begin with the same state.  The
reward is 1 at success, else 0; no reward function is needed.  verl's fork verl-agent has
:mod:`dreamgym_env.integrations.verl_agent`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from dreamgym_env.domains import load_domain
from dreamgym_env.envs.episode_pool import shared_pool
from dreamgym_env.errors import TrainingError
from dreamgym_env.integrations.conversation import Conversation, Heard, task_rows
from dreamgym_env.integrations.requirements import require

VERSIONS = ">=0.9.1,<0.10"
"""Of verl: earlier ones assemble the tokens of a trajectory otherwise."""
require("verl", VERSIONS, "verl")

from verl.experimental.agent_loop.agent_loop import (  # noqa: E402 - after the check of its version
    AgentLoopBase,
    AgentLoopMetrics,
    AgentLoopOutput,
)
from verl.utils.profiler import simple_timer  # noqa: E402

__all__ = ["DreamAgentLoop", "dataset_rows"]


class DreamAgentLoop(AgentLoopBase):
    """Plays one episode; verl makes one for each trajectory."""

    def __init__(
        self,
        *args: Any,
        env_id: str = "DreamGym/WebShop-v0",
        settings: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Take part in the worker's pool.

        ``env_id`` and ``settings`` are those of :func:`~dreamgym_env.envs.episode_pool.open_pool`, which says what is
        raised; all others are verl's.
        """
        super().__init__(*args, **kwargs)
        self._pool = shared_pool(env_id, **{str(name): value for name, value in dict(settings or {}).items()})

    async def run(self, sampling_params: dict[str, Any], **kwargs: Any) -> AgentLoopOutput:
        """Play an episode of the row's task until it ends, or the tokens or turns that verl allows are used up.

        Raises:
            TrainingError: the row names no task.
            WorldModelError: the world model as a whole cannot answer.
        """
        task_id = (kwargs.get("extra_info") or {}).get("task_id")
        if not isinstance(task_id, str):
            raise TrainingError("The row names no task: train on dataset_rows(), whose extra_info has a 'task_id'.")
        conversation = Conversation(self._pool.domain, await self._pool.begin_async(task_id=task_id))
        messages: list[dict[str, Any]] = [*conversation.opening]
        ids = await self.ct_build_initial_tokens(messages)
        start, most = len(ids), self.rollout_config.response_length
        mask: list[int] = []
        logprobs: list[float] | None = None
        timing: dict[str, Any] = {}
        heard: list[Heard] = []
        replies, request = 0, uuid4().hex  # one request id: the engine keeps the prefix
        told: dict[str, Any] = {}
        while len(mask) < most:
            with simple_timer("generate_sequences", timing):
                output = await self.server_manager.generate(
                    request_id=request, prompt_ids=ids, sampling_params=sampling_params
                )
            told.update(output.extra_fields)
            replies += 1
            logprobs = [] if output.log_probs and not mask else logprobs
            merged, mask, logprobs = await self.ct_merge_assistant_token(
                ids, output.token_ids, mask, logprobs, assistant_logprobs=output.log_probs or None
            )
            ids = merged.token_ids
            text = self.tokenizer.decode(output.token_ids, skip_special_tokens=True)
            with simple_timer("tool_calls", timing):
                heard.append(await conversation.reply_async(text))
            if heard[-1].done or replies == self.rollout_config.multi_turn.max_assistant_turns:
                break
            said = [*messages, {"role": "assistant", "content": text}]
            messages = [*said, heard[-1].message]
            merged, mask, logprobs = await self.ct_merge_context_msg(said, messages, ids, mask, logprobs)
            ids = merged.token_ids
        return AgentLoopOutput(
            prompt_ids=ids[:start],
            response_ids=ids[start:][:most],
            response_mask=mask[:most],
            response_logprobs=logprobs and logprobs[:most],
            reward_score=sum(one.reward for one in heard),
            num_turns=2 * replies + 1,
            metrics=AgentLoopMetrics(**timing),
            extra_fields={**told, **_facts(heard)},
        )


def _facts(heard: list[Heard]) -> dict[str, Any]:
    """Return what verl keeps of an episode beside its tokens."""
    last = heard[-1].info
    share = sum(one.info["well_formed"] for one in heard) / len(heard)
    extra = {"won": float(last["won"]), "task_score": last["task_score"], "well_formed": share}
    return {"turn_scores": [one.reward for one in heard], "tool_rewards": [], "reward_extra_info": extra}


def dataset_rows(
    domain: str, split: str = "train", n: int | None = None, *, name: str = "dreamgym"
) -> list[dict[str, Any]]:
    """Return the tasks of a split as rows of verl's data sets.

    Args:
        domain: such as ``"webshop"``.
        split: of the domain.
        n: how many tasks; None for all.
        name: of the agent loop.

    Raises:
        UnknownDomainError, UnknownTaskError: no such domain or split.
    """
    return [
        {
            "data_source": f"dreamgym/{domain}",
            "agent_name": name,
            "prompt": row["prompt"],
            "reward_model": {"style": "rule", "ground_truth": ""},
            "extra_info": {"index": index, "split": split, "task_id": row["task_id"]},
        }
        for index, row in enumerate(task_rows(load_domain(domain), split, n))
    ]
