"""Supervised fine-tuning of a world model on recorded transitions.

From a transitions file to a model folder that ``world_model="transformers:FOLDER"`` reads: transitions are mixed
(:mod:`~dreamgym_env.training.mixing`), grounded in memories without leaks (:mod:`~dreamgym_env.training.examples`),
tokenised as they will be asked (:mod:`~dreamgym_env.training.rows`), and learnt by transformers' Trainer
(:mod:`~dreamgym_env.training.fit`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamgym_env.domains import load_domain_of
from dreamgym_env.errors import TrainingError
from dreamgym_env.locking import only_writer
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.memory.experience import read_domain_transitions
from dreamgym_env.training.bases import Base, open_base
from dreamgym_env.training.checkpoints import Checkpoints, is_first_process
from dreamgym_env.training.examples import Example, ExampleOptions, make_examples
from dreamgym_env.training.fit import fit
from dreamgym_env.training.options import TrainingOptions
from dreamgym_env.training.randomness import own_randomness
from dreamgym_env.training.rows import Row, tokenise
from dreamgym_env.types import Domain, Transition
from dreamgym_env.world_model.build import MODEL_SETTINGS_FILE, prompt_format
from dreamgym_env.world_model.generators.hf.loading import progress_bars_only_in_terminals

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback

__all__ = ["FinetuneReport", "FormatOptions", "TrainingOptions", "finetune", "finetune_examples"]

_LOGGER = logging.getLogger(__name__)
_LOCK = "training.lock"
_TOLD = (
    "base",
    "transitions",
    "examples",
    "too_long",
    "parameters",
    "trained_parameters",
    "device",
    "loss",
    "final_loss",
)
"""Figures of a report that the model's folder keeps."""
_MAX_MEMORIES = {"compact": 3, "chat": 5}


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """How questions and answers are written; None leaves a choice to the base."""

    format: str | None = None
    """``compact`` or ``chat``; None for compact (new models) or chat (models that exist)."""
    codec: str = "edits"
    """``edits`` or ``full``."""
    max_memories: int | None = None
    """How many memories a prompt shows; None for 3 (compact) or 5 (chat)."""

    def settings(self, base: Base) -> dict[str, Any]:
        """Return them as ``dreamgym.json`` holds them, and as :func:`prompt_format` takes them."""
        name = self.format or base.prompt_format
        memories = self.max_memories if self.max_memories is not None else _MAX_MEMORIES.get(name)
        return {"format": name, "codec": self.codec, "max_memories": memories}


