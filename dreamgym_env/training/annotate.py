"""Annotating experience: a teacher adds to each recorded step why the environment answered so.

The paper's experience model learns to reason before it answers; the reasoning trace of a step says first whether the
action leads toward success or failure, then how the environment responds and why (DreamGym, arXiv 2511.03773).  Who
writes the traces is said in the file's header, and a step that the teacher gave no valid trace for is left without.

Episodes are explained in batches, in the order of their first steps, and each batch is kept in ``<file>.partial``: an
annotation that was interrupted continues to the file that an uninterrupted one gives.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dreamgym_env.domains import load_domain_of
from dreamgym_env.errors import DreamGymError
from dreamgym_env.masking import mask_secrets
from dreamgym_env.memory.experience import read_domain_transitions, read_header
from dreamgym_env.training.annotation import Annotation
from dreamgym_env.training.teachers import teacher_from_string
from dreamgym_env.training.unfinished import UnfinishedFile
from dreamgym_env.types import Domain, TextGenerator

__all__ = ["AnnotateReport", "annotate_experience", "annotated_path"]


@dataclass(frozen=True, slots=True)
class AnnotateReport:
    """What an annotation did: counts of the whole file first, then what this run took."""

    path: str
    teacher: str
    domain: str
    episodes: int
    transitions: int
    annotated: int
    """Transitions with a trace of this teacher."""
    kept: int
    """Transitions whose trace was there before."""
    missing: int
    """Transitions without a trace: no valid answer came for them."""
    resumed_at: int
    """Episodes that earlier runs had explained; this run's figures below are of the others."""
    invalid_answers: int
    """Answers that could not be read, and prompts without an answer."""
    retries: int
    """Prompts that were asked again for that reason."""
    prompt_tokens: int
    completion_tokens: int
    last_problem: str
    """Why the last invalid answer could not be read; empty where there was none."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return all figures as JSON values."""
        return asdict(self)


def annotated_path(path: str | Path) -> Path:
    """Return where the annotation of a file goes by default: ``real.annotated.jsonl.gz`` for ``real.jsonl.gz``."""
    path = Path(path)
    compressed = ".gz" if path.suffix == ".gz" else ""
    plain = path.with_name(path.name.removesuffix(".gz"))
    return plain.with_name(f"{plain.stem}.annotated{plain.suffix}{compressed}")


def annotate_experience(
    path: str | Path,
    out: str | Path,
    teacher: str,
    *,
    seed: int = 0,
    replace_reasoning: bool = False,
    resume: bool = True,
    batch: int = 64,
    domain: Domain | None = None,
    generator: TextGenerator | None = None,
    progress: bool = True,
) -> AnnotateReport:
    """Write a copy of a transitions file in which each step says why the environment answered so.

    Args:
        path: transitions file to read; it is not changed.
        out: transitions file to write, gzip if it ends in ``.gz``. It appears when the annotation is complete; the
            transitions stand in the same order, and the header says in ``annotated`` who explained them.
        teacher: ``"rules"``, or a world-model string of a language model.
        seed: of the sampling of answers that are asked for again.
        replace_reasoning: explain also the steps that carry reasoning already (one without a valid answer then has
            none); else theirs is kept.
        resume: continue what an earlier run with the same settings left; else begin anew, replacing the file.
        batch: episodes that are explained at once; makes no difference to the file where an answer does not depend on
            what else is in the engine's batch.
        domain: of the transitions; by default the one of that name, or else what the file itself makes.
        generator: used in place of the one that ``teacher`` names; it is closed at the end.
        progress: show a progress bar (on a terminal only).

    Raises:
        ExperienceFormatError: ``path`` cannot be read, holds nothing, or transitions of another domain; or ``out`` is
            there and was made otherwise.
        WorldModelStringError: ``teacher`` names none.
        WorldModelError: the model cannot be loaded, or the server is gone; what was explained is kept.
        DreamGymError: another process writes to ``out``, or it is ``path`` itself.
        FileNotFoundError: there is no file ``path``.
    """
    if batch < 1:
        raise ValueError(f"batch must be at least 1, not {batch!r}.")
    began = time.perf_counter()
    path, out = Path(path), Path(out)
    if out.exists() and path.exists() and out.samefile(path):
        raise DreamGymError(f"{out} is the file to annotate, which is never replaced: choose another name.")
    transitions = read_domain_transitions(path, domain.name if domain else None)
    about = domain or load_domain_of(transitions[0].domain, path)
    explainer = teacher_from_string(teacher, about, seed=seed, generator=generator)
    file = UnfinishedFile(out, _header(read_header(path), teacher, seed, replace_reasoning), "annotated")
    annotation = Annotation(file, transitions, replace_reasoning=replace_reasoning)
    try:
        with file.claim():
            done = annotation.open(path, batch, resume=resume)
            annotation.explain(explainer, done, batch, show=progress)
            if not file.complete:
                file.finish(annotation.explained())
    finally:
        explainer.close()
    return AnnotateReport(
        path=str(out),
        teacher=mask_secrets(teacher),
        domain=about.name,
        episodes=annotation.episodes,
        transitions=len(transitions),
        annotated=len(transitions) - annotation.missing - annotation.kept,
        kept=annotation.kept,
        missing=annotation.missing,
        resumed_at=done,
        seconds=round(time.perf_counter() - began, 2),
        **asdict(explainer.tally),
    )


def _header(found: Mapping[str, Any], teacher: str, seed: int, replace_reasoning: bool) -> dict[str, Any]:
    """Return the header of the annotated file: that of the file it is made from, and who explained it; no secrets."""
    from dreamgym_env import __version__

    annotated = {
        "teacher": mask_secrets(teacher),
        "version": __version__,
        "seed": seed,
        "replace_reasoning": replace_reasoning,
    }
    if "annotated" in found:
        annotated["before"] = found["annotated"]
    kept = {name: value for name, value in found.items() if name not in ("format", "version")}
    return {**kept, "annotated": annotated}
