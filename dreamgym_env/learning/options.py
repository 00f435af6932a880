"""What is to be learnt, where, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from dreamgym_env.masking import mask_secrets

__all__ = ["LearningOptions"]


@dataclass(frozen=True, slots=True)
class LearningOptions:
    """All that the result of a run follows from."""

    domain: str
    algorithm: str = "maskable-ppo"
    """A key of :data:`~dreamgym_env.learning.learner.ALGORITHMS`."""
    steps: int = 50_000
    """Steps in the dream, over all lanes; 0 to learn in the real environment alone."""
    then_real: int = 0
    """Transitions in the real environment afterwards, at most: as many as whole updates take."""
    lanes: int = 32
    """Episodes at once."""
    start: str = ""
    """Folder of a policy to go on from; empty for new weights."""
    hidden: int = 128
    """Width of the network, where there is no policy to go on from."""
    most_candidates: int = 80
    """How many actions of a state a policy may choose among."""
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    """Of the algorithm, in place of its defaults here."""
    world_model: str = "embedded"
    split: str = "train"
    """Of the tasks that are learnt from."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Further keywords of the environments; those that the real one knows are given to both."""
    anchor: float = 0.0
    """Share of the dream's episodes that are played in the real environment."""
    curriculum: bool = False
    """Whether a curriculum chooses the dream's tasks (:class:`~dreamgym_env.curriculum.Curriculum`)."""
    variations: float = 0.5
    """Largest share of the curriculum's tasks that are variations: the paper's lambda."""
    variator: str = "rules"
    """What makes them: the domain's rules, or a string of a language model."""
    enrich: bool = False
    """Whether accepted dream transitions become memories, in a buffer in the run's folder."""
    evaluate_every: int = 8_192
    """Steps between evaluations, and between checkpoints; rounded up to whole updates."""
    evaluation_tasks: int = 100
    """Tasks of each evaluation in the real environment; 0 for none."""
    evaluation_split: str = "test"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges. Raises ValueError, in words for a person."""
        for name in ("steps", "then_real", "evaluation_tasks", "seed"):
            _at_least(0, name, getattr(self, name))
        for name in ("lanes", "hidden", "most_candidates", "evaluate_every"):
            _at_least(1, name, getattr(self, name))
        for name in ("steps", "then_real"):
            if 0 < getattr(self, name) < self.lanes:
                raise ValueError(
                    f"{name} of {getattr(self, name)} are fewer than the {self.lanes} lanes: give more steps, or fewer "
                    "lanes."
                )
        for name in ("anchor", "variations"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise ValueError(f"{name} is a share between 0 and 1, not {share!r}.")
        if not self.steps and not self.then_real:
            raise ValueError("There is nothing to learn from: give steps in the dream, transitions then_real, or both.")
        if self.split == self.evaluation_split and self.evaluation_tasks:
            raise ValueError(f"An agent that learns from the split {self.split!r} cannot be evaluated on it.")

    def to_json(self) -> dict[str, Any]:
        """Return all members as JSON values, without secrets."""
        shown = asdict(self)
        for name in ("world_model", "variator"):
            shown[name] = mask_secrets(shown[name])
        return {**shown, **{name: _masked(shown[name]) for name in ("settings", "hyperparameters")}}


def _at_least(least: int, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}.")


def _masked(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: mask_secrets(value) if isinstance(value, str) else value for name, value in settings.items()}
