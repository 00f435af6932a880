"""Behaviour cloning: a policy from what recorded successes did.

Every step of an episode that succeeded is an example: of the candidates of its state, the one taken is right.  Steps
that no candidate stands for (a typed text that the instruction does not hold) and those that the state did not offer
are left out, and counted.  The value head learns nothing here: successes alone do not show what a state is worth.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from dreamgym_env.errors import PolicyError
from dreamgym_env.memory.experience import read_domain_transitions
from dreamgym_env.policies.candidates import find_candidate
from dreamgym_env.policies.features import Encoded, FeatureSettings, Featuriser, Situation, action_kinds
from dreamgym_env.policies.policy import Policy
from dreamgym_env.policies.scorer import CandidateScorer, pad
from dreamgym_env.training.randomness import own_randomness
from dreamgym_env.types import Domain, Task, Transition

__all__ = ["CloneReport", "CloningOptions", "Example", "clone", "read_examples"]


@dataclass(frozen=True, slots=True)
class CloningOptions:
    """How a policy is cloned."""

    epochs: int = 12
    batch_size: int = 32
    learning_rate: float = 1e-3
    """Peak of the cosine schedule."""
    weight_decay: float = 1e-2
    hidden: int = 128
    dropout: float = 0.3
    directness: float = 4.0
    """How much more a short success counts than a long one, which holds detours: an episode longer than the median
    counts (median / its length) to this power. 0 lets all count the same."""
    held_out: float = 0.1
    """Share of the episodes that accuracy is measured on."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges. Raises ValueError."""
        if self.epochs < 1 or self.batch_size < 1 or self.hidden < 1:
            raise ValueError("epochs, batch_size and hidden must be at least 1.")
        if not 0 < self.held_out < 1 or not 0 < self.learning_rate < 1 or not 0 <= self.dropout < 1:
            raise ValueError("held_out, learning_rate and dropout must lie between 0 and 1.")
        if self.directness < 0:
            raise ValueError("directness must be at least 0.")


@dataclass(frozen=True, slots=True)
class Example:
    """A state, its candidates, and which of them was taken."""

    encoded: Encoded
    taken: int
    episode: str


@dataclass(frozen=True, slots=True)
class CloneReport:
    """What came of a cloning."""

    path: str
    domain: str
    experience: str
    """File of the transitions that were cloned."""
    episodes: int
    """Successful episodes in it."""
    examples: int
    left_out: int
    """Steps of those episodes that no candidate stands for."""
    parameters: int
    epochs: int
    loss: float
    """Mean over the last epoch, in nats an action."""
    accuracy: float
    """Share of actions of the held-out episodes that the policy takes too."""
    held_out_episodes: int
    held_out_examples: int
    chance: float
    """What a policy that chooses at random among the candidates would reach on them."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return all figures as JSON values."""
        return asdict(self)


def clone(
    domain: Domain,
    experience: str | Path,
    out: str | Path,
    options: CloningOptions | None = None,
    *,
    progress: bool = True,
) -> CloneReport:
    """Train a policy to do what the successful episodes of a file did, and write it to a folder.

    The same file, options and machine give the same weights.

    Args:
        domain: what the episodes were played in.
        experience: transitions file; whole episodes.
        out: folder for the policy; one that is there is replaced.
        options: of the training.
        progress: show progress bars (on a terminal only).

    Raises:
        ExperienceFormatError: the file cannot be read, or holds none of this domain.
        PolicyError: it holds too few successes to learn from.
    """
    options = options or CloningOptions()
    began = time.perf_counter()
    transitions = successes(read_domain_transitions(experience, domain.name))
    settings = FeatureSettings(action_kinds(domain, transitions))
    examples = read_examples(domain, transitions, Featuriser(domain, settings), progress=progress)
    train, held_out = _split(examples, options)
    if not train or not held_out:
        raise PolicyError(
            f"{experience} holds {len({step.episode for step in transitions})} successful episodes of {domain.name!r}, "
            "which are too few to learn from: record more, for example with `dreamgym record` and an oracle."
        )
    with own_randomness(options.seed):
        policy = Policy(domain, settings, options.hidden, options.dropout)
        loss = _fit(policy.scorer, train, options, progress=progress)
    accuracy = sum(
        int(logits.argmax()) == one.taken
        for one, logits in zip(held_out, policy.logits([one.encoded for one in held_out]), strict=True)
    ) / len(held_out)
    report = CloneReport(
        path=str(out),
        domain=domain.name,
        experience=str(experience),
        episodes=len({step.episode for step in transitions}),
        examples=len(examples),
        left_out=len(transitions) - len(examples),
        parameters=sum(weights.numel() for weights in policy.scorer.parameters()),
        epochs=options.epochs,
        loss=round(loss, 4),
        accuracy=round(accuracy, 4),
        held_out_episodes=len({one.episode for one in held_out}),
        held_out_examples=len(held_out),
        chance=round(float(np.mean([1 / len(one.encoded.choices) for one in held_out])), 4),
        seconds=round(time.perf_counter() - began, 2),
    )
    policy.save(out, notes={"cloned": {**asdict(options), "experience": Path(experience).name}})
    return report


