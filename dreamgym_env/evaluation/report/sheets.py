"""The tables of a report, before anybody decides whether they become HTML, Markdown or a terminal's table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dreamgym_env.evaluation.report.cells import (
    Cell,
    Column,
    Heads,
    Sheet,
    Side,
    agent_cell,
    chance_told,
    error_cell,
    gap_cell,
    kind_cell,
    p_value,
    ratio_cell,
    score_cell,
    share_cell,
    signed_score_cell,
    spread_cells,
)
from dreamgym_env.evaluation.report.reading import Figure, figure, items, number, part, text
from dreamgym_env.evaluation.report.wording import NONE, count, decimal, interval, percent

__all__ = [
    "agents_sheet",
    "agreement_sheet",
    "calibration_sheet",
    "differences_sheet",
    "drift_sheet",
    "judge_agreement_sheet",
    "judges_sheet",
    "ranks_sheet",
    "rollouts_sheet",
    "speed_sheet",
    "spread_sheet",
    "usage_sheet",
]


def agents_sheet(comparison: Mapping[str, Any]) -> Sheet:
    """Return the main figures of every agent."""
    heads = Heads.of(comparison)
    return Sheet(
        "Agents",
        (
            Column("agent"),
            heads.dream("success"),
            heads.dream("failures"),
            heads.real("success"),
            heads.real("failures"),
            heads.both("gap, points"),
            heads.both("false success"),
            heads.both("consistency ratio"),
            heads.both("reverse ratio"),
        ),
        tuple(
            (
                agent_cell(row, episodes=True),
                share_cell(part(row, "success").get("dream")),
                Cell(count(number(part(row, "failures").get("dream")))),
                share_cell(part(row, "success").get("real")),
                Cell(count(number(part(row, "failures").get("real")))),
                gap_cell(part(row, "gap").get("success")),
                share_cell(row.get("false_success")),
                ratio_cell(row.get("consistency_ratio")),
                ratio_cell(row.get("reverse_consistency_ratio")),
            )
            for row in _agents(comparison)
        ),
        (
            "Small print is the 95 % interval.",
            "Gap: success in the dream minus success in the real environment, paired by task.",
            "False success: the share of the dream's successes that the real environment does not confirm.",
            "Consistency ratio: success in the real environment of the actions found in the dream, over the success of "
            "acting there; 1 means that what is found in the dream works as well. The reverse ratio is the other way "
            "round.",
            "Failures: episodes cut short by an answer that could not be read, by the loss of an engine, or by an "
            "agent whose own model gave none. No other figure counts them.",
        ),
    )


_ROLLOUTS = ("dream", "real", "dream_actions_in_real", "real_actions_in_dream")


def rollouts_sheet(comparison: Mapping[str, Any], measure: str) -> Sheet:
    """Return one measure of all four rollouts, and its gap.

    Args:
        comparison: the comparison.
        measure: ``"success"`` or ``"score"``.
    """
    heads = Heads.of(comparison)
    write = share_cell if measure == "success" else score_cell
    gap = gap_cell if measure == "success" else signed_score_cell
    return Sheet(
        "Success, acting and repeating" if measure == "success" else "Mean graded score, acting and repeating",
        (
            Column("agent"),
            heads.dream("acting"),
            heads.dream("real actions repeated"),
            heads.real("acting"),
            heads.real("dream's actions repeated"),
            heads.both("gap, points" if measure == "success" else "gap"),
            *([heads.both("missed success")] if measure == "success" else []),
        ),
        tuple(
            (
                agent_cell(row),
                *(
                    write(part(row, measure).get(rollout))
                    for rollout in ("dream", "real_actions_in_dream", "real", "dream_actions_in_real")
                ),
                gap(part(row, "gap").get(measure)),
                *([share_cell(row.get("missed_success"))] if measure == "success" else []),
            )
            for row in _agents(comparison)
            if any(figure(part(row, measure).get(rollout)) for rollout in _ROLLOUTS)
        ),
        ("Missed success: the share of the real environment's successes that the dream denies.",)
        if measure == "success"
        else (),
    )


def agreement_sheet(comparison: Mapping[str, Any]) -> Sheet:
    """Return in which of the two environments the agents solved how many tasks."""
    heads = Heads.of(comparison)
    names = ("both", "dream_only", "real_only", "neither")
    return Sheet(
        "Agreement, task by task",
        (
            Column("agent"),
            heads.both("solved in both"),
            heads.dream("solved only here"),
            heads.real("solved only here"),
            heads.both("in neither"),
            heads.both("same outcome"),
            heads.both("Cohen's κ"),
            heads.both("McNemar p"),
        ),
        tuple(
            (
                agent_cell(row),
                *(Cell(count(number(part(row, "agreement").get(name)))) for name in names),
                Cell(percent(number(part(row, "agreement").get("share")))),
                Cell(decimal(number(part(row, "agreement").get("kappa")))),
                Cell(p_value(number(part(row, "agreement").get("mcnemar_p")))),
            )
            for row in _agents(comparison)
            if part(row, "agreement")
        ),
        (
            "Cohen's κ: agreement beyond chance, 1 at most. McNemar p: how likely a lead of one environment as large "
            "as this would be if neither were easier; each task counts once, for the environment in which more of its "
            "episodes succeed.",
        ),
    )


def ranks_sheet(comparison: Mapping[str, Any]) -> Sheet:
    """Return how alike the two environments rank the agents."""
    heads = Heads.of(comparison)
    ranks = part(comparison, "ranks")
    found = [(name.capitalize(), figure(ranks.get(name))) for name in ("spearman", "kendall")]
    others = {"Spearman": part(ranks, "spearman_across_agents")}
    return Sheet(
        "Rank correlation",
        (
            Column("measure"),
            heads.both("correlation"),
            heads.both("agents"),
            heads.both("of other agents"),
            heads.both("p"),
        ),
        tuple(
            (
                Cell(name),
                Cell(decimal(estimate.value), interval(estimate)),
                Cell(count(number(ranks.get("agents")))),
                Cell(_between(others.get(name, {}))),
                Cell(p_value(number(others.get(name, {}).get("p")))),
            )
            for name, estimate in found
            if estimate
        ),
    )


def _between(ends: Mapping[str, Any]) -> str:
    low, high = number(ends.get("low")), number(ends.get("high"))
    return NONE if low is None or high is None else interval(Figure(0.0, low, high))


def calibration_sheet(comparison: Mapping[str, Any]) -> Sheet:
    """Return the errors of the dream's score as an estimate of the real one."""
    heads = Heads.of(comparison)
    calibration = part(comparison, "calibration")
    names = {
        "mae": "mean absolute error",
        "mse": "mean squared error",
        "bias": "bias",
        "ece": "calibration error (ECE)",
    }
    return Sheet(
        "Errors of the dream's score as an estimate of the real one",
        (Column("error"), heads.both("before"), heads.both("after")),
        tuple(
            (
                Cell(name),
                *(error_cell(part(calibration, when), key) for when in ("before", "after")),
            )
            for key, name in names.items()
            if any(number(part(calibration, when).get(key)) is not None for when in ("before", "after"))
        ),
        ("On tasks that the calibration was not fitted to.",) if calibration else (),
    )


