"""PPO in one file, in the style of CleanRL (Huang et al., 2022): torch alone, on ``gym.make_vec``.

    python examples/cleanrl_ppo.py --total-timesteps 50000 --out runs/cleanrl
    python examples/cleanrl_ppo.py --env-id DreamGymReal/WebShop-v0      # the same in the real environment
    python examples/cleanrl_ppo.py --start FOLDER    # goes on from what `dreamgym clone webshop --out FOLDER` learnt
    tensorboard --logdir runs/cleanrl                                    # if tensorboard is installed
    dreamgym compare webshop --agent "policy(runs/cleanrl)"

An action is the number of a candidate, an observation the vectors of the state and of its candidates; the network
scores each candidate.  The world model is asked once a step for all environments.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import deque
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.integrations.candidate_features import CandidateFeaturesVector
from dreamgym_env.policies.features import domain_features
from dreamgym_env.policies.policy import Policy
from dreamgym_env.policies.scorer import CandidateScorer


@dataclass
class Args:
    """Command-line options; the names are CleanRL's."""

    env_id: str = "DreamGym/WebShop-v0"
    eval_env_id: str = "DreamGymReal/WebShop-v0"
    """The real environment, whose test tasks say what was learnt."""
    eval_episodes: int = 100
    out: str = "runs/cleanrl"
    """Folder for the policy and for TensorBoard."""
    start: str = ""
    """Folder of a policy to go on from."""
    seed: int = 0
    torch_deterministic: bool = True
    total_timesteps: int = 50_000
    num_envs: int = 16
    num_steps: int = 64
    """Steps of each environment between two updates."""
    most_candidates: int = 20
    """Candidate actions of a state that are looked at; WebShop has 19 at most."""
    hidden: int = 128
    learning_rate: float = 3e-4
    anneal_lr: bool = True
    gamma: float = 0.99
    gae_lambda: float = 0.95
    num_minibatches: int = 4
    update_epochs: int = 4
    norm_adv: bool = True
    clip_coef: float = 0.2
    ent_coef: float = 0.01
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5
    target_kl: float = 0.0
    """Epochs end early above this KL divergence; 0 for never."""


def parse_args() -> Args:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for field in fields(Args):
        name, default = "--" + field.name.replace("_", "-"), field.default
        if isinstance(default, bool):
            parser.add_argument(name, action=argparse.BooleanOptionalAction, default=default)
        else:
            parser.add_argument(name, type=type(default), default=default)
    return Args(**vars(parser.parse_args()))


