"""What is shown while a policy learns: a progress bar, and TensorBoard where that is installed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from dreamgym_env.curriculum import TaskResult
from dreamgym_env.learning.evaluating import Evaluation
from dreamgym_env.learning.loop import Progress

__all__ = ["Display"]

_RECENT = 100
"""Episodes that the success shown is the mean of."""


class Display:
    """Shows a run; a context manager."""

    def __init__(self, tensorboard: Path | None, stop: Callable[[], bool], say: Callable[[str], object] | None) -> None:
        """Create one.

        Args:
            tensorboard: folder for TensorBoard; None for none, and none where it is not installed.
            stop: asked after each step; the run is told to end when it says so.
            say: is given a line after each evaluation; None for none.
        """
        self._writer = _open_writer(tensorboard)
        self._stop, self._say = stop, say
        self._bar: tqdm[Any] | None = None
        self._phase, self._steps = "", 0
        self._recent: deque[tuple[TaskResult, int]] = deque(maxlen=_RECENT)

    def begins(self, phase: str, env_id: str, progress: Progress, total: int) -> None:
        """Open the bar of a phase."""
        self._close_bar()
        self._recent.clear()
        self._phase, self._steps = phase, progress.all_steps
        done = progress.steps[phase]
        self._bar = tqdm(total=total, initial=done, unit="step", desc=f"learning in {env_id}", disable=None)

    def stepped(self, steps: int) -> bool:
        """Move the bar; returns whether to go on."""
        self._steps += steps
        if self._bar is not None:
            self._bar.update(steps)
        return not self._stop()

    def finished(self, result: TaskResult, length: int) -> None:
        """Take an episode into what is shown."""
        self._recent.append((result, length))

    def updated(self, figures: Mapping[str, float]) -> None:
        """Write losses, and how the latest episodes went."""
        shown = {f"losses/{name}": value for name, value in figures.items()}
        if self._recent:
            shown[f"{self._phase}/success"] = float(np.mean([one.won for one, _ in self._recent]))
            shown[f"{self._phase}/task_score"] = float(np.mean([one.task_score for one, _ in self._recent]))
            shown[f"{self._phase}/episode_length"] = float(np.mean([length for _, length in self._recent]))
        self._write(shown)
        if self._bar is not None and self._recent:
            self._bar.set_postfix_str(f"{self._phase} success {shown[f'{self._phase}/success']:.2f}", refresh=False)

    def evaluated(self, progress: Progress, evaluation: Evaluation) -> None:
        """Write what an evaluation has found."""
        self._steps = progress.all_steps
        self._write({"real/test_success": evaluation.success, "real/test_score": evaluation.score})
        if self._say is None:
            return
        failures = f", {evaluation.failures} failed" if evaluation.failures else ""
        self._say(
            f"after {progress.all_steps:>7,} steps ({progress.all_real_transitions:,} of them real): solves "
            f"{evaluation.success:.1%} ({evaluation.low:.1%} - {evaluation.high:.1%}) of {evaluation.episodes} "
            f"{evaluation.split} tasks in {evaluation.env_id}{failures}"
        )

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *error: object) -> None:
        self._close_bar()
        if self._writer is not None:
            self._writer.close()

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _write(self, figures: Mapping[str, float]) -> None:
        if self._writer is not None:
            for name, value in figures.items():
                self._writer.add_scalar(name, value, self._steps)


def _open_writer(folder: Path | None) -> Any:
    if folder is None:
        return None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder))
