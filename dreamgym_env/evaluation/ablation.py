"""What each part of a world model is worth: the same questions with one part left out.

The paper's Table 2 and Figure 4 leave out reasoning, history and memories and measure agents; here the fidelity of the
answers is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dreamgym_env.evaluation.fidelity import MODEL, FidelityOptions, answer_all
from dreamgym_env.evaluation.fidelity_report import Figures, report_fidelity
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.types import Domain, TextGenerator, Transition
from dreamgym_env.world_model.build import world_model_from_string
from dreamgym_env.world_model.compact import CompactFormat

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["ablate", "ablation_table"]


def ablate(
    domain: Domain,
    world_model: str,
    generator: TextGenerator,
    buffer: ReplayBuffer,
    steps: Sequence[Transition],
    options: FidelityOptions | None = None,
    *,
    progress: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[tuple[str, Figures]]:
    """Yield the name of each variant and the world model's figures over all steps.

    Args:
        domain: whose environment is dreamt.
        world_model: a world-model string.
        generator: the engine that the string names, which all variants share; the caller closes it.
        buffer: what memories are retrieved from.
        steps: real transitions.
        options: how the questions are put where nothing is left out.
        progress: whether to show progress bars.
        settings: keywords of :func:`~dreamgym_env.world_model.build.world_model_from_string`.
    """
    options = options or FidelityOptions()
    variants: dict[str, tuple[FidelityOptions, dict[str, Any]]] = {
        "without memories": (replace(options, k=0), {}),
        "without history": (replace(options, history=False), {}),
        "without reasoning": (options, {"reasoning": False}),
        "with the guard": (replace(options, guard=True), {}),
        "without the verifier": (replace(options, verifier=False), {}),
    }
    model_settings = {**(settings or {}), "generator": generator}
    written = world_model_from_string(world_model, domain, **model_settings).format
    if written.name != CompactFormat.name:  # a model that was trained on one codec cannot write the other
        codec = written.codec.name
        other = "edits" if codec == "full" else "full"
        variants[f"{other} in place of {codec}"] = (options, {"codec": other})
    for name, (how, changed) in variants.items():
        model = world_model_from_string(world_model, domain, **{**model_settings, **changed})
        answers = answer_all(domain, model, buffer, steps, how, progress=progress)
        yield name, report_fidelity(domain, answers, how.seed).overall[MODEL]


def ablation_table(variants: Mapping[str, Figures]) -> Table:
    """Return a table of variants; see the fidelity report for what its columns mean."""
    from rich.table import Table

    table = Table(title="one part changed at a time")
    table.add_column("variant")
    columns = ("exact_match", "line_f1", "reward_accuracy", "false_success", "parse_failures", "completion_tokens")
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right")
    for name, figures in variants.items():
        cells = [figures[column] for column in columns]
        shares = ["-" if cell is None else f"{cell.value:.1%}" for cell in cells[:-1]]
        tokens = cells[-1]
        table.add_row(name, *shares, "-" if tokens is None else f"{tokens.value:.1f}")
    return table
