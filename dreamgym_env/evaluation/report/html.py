"""A comparison as one HTML file that needs nothing else: no network, no other file, and a script only to filter.

Whatever pages and models hold is shown and does nothing: every text is made visible and escaped as it enters the
document, and the document's policy forbids all but its own style sheet and its own script, known by their hashes.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from dreamgym_env.atomic_files import write_atomically
from dreamgym_env.evaluation.report import plots, sheets
from dreamgym_env.evaluation.report.about import about_facts, summary_facts
from dreamgym_env.evaluation.report.axes import mark
from dreamgym_env.evaluation.report.cells import environment_ids
from dreamgym_env.evaluation.report.curves import learning_curve
from dreamgym_env.evaluation.report.reading import figure, items, part, text
from dreamgym_env.evaluation.report.transcripts import make_viewer
from dreamgym_env.evaluation.report.wording import clip, visible

__all__ = ["write_html"]

_TEMPLATES = Path(__file__).with_name("templates")


def write_html(comparison: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a comparison as a self-contained HTML file, wholly or not at all.

    Args:
        comparison: what a comparison returns as JSON; parts that are missing are left out, or the report says why.
        path: of the file; its folder is made where there is none.

    Raises:
        OSError: the file cannot be written.
    """
    write_atomically(Path(path), _render(comparison))


def _render(comparison: Mapping[str, Any]) -> str:
    dream_id, real_id = environment_ids(comparison)
    ranks = part(comparison, "ranks")
    correlated = any(figure(ranks.get(name)) for name in ("spearman", "kendall"))
    style, script = (_TEMPLATES.joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return (
        _environment()
        .get_template("report.html")
        .render(
            policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
            "base-uri 'none'; form-action 'none'",
            style=style,
            script=script,
            ids={"dream": dream_id, "real": real_id},
            summary=summary_facts(comparison),
            verdict=[str(sentence) for sentence in items(comparison, "verdict")],
            warnings=[str(sentence) for sentence in items(comparison, "warnings")],
            learnt=[str(sentence) for sentence in items(comparison.get("learning"), "said")],
            curve=learning_curve(comparison),
            agents=sheets.agents_sheet(comparison),
            rollouts=[sheets.rollouts_sheet(comparison, measure) for measure in ("success", "score")],
            success=plots.success_plot(comparison),
            matrices=plots.agreement_plots(comparison),
            agreement=sheets.agreement_sheet(comparison),
            rank=plots.rank_plot(comparison),
            ranks=sheets.ranks_sheet(comparison),
            why_no_ranks="" if correlated else text(ranks, "why_none"),
            pairs=[
                " and ".join(map(str, pair))
                for pair in items(ranks, "pairs_that_differ")
                if isinstance(pair, list | tuple)
            ],
            calibration=plots.calibration_plot(comparison),
            errors=sheets.calibration_sheet(comparison),
            anchors=part(comparison, "calibration"),
            drift=plots.drift_plot(comparison),
            steps=sheets.drift_sheet(comparison),
            distributions=[
                (plots.spread_plot(comparison, measure), sheet)
                for measure in ("returns", "lengths")
                if (sheet := sheets.spread_sheet(comparison, measure)).rows
            ],
            differences=sheets.differences_sheet(comparison),
            speed=sheets.speed_sheet(comparison),
            usage=sheets.usage_sheet(comparison),
            judges=sheets.judges_sheet(comparison),
            judge_agreement=sheets.judge_agreement_sheet(comparison),
            about=about_facts(comparison),
            viewer=make_viewer(comparison),
        )
    )


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {"mark": _mark}
    environment.filters |= {"clip": clip}
    return environment


def _finalize(value: Any) -> Any:
    """Make a text visible before it is escaped; what is markup already was made of visible texts."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@functools.cache
def _mark(side: str) -> Markup:
    """Return the mark of an environment, to stand before its name."""
    return Markup('<svg class="mark" viewBox="0 0 12 12" aria-hidden="true">{}</svg>').format(mark(side, size=5))


def _hash(source: str) -> str:
    """Return what a policy calls an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