@dataclass(frozen=True, slots=True)
class FinetuneReport:
    """What a training was given and what came of it."""

    path: str
    """Folder of the model."""
    base: str
    settings: dict[str, Any]
    """Prompt format, codec and number of memories."""
    examples: int
    """That were learnt from."""
    too_long: int
    """That were left out because they are longer than ``max_length``."""
    max_length: int
    parameters: int
    trained_parameters: int
    steps: int
    resumed_at: int
    loss: float
    """Mean over all steps, in nats a token."""
    final_loss: float
    """Mean over the last tenth of the steps."""
    device: str
    seconds: float
    transitions: int | None = None
    """In the file; None where examples were given."""
    splits: dict[str, int] | None = None
    """Transitions of each split."""
    explained_by_rules: int = 0
    """Transitions without a reasoning of their own, which the domain's rules gave one."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


def finetune(
    transitions: str | os.PathLike[str],
    base: str,
    out: str | os.PathLike[str],
    *,
    domain: Domain | None = None,
    format_options: FormatOptions | None = None,
    example_options: ExampleOptions | None = None,
    options: TrainingOptions | None = None,
    overwrite: bool = False,
    keep_checkpoints: bool = False,
    keep_adapter: bool = False,
    callbacks: Sequence[TrainerCallback] = (),
) -> FinetuneReport:
    """Fine-tune a world model on a transitions file, or continue a fine-tuning that was interrupted.

    The same file, settings and seed give the same weights on a CPU, interrupted or not.

    Args:
        transitions: file that ``dreamgym record`` or :class:`~dreamgym_env.envs.record.RecordTransitions` wrote; it is
            also the buffer that memories are retrieved from, never those of an example's own episode.
        base: ``new:tiny``, ``new:small``, ``new:medium``, ``embedded``, or a causal language model: id on the Hugging
            Face hub, folder, or ``.gguf`` file.
        out: folder for the model, its tokenizer and ``dreamgym.json``; checkpoints go to its folder ``checkpoints``.
        domain: reads the transitions; by default the one that they name, or else what the file itself makes.
        format_options: how questions and answers are written.
        example_options: how examples are drawn and grounded.
        options: length, speed and memory of the training.
        overwrite: begin anew where there is a model or a training with other settings.
        keep_checkpoints: leave the checkpoints when the training is over.
        keep_adapter: also save the LoRA adapters by themselves, in the folder ``adapter``.
        callbacks: further callbacks of transformers' Trainer.

    Raises:
        ExperienceFormatError: the file is empty, of another domain or version, or no transitions file.
        TrainingError: the base is no causal language model, the folder holds something else, another process trains
            into it, no example is short enough, or the memory does not hold the training.
        WorldModelError: the base cannot be loaded, or there is no such format or codec.
        MissingDependencyError: PEFT, or the reader of ``.gguf`` files, is not installed.
        FileNotFoundError: there is no such file.
    """
    began = time.perf_counter()
    path, options = Path(transitions), options or TrainingOptions()
    example_options = example_options or ExampleOptions()
    opened = open_base(base)
    opened.check(options)
    settings = (format_options or FormatOptions()).settings(opened)
    experience = read_domain_transitions(path, domain.name if domain else None)
    domain = domain or load_domain_of(experience[0].domain, path)
    written = prompt_format(domain, **settings)
    follows_from = {
        "transitions": hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest(),
        **settings,
        **asdict(example_options),
    }
    training = _Training(opened, Path(out), settings, options, keep_checkpoints, keep_adapter)
    with training.claim(follows_from, overwrite=overwrite):
        data = _count(experience)
        with ReplayBuffer(domain, seed_experience=path) as buffer:
            examples = make_examples(experience, buffer, domain, written, seed=options.seed, options=example_options)
        return training.run(examples, callbacks, began, **data)


def finetune_examples(
    examples: Sequence[Example],
    base: str,
    out: Path,
    *,
    settings: dict[str, Any],
    options: TrainingOptions,
) -> FinetuneReport:
    """Train on examples that are there already, without checkpoints; a model in ``out`` is replaced.

    Args:
        examples: questions and answers.
        base: as for :func:`finetune`.
        out: folder for the model.
        settings: of the prompt format that wrote the examples: ``format``, ``codec``, ``max_memories``.
        options: length and speed of the training.

    Raises:
        TrainingError, WorldModelError, MissingDependencyError: as :func:`finetune` does.
    """
    opened, options = open_base(base), replace(options, save_steps=0)
    opened.check(options)
    training = _Training(opened, out, settings, options)
    with training.claim({}, overwrite=True):
        return training.run(examples, (), time.perf_counter())


def _count(experience: Sequence[Transition]) -> dict[str, Any]:
    """Return what a report says of the transitions, and warn of what a user may not have meant."""
    splits = dict(sorted(Counter(step.split for step in experience).items()))
    if "test" in splits:
        _LOGGER.warning("%d transitions are of the split test: do not evaluate this model on it.", splits["test"])
    unexplained = sum(not step.reasoning for step in experience)
    if unexplained:
        _LOGGER.info(
            "%d of %d transitions carry no reasoning: they learn the one that the domain's rules give.",
            unexplained,
            len(experience),
        )
    return {"transitions": len(experience), "splits": splits, "explained_by_rules": unexplained}


@dataclass(frozen=True, slots=True)
class _Training:
    """One training and its folder."""

    base: Base
    out: Path
    settings: dict[str, Any]
    options: TrainingOptions
    keep_checkpoints: bool = False
    keep_adapter: bool = False

    @property
    def checkpoints(self) -> Checkpoints:
        """Where they are."""
        return Checkpoints(self.out)

    @contextlib.contextmanager
    def claim(self, follows_from: dict[str, Any], *, overwrite: bool) -> Iterator[None]:
        """Have the folder to ourselves.

        Raises:
            TrainingError: another process trains into it, or it holds a model, or checkpoints with other settings.
        """
        refusal = TrainingError(f"Another process is training into {self.out}: wait for it, or choose another --out.")
        with only_writer(self.out / _LOCK, refusal) if is_first_process() else contextlib.nullcontext():
            self._begin(follows_from, overwrite=overwrite)
            yield

    def _begin(self, follows_from: dict[str, Any], *, overwrite: bool) -> None:
        """Prepare the folder for a training with these settings, a new one or one that is continued."""
        card = self.out / MODEL_SETTINGS_FILE
        if card.exists() and not overwrite:
            raise TrainingError(f"{self.out} holds a model already: choose another --out, or give --overwrite.")
        if self.options.save_steps:
            options = {name: value for name, value in asdict(self.options).items() if name != "save_steps"}
            processes = os.environ.get("WORLD_SIZE", "1")
            settings = {"base": self.base.name, **follows_from, **options, "processes": processes}
            self.checkpoints.claim(settings, overwrite=overwrite)
        if overwrite and is_first_process():
            card.unlink(missing_ok=True)

    def run(
        self, examples: Sequence[Example], callbacks: Sequence[TrainerCallback], began: float, **data: Any
    ) -> FinetuneReport:
        """Train, save, and report."""
        base, options = self.base, self.options
        max_length = base.max_length(options)
        texts = (f"{example.prompt.system}{example.prompt.user}{example.answer}" for example in examples)
        tokenizer = base.tokenizer(texts, max_length)
        rows = self._rows(examples, tokenizer, max_length)
        with own_randomness(options.seed), progress_bars_only_in_terminals():
            model = base.model(tokenizer, max_length, options)
            parameters = model.num_parameters()
            trained = model.num_parameters(only_trainable=True)
            _LOGGER.info("Training %.1f M parameters on %d examples.", trained / 1e6, len(rows))
            fitted = fit(
                model,
                rows,
                options,
                pad=tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
                learning_rate=options.learning_rate or base.learning_rate(options),
                checkpoints=self.checkpoints if options.save_steps else None,
                callbacks=callbacks,
            )
        last = fitted.losses[-max(1, len(fitted.losses) // 10) :]
        report = FinetuneReport(
            path=str(self.out),
            base=base.name,
            settings=self.settings,
            examples=len(rows),
            too_long=len(examples) - len(rows),
            max_length=max_length,
            parameters=parameters,
            trained_parameters=trained,
            steps=len(fitted.losses),
            resumed_at=fitted.resumed_at,
            loss=round(sum(fitted.losses) / len(fitted.losses), 4),
            final_loss=round(sum(last) / len(last), 4),
            device=fitted.device,
            seconds=round(time.perf_counter() - began, 1),
            **data,
        )
        if is_first_process():
            with progress_bars_only_in_terminals():
                self._save(model, tokenizer, report)
        return report

    def _rows(self, examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, max_length: int) -> list[Row]:
        rows = tokenise(examples, tokenizer, max_length)
        if not rows:
            raise TrainingError(
                f"None of the {len(examples)} examples is short enough for --max-length {max_length}: raise it, or "
                "lower --max-memories."
            )
        if len(rows) < len(examples):
            left_out = len(examples) - len(rows)
            _LOGGER.warning(
                "%d of %d examples are longer than %d tokens and were left out.", left_out, len(examples), max_length
            )
        return rows

    def _save(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, report: FinetuneReport) -> None:
        """Write model and tokenizer, and when they are complete the card, which makes the folder a world model."""
        whole: Any = model
        if self.options.lora:
            if self.keep_adapter:
                model.save_pretrained(self.out / "adapter")
            whole = whole.merge_and_unload()
        whole.config.use_cache = True  # the Trainer switched it off
        whole.to(self.base.saved_dtype()).save_pretrained(self.out)
        tokenizer.save_pretrained(self.out)
        card = {**self.settings, "training": self._figures(report)}
        (self.out / MODEL_SETTINGS_FILE).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        if not self.keep_checkpoints:
            self.checkpoints.remove()

    def _figures(self, report: FinetuneReport) -> dict[str, Any]:
        figures = {name: value for name, value in report.to_json().items() if value is not None}
        options = {
            **asdict(self.options),
            "learning_rate": self.options.learning_rate or self.base.learning_rate(self.options),
            "max_length": report.max_length,
        }
        return {
            **{name: figures[name] for name in _TOLD if name in figures},
            **self.base.figures(),
            **options,
        }
