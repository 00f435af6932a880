"""The training loop: transformers' Trainer, with progress, checkpoints and sentences for what goes wrong."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from dreamgym_env.errors import TrainingError
from dreamgym_env.training.checkpoints import Checkpoints
from dreamgym_env.training.options import TrainingOptions
from dreamgym_env.training.rows import Collator, Row, Schedule

__all__ = ["Fit", "fit"]

_LOGGER = logging.getLogger(__name__)
_LOG_EVERY = 25  # steps


@dataclass(frozen=True, slots=True)
class Fit:
    """What came of a training."""

    losses: Sequence[float]
    """Of each step, those before an interruption included, in nats a token."""
    resumed_at: int
    """Steps that were done before; 0 for a training that was not interrupted."""
    device: str


def fit(
    model: PreTrainedModel,
    rows: Sequence[Row],
    options: TrainingOptions,
    *,
    pad: int,
    learning_rate: float,
    checkpoints: Checkpoints | None,
    callbacks: Sequence[TrainerCallback],
) -> Fit:
    """Train a model in place.

    Args:
        model: its weights, or adapters on it, are trained.
        rows: the examples, at least one.
        options: length and batches of the training.
        pad: id of the token that fills a batch.
        learning_rate: peak of the schedule.
        checkpoints: where they are written, every ``options.save_steps`` steps, and from where a training resumes;
            None for neither.
        callbacks: of the Trainer, besides those that show progress.

    Raises:
        TrainingError: the memory does not hold it, or the weights became infinite.
    """
    with tempfile.TemporaryDirectory() as scratch, _readable_memory_errors():
        arguments = _arguments(checkpoints.folder if checkpoints else Path(scratch), options, learning_rate)
        batch = arguments.train_batch_size * options.gradient_accumulation * arguments.world_size
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=Schedule(rows, options.steps * batch, batch, options.seed),
            data_collator=Collator(pad),
            callbacks=[_Progress(), *callbacks],
        )
        trainer.remove_callback(ProgressCallback)  # both print to the standard output
        trainer.remove_callback(PrinterCallback)
        latest = checkpoints.latest() if checkpoints else None
        trainer.train(resume_from_checkpoint=str(latest) if latest else None)
        trainer.accelerator.wait_for_everyone()
    if not all(torch.isfinite(weights).all() for weights in model.parameters() if weights.requires_grad):
        raise TrainingError("Some weights became infinite: lower --learning-rate.")
    losses = [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    return Fit(losses, _steps_of(latest), arguments.device.type)


def _arguments(folder: Path, options: TrainingOptions, learning_rate: float) -> TrainingArguments:
    gpu = torch.cuda.is_available()
    saves = options.save_steps > 0
    recompute: dict[str, Any] = {}
    if options.gradient_checkpointing:
        recompute = {"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"use_reentrant": False}}
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=options.steps,
        per_device_train_batch_size=options.batch_size,
        gradient_accumulation_steps=options.gradient_accumulation,
        bf16=gpu and torch.cuda.is_bf16_supported(),
        learning_rate=learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, options.steps // 20),
        weight_decay=0.05,
        adam_beta2=0.98,
        train_sampling_strategy="sequential",  # the schedule has shuffled
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps" if saves else "no",
        save_steps=options.save_steps if saves else 500,
        save_total_limit=2,
        report_to="none",
        seed=options.seed,
        data_seed=options.seed,
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=gpu,
        **recompute,
    )


class _Progress(TrainerCallback):
    """A progress bar in terminals, and a line in the log now and then."""

    def __init__(self) -> None:
        self._bar: Any = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Show how much there is to do."""
        hidden = None if state.is_world_process_zero else True
        self._bar = tqdm(total=state.max_steps, initial=state.global_step, desc="training", unit="step", disable=hidden)
        if state.global_step:
            _LOGGER.info("Continuing after step %d.", state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Show the loss of a step."""
        if not state.is_world_process_zero or "loss" not in (logs or {}):
            return
        self._bar.update(state.global_step - self._bar.n)
        latest = [entry["loss"] for entry in state.log_history[-_LOG_EVERY:] if "loss" in entry]
        mean = sum(latest) / len(latest)
        self._bar.set_postfix(loss=f"{mean:.3f}")
        if state.global_step % _LOG_EVERY == 0:
            _LOGGER.info("Step %d of %d: loss %.4f.", state.global_step, state.max_steps, mean)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Close the bar."""
        self._bar.close()


@contextlib.contextmanager
def _readable_memory_errors() -> Iterator[None]:
    """Turn a full memory into a TrainingError; on a CPU torch has no error of its own for it."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError, RuntimeError) as error:
        said = str(error)
        full = not isinstance(error, RuntimeError) or isinstance(error, torch.OutOfMemoryError)
        if not full and "not enough memory" not in said and "can't allocate memory" not in said:
            raise
        raise TrainingError(
            "The memory does not hold the training. These options lower what it needs: a smaller --batch-size (with a "
            "larger --gradient-accumulation, which keeps the step the same), a smaller --max-length, "
            "--gradient-checkpointing, and --lora RANK for a model that exists."
        ) from error


def _steps_of(checkpoint: Path | None) -> int:
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0