class Agent(nn.Module):
    """Actor and critic: a logit for each candidate, and the state's value."""

    def __init__(self, scorer: CandidateScorer) -> None:
        """Take the network that both share."""
        super().__init__()
        self.scorer = scorer

    def get_value(self, obs: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return values of shape (n,)."""
        return self.scorer(obs["state"], obs["candidates"], obs["mask"])[1]

    def get_action_and_value(
        self, obs: dict[str, torch.Tensor], action: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return actions, their log probabilities, entropies and values, each of shape (n,)."""
        logits, value = self.scorer(obs["state"], obs["candidates"], obs["mask"])
        probs = Categorical(logits=logits.clamp(min=-1e8))  # padding has no probability, and no gradient
        if action is None:
            action = probs.sample()
        return action, probs.log_prob(action), probs.entropy(), value


def tensors(obs: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Return an observation as tensors."""
    return {
        "state": torch.from_numpy(obs["state"]),
        "candidates": torch.from_numpy(obs["candidates"]),
        "mask": torch.from_numpy(obs["mask"].astype(bool)),
    }


def make_envs(env_id: str, args: Args, split: str) -> tuple[CandidateFeaturesVector, Policy]:
    """Return vector environments that begin anew in the step in which an episode ends, and a policy that fits them."""
    envs = gym.make_vec(env_id, num_envs=args.num_envs, autoreset_mode="SameStep", split=split)
    domain = envs.unwrapped.domain  # type: ignore[attr-defined]
    start = Policy.load(args.start, domain) if args.start else None
    features = start.settings if start else domain_features(domain)
    features = replace(features, most_candidates=args.most_candidates)
    policy = Policy(domain, features, start.hidden if start else args.hidden)
    if start:
        policy.scorer.load_state_dict(start.scorer.state_dict())
    return CandidateFeaturesVector(envs, features), policy


def evaluate(agent: Agent, envs: CandidateFeaturesVector, episodes: int, seed: int) -> float:
    """Return the share of episodes that an agent solves; the same seed gives the same tasks."""
    obs, _ = envs.reset(seed=seed)
    each = -(-episodes // envs.num_envs)  # the first ones of each environment, lest short episodes count more
    finished, solved = np.zeros(envs.num_envs, dtype=int), 0
    while (finished < each).any():
        with torch.no_grad():
            action, *_ = agent.get_action_and_value(tensors(obs))
        obs, rewards, terminations, truncations, _ = envs.step(action.numpy())
        ended = (terminations | truncations) & (finished < each)
        solved += int((rewards[ended] > 0).sum())
        finished += ended
    return solved / (each * envs.num_envs)


def main() -> None:
    """Train, and evaluate before and after."""
    args = parse_args()
    batch_size = args.num_envs * args.num_steps
    minibatch_size, num_iterations = batch_size // args.num_minibatches, args.total_timesteps // batch_size
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    torch.use_deterministic_algorithms(args.torch_deterministic)
    writer = make_writer(args)

    envs, policy = make_envs(args.env_id, args, "train")
    real, _ = make_envs(args.eval_env_id, args, "test")
    agent = Agent(policy.scorer)
    optimizer = torch.optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
    print(
        f"{args.eval_env_id}, before: {evaluate(agent, real, args.eval_episodes, args.seed):.2f} of test tasks solved"
    )

    # ALGO Logic: storage
    shape = (args.num_steps, args.num_envs)
    next_obs_array, _ = envs.reset(seed=args.seed)
    next_obs, next_done = tensors(next_obs_array), torch.zeros(args.num_envs)
    obs = {key: torch.zeros((args.num_steps, *value.shape), dtype=value.dtype) for key, value in next_obs.items()}
    actions = torch.zeros(shape, dtype=torch.long)
    logprobs, rewards, dones, values = (torch.zeros(shape) for _ in range(4))
    recent: deque[tuple[float, float]] = deque(maxlen=100)  # success and graded score of episodes
    global_step, start_time = 0, time.time()

    for iteration in range(1, num_iterations + 1):
        if args.anneal_lr:
            optimizer.param_groups[0]["lr"] = (1.0 - (iteration - 1) / num_iterations) * args.learning_rate

        for step in range(args.num_steps):
            global_step += args.num_envs
            for key, value in next_obs.items():
                obs[key][step] = value
            dones[step] = next_done
            with torch.no_grad():
                actions[step], logprobs[step], _, values[step] = agent.get_action_and_value(next_obs)
            next_obs_array, reward, terminations, truncations, infos = envs.step(actions[step].numpy())
            rewards[step] = torch.from_numpy(reward)
            for lane in np.flatnonzero(truncations & ~terminations):  # the episode would have gone on: add its value
                last = {key: value[None] for key, value in infos["final_obs"][lane].items()}
                with torch.no_grad():
                    rewards[step, lane] += args.gamma * agent.get_value(tensors(last))[0]
            ended = terminations | truncations
            if ended.any():
                final = infos["final_info"]
                recent.extend(zip(final["won"][ended], final["task_score"][ended], strict=True))
            next_obs, next_done = tensors(next_obs_array), torch.from_numpy(ended).float()

        # bootstrap value if not done
        with torch.no_grad():
            next_value = agent.get_value(next_obs)
        advantages, lastgaelam = torch.zeros(shape), torch.zeros(args.num_envs)
        for t in reversed(range(args.num_steps)):
            last_step = t == args.num_steps - 1
            nextnonterminal = 1.0 - (next_done if last_step else dones[t + 1])
            nextvalues = next_value if last_step else values[t + 1]
            delta = rewards[t] + args.gamma * nextvalues * nextnonterminal - values[t]
            lastgaelam = delta + args.gamma * args.gae_lambda * nextnonterminal * lastgaelam
            advantages[t] = lastgaelam
        returns = advantages + values

        # flatten the batch
        b_obs = {key: value.flatten(0, 1) for key, value in obs.items()}
        b_actions, b_logprobs, b_advantages, b_returns, b_values = (
            value.flatten() for value in (actions, logprobs, advantages, returns, values)
        )

        # Optimizing the policy and value network
        clipfracs = []
        for _ in range(args.update_epochs):
            for mb_inds in torch.randperm(batch_size).split(minibatch_size):
                mb_obs = {key: value[mb_inds] for key, value in b_obs.items()}
                _, newlogprob, entropy, newvalue = agent.get_action_and_value(mb_obs, b_actions[mb_inds])
                logratio = newlogprob - b_logprobs[mb_inds]
                ratio = logratio.exp()
                with torch.no_grad():
                    # calculate approx_kl http://joschu.net/blog/kl-approx.html
                    approx_kl = ((ratio - 1) - logratio).mean()
                    clipfracs.append(((ratio - 1.0).abs() > args.clip_coef).float().mean().item())
                mb_advantages = b_advantages[mb_inds]
                if args.norm_adv:
                    mb_advantages = (mb_advantages - mb_advantages.mean()) / (mb_advantages.std() + 1e-8)

                # Policy loss
                clipped = ratio.clamp(1 - args.clip_coef, 1 + args.clip_coef)
                pg_loss = torch.max(-mb_advantages * ratio, -mb_advantages * clipped).mean()

                # Value loss, clipped
                v_clipped = b_values[mb_inds] + (newvalue - b_values[mb_inds]).clamp(-args.clip_coef, args.clip_coef)
                v_losses = [(value - b_returns[mb_inds]) ** 2 for value in (newvalue, v_clipped)]
                v_loss = 0.5 * torch.max(*v_losses).mean()

                entropy_loss = entropy.mean()
                loss = pg_loss - args.ent_coef * entropy_loss + v_loss * args.vf_coef
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
                optimizer.step()
            if args.target_kl and approx_kl > args.target_kl:
                break

        var_y = b_returns.var()
        figures = {
            "charts/learning_rate": optimizer.param_groups[0]["lr"],
            "charts/SPS": int(global_step / (time.time() - start_time)),
            "charts/success_rate": float(np.mean([won for won, _ in recent])) if recent else 0.0,
            "charts/task_score": float(np.mean([score for _, score in recent])) if recent else 0.0,
            "losses/value_loss": v_loss.item(),
            "losses/policy_loss": pg_loss.item(),
            "losses/entropy": entropy_loss.item(),
            "losses/approx_kl": approx_kl.item(),
            "losses/clipfrac": float(np.mean(clipfracs)),
            "losses/explained_variance": (1 - (b_returns - b_values).var() / var_y).item() if var_y else 0.0,
        }
        if writer is not None:
            for name, figure in figures.items():
                writer.add_scalar(name, figure, global_step)
        print(f"step {global_step:,}: " + ", ".join(f"{name.split('/')[1]} {figures[name]:.4g}" for name in figures))

    solved = evaluate(agent, real, args.eval_episodes, args.seed)
    print(f"{args.eval_env_id}, after {global_step:,} steps in {args.env_id}: {solved:.2f} of test tasks solved")
    policy.save(args.out, notes={"trained": {"algorithm": "examples/cleanrl_ppo.py", **asdict(args)}})
    print(f'The policy is in {args.out}: dreamgym compare {policy.domain.name} --agent "policy({args.out})"')
    envs.close()
    real.close()


def make_writer(args: Args) -> Any:
    """Return a writer for TensorBoard, or None where that is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print("tensorboard is not installed: the figures are printed only.")
        return None
    writer = SummaryWriter(args.out)
    rows = "\n".join(f"|{name}|{value}|" for name, value in asdict(args).items())
    writer.add_text("hyperparameters", f"|param|value|\n|-|-|\n{rows}")
    return writer


if __name__ == "__main__":
    main()
