"""Weights and optimisers on disk: tensors by safetensors, all else as JSON, and no pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from torch.optim import Optimizer

from dreamgym_env.errors import TrainingError

__all__ = ["load_state", "save_state"]

_TENSORS, _REST = "learner.safetensors", "learner.json"
_NETWORK, _OPTIMIZER = "network.", "optimizer."
"""What the names of tensors begin with; an optimiser's are ``optimizer.PARAMETER.NAME``."""


def save_state(folder: Path, network: nn.Module, optimizer: Optimizer, about: Mapping[str, Any]) -> None:
    """Write a network, its optimiser (whose state is made of tensors, as Adam's is) and JSON values to a folder."""
    state = optimizer.state_dict()
    tensors = {f"{_NETWORK}{name}": value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    for parameter, members in state["state"].items():
        for name, value in members.items():
            tensors[f"{_OPTIMIZER}{parameter}.{name}"] = torch.as_tensor(value).detach().cpu().contiguous()
    save_file(_apart(tensors), folder / _TENSORS)
    rest = {"about": dict(about), "groups": state["param_groups"]}
    (folder / _REST).write_text(json.dumps(rest, indent=2) + "\n", encoding="utf-8")


def load_state(folder: Path, network: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """Read what :func:`save_state` wrote into a network and its optimiser; returns the JSON values.

    Raises:
        TrainingError: it cannot be read, or does not fit.
    """
    try:
        tensors = load_file(folder / _TENSORS)
        rest = json.loads((folder / _REST).read_text(encoding="utf-8"))
        network.load_state_dict(
            {name.removeprefix(_NETWORK): value for name, value in tensors.items() if name.startswith(_NETWORK)}
        )
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith(_OPTIMIZER):
                parameter, name = key.removeprefix(_OPTIMIZER).split(".", 1)
                state.setdefault(int(parameter), {})[name] = value
        optimizer.load_state_dict({"state": state, "param_groups": rest["groups"]})
        about: dict[str, Any] = rest["about"]
    except (OSError, SafetensorError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise TrainingError(f"The checkpoint {folder} cannot be read, or does not fit this run: {error}") from error
    return about


def _apart(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return tensors that share no memory, as safetensors wants them."""
    seen: set[int] = set()
    apart = {}
    for name, value in tensors.items():
        apart[name] = value.clone() if value.data_ptr() in seen else value
        seen.add(value.data_ptr())
    return apart