def drift_sheet(comparison: Mapping[str, Any]) -> Sheet:
    """Return how true the dream's pages are at each step."""
    heads = Heads.of(comparison)
    return Sheet(
        "Pages of the dream against the real ones, by step",
        (
            Column("step"),
            heads.both("episodes"),
            heads.both("page exact"),
            heads.both("line F1"),
            heads.both("not yet diverged"),
        ),
        tuple(
            (
                Cell(count(number(row.get("step")))),
                Cell(count(number(row.get("episodes")))),
                share_cell(row.get("exact")),
                share_cell(row.get("line_f1")),
                share_cell(row.get("undiverged")),
            )
            for row in _rows(comparison, "drift")
        ),
    )


def spread_sheet(comparison: Mapping[str, Any], measure: str) -> Sheet:
    """Return how returns or lengths of episodes are distributed.

    Args:
        comparison: the comparison.
        measure: ``"returns"`` or ``"lengths"``.
    """
    heads = Heads.of(comparison)
    rows = [row for row in _agents(comparison) if part(row, measure)]
    unit = next((text(part(row, measure), "unit") for row in rows if text(part(row, measure), "unit")), "")
    name = "Returns" if measure == "returns" else "Lengths of episodes"
    return Sheet(
        f"{name}, in {unit}" if unit else name,
        (
            Column("agent"),
            heads.dream("mean"),
            heads.dream("quartiles"),
            heads.real("mean"),
            heads.real("quartiles"),
            heads.both("Wasserstein distance"),
        ),
        tuple(
            (
                agent_cell(row),
                *spread_cells(part(row, measure, "dream")),
                *spread_cells(part(row, measure, "real")),
                Cell(decimal(number(part(row, measure).get("wasserstein")), 3), chance_told(part(row, measure))),
            )
            for row in rows
        ),
        (
            "Quartiles: least, lower quartile, median, upper quartile, most. Small print: up to that distance may be "
            "chance (95 %).",
        ),
    )


def differences_sheet(comparison: Mapping[str, Any]) -> Sheet:
    """Return where the dream first parts from the real environment, by kind."""
    heads = Heads.of(comparison)
    rows = [row for row in _agents(comparison) if part(row, "first_difference")]
    kinds = _keys(part(row, "first_difference", "kinds") for row in rows)
    actions = _keys(part(row, "first_difference", "action_kinds") for row in rows)
    return Sheet(
        "First difference of an episode, by kind",
        (
            Column("agent"),
            heads.both("episodes"),
            heads.both("that differ"),
            heads.both("share"),
            heads.both("median step"),
            *(heads.both(f"first: {kind}") for kind in kinds),
            *(heads.both(f"after {kind}") for kind in actions),
        ),
        tuple(
            (
                agent_cell(row),
                Cell(count(number(first.get("episodes")))),
                Cell(count(number(first.get("differing")))),
                share_cell(first.get("share")),
                Cell(decimal(number(first.get("median_step")), 1)),
                *(kind_cell(first, kind) for kind in kinds),
                *(Cell(count(number(part(first, "action_kinds").get(kind, 0)))) for kind in actions),
            )
            for row in rows
            for first in [part(row, "first_difference")]
        ),
        (
            "The same actions in both. First differs the page, the verdict, the end, or what is offered; small print "
            "is the median step of that kind.",
        )
        if rows
        else (),
    )