def successes(transitions: Sequence[Transition]) -> list[Transition]:
    """Return the steps of the episodes that ended with success, in order."""
    won = {step.episode for step in transitions if step.terminated and step.reward > 0}
    return [step for step in transitions if step.episode in won]


def read_examples(
    domain: Domain, transitions: Sequence[Transition], featuriser: Featuriser, *, progress: bool = False
) -> list[Example]:
    """Return the examples that transitions give, in order; those that no candidate stands for are left out."""
    from tqdm import tqdm

    examples = []
    for step in tqdm(transitions, unit="step", desc="reading", disable=None if progress else True):
        if not step.valid:
            continue
        task = Task(step.task_id, step.domain, step.instruction, initial_state="", split=step.split)
        offered = domain.available_actions(task, step.history, step.state)
        encoded = featuriser.encode(Situation(step.instruction, step.history, step.state, offered))
        taken = find_candidate(step.action, encoded.choices, domain.parse_action)
        if taken is not None:
            examples.append(Example(encoded, taken, step.episode))
    return examples


def _split(examples: Sequence[Example], options: CloningOptions) -> tuple[list[Example], list[Example]]:
    """Return what is learnt from and what is held out, whole episodes each."""
    episodes = sorted({one.episode for one in examples})
    order = np.random.default_rng([options.seed, 0]).permutation(len(episodes))
    held_out = {episodes[at] for at in order[: round(options.held_out * len(episodes))]}
    return (
        [one for one in examples if one.episode not in held_out],
        [one for one in examples if one.episode in held_out],
    )


def _fit(scorer: CandidateScorer, examples: Sequence[Example], options: CloningOptions, *, progress: bool) -> float:
    """Train; return the mean loss over the last epoch."""
    from tqdm import tqdm

    optimiser = torch.optim.AdamW(scorer.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
    batches = -(-len(examples) // options.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, options.epochs * batches)
    weights = _weights(examples, options.directness)
    mean = 0.0
    with tqdm(total=options.epochs * batches, unit="batch", desc="cloning", disable=None if progress else True) as bar:
        for epoch in range(options.epochs):
            total = 0.0
            for batch in _batches(examples, options, epoch):
                logits, _ = scorer(*pad([one.encoded for one in batch]))
                losses = functional.cross_entropy(logits, torch.tensor([one.taken for one in batch]), reduction="none")
                loss = (losses * torch.tensor([weights[one.episode] for one in batch])).mean()
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(scorer.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                total += losses.detach().sum().item()
                bar.update()
            mean = total / len(examples)
            bar.set_postfix(loss=f"{mean:.3f}")
    scorer.eval()
    return mean


def _weights(examples: Sequence[Example], directness: float) -> dict[str, float]:
    """Return how much each episode's examples count, in (0, 1]."""
    lengths = Counter(one.episode for one in examples)
    median = float(np.median(list(lengths.values())))
    return {episode: min(1.0, median / length) ** directness for episode, length in lengths.items()}


def _batches(examples: Sequence[Example], options: CloningOptions, epoch: int) -> list[list[Example]]:
    order = np.random.default_rng([options.seed, 1, epoch]).permutation(len(examples))
    return [
        [examples[at] for at in order[start : start + options.batch_size]]
        for start in range(0, len(order), options.batch_size)
    ]
