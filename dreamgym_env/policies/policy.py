"""A policy in a folder: ``config.json`` says what it is, ``policy.safetensors`` holds its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from dreamgym_env.errors import PolicyError
from dreamgym_env.policies.candidates import Candidate
from dreamgym_env.policies.features import Encoded, FeatureSettings, Featuriser, Situation
from dreamgym_env.policies.scorer import CandidateScorer, pad
from dreamgym_env.types import Domain

__all__ = ["CONFIG_FILE", "WEIGHTS_FILE", "Policy"]

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "policy.safetensors"
_FORMAT, _VERSION = "dreamgym_env.policy", 1


class Policy:
    """Scores the actions that a state offers."""

    def __init__(self, domain: Domain, settings: FeatureSettings, hidden: int = 128, dropout: float = 0.0) -> None:
        """Create one with new weights, drawn from torch's generator.

        Args:
            domain: what it acts in.
            settings: how situations are encoded.
            hidden: width of the network.
            dropout: of the network while it is in training mode.
        """
        self.domain = domain
        self.settings, self.hidden = settings, hidden
        self.featuriser = Featuriser(domain, settings)
        self.scorer = CandidateScorer(settings.state_size, settings.candidate_size, hidden, dropout)

    def scores(self, situations: Sequence[Situation]) -> list[tuple[tuple[Candidate, ...], torch.Tensor]]:
        """Return the candidates of n situations with their logits (shape (K,)); none where a state offers none."""
        encoded = [self.featuriser.encode(situation) for situation in situations]
        return list(zip([one.choices for one in encoded], self.logits(encoded), strict=True))

    def logits(self, encoded: Sequence[Encoded]) -> list[torch.Tensor]:
        """Return the logits of encoded situations, each of shape (K,), without gradients."""
        some = [one for one in encoded if one.choices]
        if not some:
            return [torch.zeros(0) for _ in encoded]
        with torch.inference_mode():
            rows = iter(self.scorer(*pad(some))[0])
        return [next(rows)[: len(one.choices)] if one.choices else torch.zeros(0) for one in encoded]

    def copy(self, settings: FeatureSettings | None = None) -> Policy:
        """Return another one with the same weights, in evaluation mode; no random number is used up.

        Args:
            settings: how it encodes situations, of the same sizes; None for the same way.
        """
        with torch.random.fork_rng(devices=[]):  # weights are drawn, and then replaced
            other = Policy(self.domain, settings or self.settings, self.hidden)
        other.scorer.load_state_dict(self.scorer.state_dict())
        other.scorer.eval()
        return other

    def save(self, folder: str | Path, *, notes: Mapping[str, Any] | None = None) -> None:
        """Write the policy to a folder, which is made; ``notes`` (JSON values) say how it was trained."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        config = {
            "format": _FORMAT,
            "version": _VERSION,
            "domain": self.domain.name,
            "features": asdict(self.settings),
            "sizes": {"state": self.settings.state_size, "candidate": self.settings.candidate_size},
            "hidden": self.hidden,
            "notes": dict(notes or {}),
        }
        save_file(self.scorer.state_dict(), target / WEIGHTS_FILE)
        (target / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path, domain: Domain) -> Policy:
        """Read a policy.

        Args:
            folder: that :meth:`save` wrote.
            domain: what it shall act in.

        Raises:
            PolicyError: it is no such folder, of another version or domain, or its weights do not fit it.
        """
        folder = Path(folder)
        config = _read_config(folder)
        if config["domain"] != domain.name:
            raise PolicyError(
                f"{folder} holds a policy for {config['domain']!r}, and not for {domain.name!r}: name one of this "
                "domain, or train one with `dreamgym clone`."
            )
        with torch.random.fork_rng(devices=[]):  # weights are drawn, and then replaced
            policy = cls(domain, _settings(folder, config), config["hidden"])
        sizes = {"state": policy.settings.state_size, "candidate": policy.settings.candidate_size}
        if config["sizes"] != sizes:
            raise PolicyError(
                f"{folder} was trained on vectors of the sizes {config['sizes']}, and this version of the library makes"
                f" them {sizes}: train the policy again, or install the version that trained it."
            )
        try:
            policy.scorer.load_state_dict(load_file(folder / WEIGHTS_FILE))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise PolicyError(f"The weights {folder / WEIGHTS_FILE} do not fit {CONFIG_FILE}: {error}") from error
        policy.scorer.eval()
        return policy


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG_FILE
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PolicyError(f"{folder} is no folder of a policy: {path.name} cannot be read ({error}).") from error
    if not isinstance(config, dict) or config.get("format") != _FORMAT:
        raise PolicyError(f'{path} does not say "format": "{_FORMAT}": `dreamgym clone` writes such folders.')
    if config.get("version") != _VERSION:
        raise PolicyError(
            f"{folder} is of version {config.get('version')!r}; this library reads version {_VERSION}. Train the policy"
            " again, or install the version that trained it."
        )
    members = {"domain": str, "features": dict, "sizes": dict, "hidden": int}
    wrong = [name for name, kind in members.items() if not isinstance(config.get(name), kind)]
    if wrong or not 1 <= config["hidden"] <= 65_536:
        raise PolicyError(
            f"{path} lacks a proper value of {wrong[0] if wrong else 'hidden'!r}: train the policy again."
        )
    return config


def _settings(folder: Path, config: Mapping[str, Any]) -> FeatureSettings:
    try:
        features = dict(config["features"])
        return FeatureSettings(**{**features, "kinds": tuple(map(str, features["kinds"]))})
    except (KeyError, TypeError, ValueError) as error:
        raise PolicyError(f"{folder / CONFIG_FILE} describes no features that this library knows: {error}") from error
