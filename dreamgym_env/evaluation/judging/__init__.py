"""Is a step a good one to learn from?  Judges mark steps, real and dreamt ones, by a fixed rubric.

- :class:`~.judgements.Judge`: what a judge is; :class:`~.generator_judge.GeneratorJudge` asks a language model,
  :class:`~.rule_judge.RuleJudge` is a program that needs none; :func:`~.strings.judge_from_string` makes either.
- :data:`~.rubric.RUBRIC`: four criteria, each marked 0, 1 or 2.
- :func:`~.sampling.sample_transitions`: which steps are judged.
- :func:`~.panel.ask_judges`: one or several judges on the same steps; :func:`~.report.report_judgements`: the figures
  of one; :func:`~.agreement.agreement`: whether two see the same.
"""

from __future__ import annotations

from dreamgym_env.evaluation.judging.agreement import agreement
from dreamgym_env.evaluation.judging.generator_judge import GeneratorJudge
from dreamgym_env.evaluation.judging.judgements import Invalid, Judge, Judgement
from dreamgym_env.evaluation.judging.panel import PanelReport, ask_judges, sample_sources
from dreamgym_env.evaluation.judging.report import JudgeReport, report_judgements
from dreamgym_env.evaluation.judging.rubric import RUBRIC, Rubric
from dreamgym_env.evaluation.judging.rule_judge import RuleJudge
from dreamgym_env.evaluation.judging.sampling import sample_transitions
from dreamgym_env.evaluation.judging.strings import judge_from_string, judges_from_strings

__all__ = [
    "RUBRIC",
    "GeneratorJudge",
    "Invalid",
    "Judge",
    "JudgeReport",
    "Judgement",
    "PanelReport",
    "Rubric",
    "RuleJudge",
    "agreement",
    "ask_judges",
    "judge_from_string",
    "judges_from_strings",
    "report_judgements",
    "sample_sources",
    "sample_transitions",
]
