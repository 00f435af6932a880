"""What a comparison says in words: first whether its dream may be trusted, then what to watch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dreamgym_env.evaluation.calibration import FEWEST_ANCHORS

__all__ = ["verdict", "warnings"]

_FALSE, _CONSISTENT, _RANKED = 0.03, 0.95, 0.95
"""Below the first, and from the other two on, a dream is called true."""
_SURPRISING = 0.05
"""A p value above is no evidence."""
_ROUNDING = 1e-6
"""Figures are rounded to six places."""


def verdict(found: Mapping[str, Any]) -> list[str]:
    """Return sentences about the figures of a comparison (the layout of :func:`~.findings.findings`).

    The first is the most telling one: how agents rank, where that can be said.
    """
    if not any(agent["success"]["dream"] for agent in found["agents"]):
        return ["Nothing can be said of this dream: every episode was cut short by a failure."]
    said = [*_successes(found), *_consistency(found), *_pages(found), *_speed(found)]
    return [*_ranking(found), *said] if found["ranks"]["spearman"] else [*said, *_ranking(found)]


def warnings(found: Mapping[str, Any]) -> list[str]:
    """Return sentences about what limits these figures: an interruption, failures, few tasks."""
    said = []
    if found["interrupted"]:
        said.append("The comparison was interrupted: these figures are of what was finished before.")
    said += [
        f"{agent['agent']}: {agent['failures'][side]} of {agent['episodes']} episodes were cut short by a failure in "
        f"{found[side]['id']}. They are counted as failures and left out of all other figures. "
        f"The first: {agent['first_failure']}"
        for agent in found["agents"]
        for side in ("dream", "real")
        if agent["failures"][side]
    ]
    seeds = {agent["agent"]: len(agent["seeds"]) for agent in found["agents"]}
    said += [
        f"{agent} is in {_part(seeds.get(agent, 0))}, for its comparison broke off: {problem}"
        for agent, problem in found["broken_off"].items()
    ]
    if known := found["about"]["tasks_in_buffer"]:
        said.append(
            f"The dream's replay buffer holds experience of {known} of the compared tasks, which was allowed on "
            "purpose: these figures are not those of unseen tasks."
        )
    said += [f"{judge} has marked no step: {problem}" for judge, problem in found["judges_failed"].items()]
    if found["calibration"] is None and found["anchors_asked"]:
        said.append(
            f"There is no calibration: it takes {FEWEST_ANCHORS} anchor tasks or more, and others to test it on; "
            f"{found['anchors_asked']} of these tasks were to be anchors."
        )
    if found["about"]["tasks"] < 30:
        tasks = _many(found["about"]["tasks"], "task was", "tasks were")
        said.append(f"Only {tasks} played: look at the intervals before the figures.")
    return said


def _ranking(found: Mapping[str, Any]) -> list[str]:
    ranks = found["ranks"]
    if ranks["spearman"] is None:
        return [f"Whether agents rank the same cannot be said: {ranks['why_none']}"]
    rho, others = ranks["spearman"]["value"], ranks["spearman_across_agents"]
    interval = (
        f"Spearman's rho {rho:.2f}; 95 % intervals: of these {ranks['agents']} agents, over redrawn tasks, "
        f"{ranks['spearman']['low']:.2f} to {ranks['spearman']['high']:.2f}, and of other agents, were these drawn at "
        f"random, {others['low']:.2f} to {others['high']:.2f}"
    )
    return [*_order(ranks, rho, interval), *_chance(ranks)]


def _chance(ranks: Mapping[str, Any]) -> list[str]:
    p = ranks["spearman_across_agents"]["p"]
    if p <= _SURPRISING:
        return []
    return [
        f"So few agents cannot tell: orders of {ranks['agents']} that are as much alike, or as much reversed, come "
        f"about by chance in {p:.0%} of all cases."
    ]


def _order(ranks: Mapping[str, Any], rho: float, interval: str) -> list[str]:
    if not ranks["pairs_that_differ"]:
        if rho < 1 - _ROUNDING:
            return [
                f"No two agents change places between the dream and the real environment, but some are equal in only "
                f"one of them ({interval})."
            ]
        return [f"Agents rank the same in the dream and in the real environment ({interval})."]
    pairs = [f"{one} and {other}" for one, other in ranks["pairs_that_differ"][:3]]
    much = "nearly the same" if rho >= _RANKED else "differently"
    return [
        f"Agents rank {much} in the dream and in the real environment ({interval}): {_listed(pairs)} change places."
    ]


def _successes(found: Mapping[str, Any]) -> list[str]:
    false, missed = found["all_agents"]["false_success"], found["all_agents"]["missed_success"]
    if false is None:
        told = "The dream lets no agent succeed."
    elif not false["value"]:
        told = (
            f"Of {_many(false['count'], 'success', 'successes')} in the dream none is false ({_percents(false)}): "
            "the same actions succeed in the real environment."
        )
    else:
        word = "rarely flatters" if false["value"] < _FALSE else "flatters"
        told = (
            f"The dream {word}: {false['value']:.1%} ({_percents(false)}) of its "
            f"{_many(false['count'], 'success', 'successes')} are false, for the same actions do not succeed in the "
            "real environment."
        )
    if missed is not None and missed["value"]:
        told += (
            f" It misses {missed['value']:.1%} ({_percents(missed)}) of the "
            f"{_many(missed['count'], 'episode', 'episodes')} whose actions succeed in the real environment."
        )
    return [told]


def _consistency(found: Mapping[str, Any]) -> list[str]:
    ratios = {agent["agent"]: agent["consistency_ratio"] for agent in found["agents"] if agent["consistency_ratio"]}
    if not ratios:
        return ["No agent succeeded in the real environment, so that there is no consistency ratio."]
    worst = min(ratios, key=lambda agent: ratios[agent]["value"])
    low = ratios[worst]
    figure = f"{low['value']:.2f} ({_interval(low)})"
    if low["value"] >= _CONSISTENT:
        return [
            f"What agents find in the dream works in the real environment: the lowest consistency ratio, of {worst}, "
            f"is {figure}."
        ]
    over = _many(low["count"], "success", "successes")
    if all(ratio["high"] >= _CONSISTENT for ratio in ratios.values()):
        return [
            "Whether what agents find in the dream always works in the real environment cannot be told from so few "
            f"successes: the lowest consistency ratio, of {worst}, is {figure}, over {over} of acting there."
        ]
    return [
        f"What agents find in the dream does not always work in the real environment: the consistency ratio of "
        f"{worst} is {figure}, over {over} of acting there."
    ]


def _pages(found: Mapping[str, Any]) -> list[str]:
    episodes = sum(agent["first_difference"]["episodes"] for agent in found["agents"])
    differing = sum(agent["first_difference"]["differing"] for agent in found["agents"])
    if not differing:
        many = _many(episodes, "dreamt episode", "dreamt episodes")
        return [f"Every page of {'the' if episodes == 1 else 'all'} {many} is the real one, word for word."]
    kinds: Counter[str] = Counter()
    for agent in found["agents"]:
        kinds.update(agent["first_difference"]["action_kinds"])
    most = [f"{kind} ({count})" for kind, count in kinds.most_common(3)]
    return [
        f"{differing:,} of {_many(episodes, 'dreamt episode differs', 'dreamt episodes differ')} somewhere from the "
        f"same actions in the real environment, first after {_listed(most)}."
    ]


def _speed(found: Mapping[str, Any]) -> list[str]:
    rates = {}
    for side in ("dream", "real"):
        seconds = sum(agent["speed"][side]["seconds"] for agent in found["agents"])
        steps = sum(agent["speed"][side]["steps"] for agent in found["agents"])
        rates[side] = steps / seconds if seconds else 0.0
    if not all(rates.values()):
        return []
    faster, slower = ("dream", "real") if rates["dream"] >= rates["real"] else ("real", "dream")
    said = (
        f"{found[faster]['id']} took {rates[faster]:,.1f} steps a second here, {found[slower]['id']} "
        f"{rates[slower]:,.1f}."
    )
    if faster == "real":
        said += " A dream pays where real steps are slow, costly or cannot be run at once."
    return [said]


def _many(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"


def _part(seeds: int) -> str:
    if not seeds:
        return "no figure"
    return f"these figures with {'the first seed' if seeds == 1 else f'the first {seeds} seeds'} alone"


def _interval(estimate: Mapping[str, Any]) -> str:
    return f"95 % interval {estimate['low']:.2f} to {estimate['high']:.2f}"


def _percents(estimate: Mapping[str, Any]) -> str:
    return f"95 % interval {estimate['low']:.1%} to {estimate['high']:.1%}"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
