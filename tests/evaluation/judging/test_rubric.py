"""Marks under one version of the rubric are marks by the same words."""

from __future__ import annotations

from dataclasses import replace

from dreamgym_env.evaluation.judging import RUBRIC

PUBLISHED = {"1": "6868dee11bb9c1ce"}
"""Version -> digest, of all versions that there have been: whoever changes a word adds a version here."""


def test_the_words_are_those_of_the_version():
    assert RUBRIC.digest == PUBLISHED[RUBRIC.version]


def test_any_change_shows_in_the_digest():
    first = RUBRIC.criteria[0]
    others = [
        replace(RUBRIC, version="0"),
        replace(RUBRIC, role=RUBRIC.role + " "),
        replace(RUBRIC, criteria=RUBRIC.criteria[1:]),
        replace(RUBRIC, criteria=(replace(first, marks=("a", "b", "c")), *RUBRIC.criteria[1:])),
    ]
    assert len({RUBRIC.digest, *(other.digest for other in others)}) == 5


def test_the_criteria_are_the_four_of_the_paper():
    assert RUBRIC.names == ("causal_consistency", "diversity", "informativeness", "hallucination")