def speed_sheet(comparison: Mapping[str, Any]) -> Sheet:
    """Return what a step costs; one row an agent and environment."""
    heads = Heads.of(comparison)
    columns: Mapping[str, tuple[str, int]] = {
        "steps": ("steps", 0),
        "seconds": ("seconds", 1),
        "steps_per_second": ("steps a second", 1),
        "lanes": ("at once", 0),
        "prompt_tokens": ("prompt tokens", 0),
        "completion_tokens": ("completion tokens", 0),
    }
    rows = []
    for row in _agents(comparison):
        for side, env_id in ((Side.DREAM, heads.dream_id), (Side.REAL, heads.real_id)):
            speed, answered = part(row, "speed", side), part(row, "answered_by", side)
            if not speed and not answered:
                continue
            stages = ", ".join(f"{stage} {count(number(many))}" for stage, many in answered.items())
            rows.append(
                (
                    agent_cell(row),
                    Cell(env_id, side=side),
                    *(Cell(decimal(number(speed.get(key)), places)) for key, (_, places) in columns.items()),
                    Cell(stages or NONE),
                )
            )
    return Sheet(
        "Speed and tokens",
        (
            Column("agent"),
            Column("environment"),
            *(Column(head, Side.BOTH) for head, _ in columns.values()),
            Column("answered by"),
        ),
        tuple(rows),
        ("Seconds are the environment's own; what the agents took is not in them.",),
    )


def usage_sheet(comparison: Mapping[str, Any]) -> Sheet:
    """Return what the agents' own language models used up, in both environments together."""
    heads = Heads.of(comparison)
    names = {
        "calls": "calls",
        "actions": "actions",
        "prompt_tokens": "prompt tokens",
        "completion_tokens": "completion tokens",
        "ill_formed": "ill-formed replies",
        "failures": "no reply",
    }
    return Sheet(
        "Language models of the agents",
        (Column("agent"), *(heads.both(head) for head in names.values())),
        tuple(
            (agent_cell(row), *(Cell(count(number(part(row, "usage").get(name)))) for name in names))
            for row in _agents(comparison)
            if part(row, "usage")
        ),
        (
            "Ill-formed: no action of the environment's grammar; the environment was given what stood there. No reply: "
            "the episode is a failure.",
        ),
    )


def judges_sheet(comparison: Mapping[str, Any]) -> Sheet:
    """Return the judges' mean marks; one row a judge and question."""
    heads = Heads.of(comparison)
    rows = [
        (
            Cell(text(judge, "judge"), f"rubric {text(judge, 'rubric')}" if text(judge, "rubric") else ""),
            Cell(str(question)),
            *(
                cell
                for side in ("dream", "real")
                for cell in (
                    score_cell(part(judge, "marks", question).get(side)),
                    Cell(count(number(part(judge, "judged").get(side)))),
                    Cell(count(number(part(judge, "invalid").get(side)))),
                )
            ),
        )
        for judge in _rows(comparison, "judges")
        for question in part(judge, "marks")
    ]
    return Sheet(
        "Judges' mean marks, 0 to 2",
        (
            Column("judge"),
            Column("question"),
            *(heads.dream(head) for head in ("mark", "judged", "invalid")),
            *(heads.real(head) for head in ("mark", "judged", "invalid")),
        ),
        tuple(rows),
        ("Invalid: replies that could not be read; they are left out of the marks.",),
    )


def judge_agreement_sheet(comparison: Mapping[str, Any]) -> Sheet:
    """Return how far two judges agree."""
    heads = Heads.of(comparison)
    agreement = part(comparison, "judge_agreement")
    judges = " and ".join(str(judge) for judge in items(agreement, "judges"))
    kappas = part(agreement, "kappa")
    return Sheet(
        f"Agreement of the judges {judges}" if judges else "Agreement of the judges",
        (
            Column("question"),
            heads.both("Cohen's κ"),
            heads.both("κ, quadratic weights"),
            heads.both("transitions"),
        ),
        tuple(
            (
                Cell(str(question)),
                Cell(decimal(number(part(kappas, question).get("plain")))),
                Cell(decimal(number(part(kappas, question).get("quadratic")))),
                Cell(count(number(part(kappas, question).get("n")))),
            )
            for question in kappas
        ),
    )


def _agents(comparison: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return _rows(comparison, "agents")


def _rows(comparison: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [row for row in items(comparison, name) if isinstance(row, Mapping)]


def _keys(tables: Any) -> list[str]:
    """Return the keys of some tables in the order in which they are first seen."""
    return list(dict.fromkeys(key for table in tables for key in table))
