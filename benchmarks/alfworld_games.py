"""How true the dream of ALFWorld is, on games of rooms that it has no experience of.

``python benchmarks/alfworld_games.py [--part PART] [--games PATH --split SPLIT] [--knowagent FOLDER]`` prints tables
and writes ``results/alfworld_games.json``; a part that is not measured keeps what the file has.  All of it needs the
extra ``alfworld``: the real engine is what the dream is measured by.

=============  ========================================================================================================
``heldout``    open loop: next states of recorded real episodes, with the tasks' facts and without
``candidates`` candidate actions, which rest on texts alone, beside those of the real engine; no model is asked
``consistent`` whole random episodes in the dream, with facts and without, checked by a program that knows no tracker
``demos``      walks of the oracle through the real games, taken again in the dream
``knowagent``  the recorded episodes of a prompted agent in an older version of the data (``--knowagent FOLDER``)
=============  ========================================================================================================

Games are the generated ones of the test split, or those of ``--games``, whose figures stand under their own name.
Agents in the dream beside the real engine: ``benchmarks/compare.py --domain alfworld``, which takes such games, too.
"""

from __future__ import annotations

import contextlib
import datetime
import enum
import functools
import json
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from estimates import estimate, without_reports
from knowagent import read_knowagent
from machine import describe_machine
from rich.console import Console

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.domains import load_domain
from dreamgym_env.evaluation.agents import agent_factory
from dreamgym_env.evaluation.environments import make_lanes
from dreamgym_env.evaluation.fidelity import COMPOSED, MODEL, Answer, FidelityOptions, answer_all
from dreamgym_env.evaluation.fidelity_report import report_fidelity
from dreamgym_env.evaluation.rollout import EpisodeResult, plan_episodes, play, replay_actions
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.memory.experience import read_transitions
from dreamgym_env.training.record import parse_agent_shares, record_experience
from dreamgym_env.types import Domain, Task, Transition, Turn
from dreamgym_env.world_model.build import world_model_from_string

RESULTS = Path(__file__).parent / "results" / "alfworld_games.json"
MIX = "oracle:0.3,noisy-oracle:0.4,random:0.3"
_LANES = 32
_CONSOLE = Console(width=140)
_DESCRIBED = re.compile(r"(?:On the (\w+ \d+), you see|The (\w+ \d+) is (open|closed))")


class Part(enum.StrEnum):
    """What is measured."""

    HELDOUT = "heldout"
    CANDIDATES = "candidates"
    CONSISTENT = "consistent"
    DEMOS = "demos"
    KNOWAGENT = "knowagent"


def main(
    part: Annotated[Part | None, typer.Option(help="Measure only this part.")] = None,
    games: Annotated[Path | None, typer.Option(help="File or folder of games; by default generated ones.")] = None,
    split: Annotated[str, typer.Option(help="Split of held-out games.")] = "test",
    knowagent: Annotated[Path | None, typer.Option(help="Folder with the recorded episodes of KnowAgent.")] = None,
    every: Annotated[int, typer.Option(help="Of those, take every n-th.")] = 1,
    episodes: Annotated[int, typer.Option(help="Episodes, one task each, of every part.")] = 200,
    recordings: Annotated[
        Path | None, typer.Option(help="Folder that keeps what the real engine answered, to be asked of another model.")
    ] = None,
    world_model: Annotated[str, typer.Option(help="Who dreams.")] = "embedded",
) -> None:
    """Measure, print and write the results."""
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    run = {"date": datetime.date.today().isoformat(), "machine": describe_machine(), "world_model": world_model}
    own: dict[str, Any] = {} if games is None else {"games": str(games)}
    name = "generated" if games is None else split
    tables = results.setdefault(name, {})
    measures = {
        Part.HELDOUT: lambda: measure_held_out(own, split, episodes, world_model, recordings),
        Part.CANDIDATES: lambda: measure_candidates(own, split, episodes),
        Part.CONSISTENT: lambda: measure_consistency(own, split, episodes, world_model),
        Part.DEMOS: lambda: measure_demonstrations(own, split, world_model),
    }
    for one, measure in measures.items():
        if part in (None, one):
            tables[one.value] = {**run, "figures": measure()}
            _CONSOLE.print(one.value, without_reports(tables[one.value]["figures"]))
    if knowagent is not None and part in (None, Part.KNOWAGENT):
        results["knowagent"] = {**run, "figures": measure_knowagent(knowagent, world_model, every)}
        _CONSOLE.print("knowagent", results["knowagent"]["figures"])
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


# --- open loop


def measure_held_out(
    own: Mapping[str, Any], split: str, episodes: int, world_model: str, recordings: Path | None
) -> dict[str, Any]:
    """Record a mix of agents in the real engine, and put the question of each step to the world model."""
    steps = record(own, split, episodes, recordings)
    figures: dict[str, Any] = {"episodes": len({step.episode for step in steps}), "steps": len(steps)}
    for facts in (True, False):
        domain = load_domain("alfworld", **own, facts=facts)
        by_system = ask(domain, world_model, steps)
        answers, composed = by_system[MODEL], by_system[COMPOSED]
        told: dict[str, Any] = {
            "exact": estimate([answer.exact for answer in answers], answers),
            "composed_exact": estimate([answer.exact for answer in composed], composed),
            "unreadable": estimate([bool(answer.prediction.failure) for answer in answers], answers),
            "verdict": estimate([says_success(answer) == (answer.step.reward > 0) for answer in answers], answers),
            "own_word": estimate([answer.claims_success == (answer.step.reward > 0) for answer in answers], answers),
            "report": report_fidelity(domain, {MODEL: answers}).to_json(),
        }
        if not facts:
            known = [answer for answer in answers if is_determined(answer.step)]
            told["determined"] = len(known) / len(answers)
            told["exact_where_determined"] = estimate([answer.exact for answer in known], known)
        figures["with_facts" if facts else "without_facts"] = told
    return figures


def record(own: Mapping[str, Any], split: str, episodes: int, kept: Path | None) -> list[Transition]:
    """Record a mix of agents in the real engine, or read what was recorded so before."""
    with tempfile.TemporaryDirectory() as scratch:
        name = f"{'generated' if not own else 'given'}-{split}-{episodes}.jsonl.gz"
        path = (kept or Path(scratch)) / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            agents = parse_agent_shares(MIX)
            record_experience(
                "alfworld", path, agents=agents, episodes=episodes, split=split, seed=11, settings=own, progress=False
            )
        return read_transitions(path)


def ask(domain: Domain, world_model: str, steps: Sequence[Transition]) -> dict[str, list[Answer]]:
    """Return for the world model and each floor its answer to each step; guard, replay and memo have no part in it."""
    with (
        ReplayBuffer(domain) as buffer,
        contextlib.closing(world_model_from_string(world_model, domain)) as model,
    ):
        return answer_all(domain, model, buffer, steps, FidelityOptions(), progress=True)


def says_success(answer: Answer) -> bool:
    """Return whether the verifier calls the step a success."""
    return answer.verdict is not None and answer.verdict.success


def is_determined(step: Transition) -> bool:
    """Return whether the texts before a step tell its answer, by the answer itself.

    They do not where it describes a receptacle as no text before has (its contents, or that it is closed), or names
    what stands at a place that the episode has not looked around at.
    """
    before = [*(turn.state for turn in step.history), step.state]
    known = {shown for text in before for shown in described(text)}
    if not described(step.next_state) <= known:
        return False
    facing = step.next_state.partition(". Next to it")[0]
    return not facing.startswith("You are facing") or any(text.startswith(facing) for text in before)


def described(text: str) -> set[tuple[str, str]]:
    """Return which receptacles a text describes: what they hold, or that they are closed."""
    return {
        (top or inside, "closed" if state == "closed" else "contents")
        for top, inside, state in _DESCRIBED.findall(text)
    }


# --- candidate actions


class Witness:
    """An agent that counts how the candidate actions, which rest on texts alone, compare with those of the engine."""

    def __init__(self, domain: Domain, agent: str, counts: Counter[str]) -> None:
        """Let an agent of the domain act, and count into ``counts``."""
        self.name, self._domain, self._agent = agent, domain, agent_factory(domain, agent)()
        self._counts = counts

    def begin(self, task: Task, rng: np.random.Generator) -> None:
        """Start an episode."""
        self._task = task
        self._history: tuple[Turn, ...] = ()
        self._agent.begin(task, rng)

    def act(self, state: str, available_actions: Sequence[str]) -> str | None:
        """Compare, and act."""
        ours, theirs = set(self._domain.available_actions(self._task, self._history, state)), set(available_actions)
        self._counts.update(both=len(ours & theirs), offered=len(ours), admitted=len(theirs))
        action = self._agent.act(state, available_actions)
        if action is not None:
            self._history = (*self._history, Turn(state, action))
        return action


def measure_candidates(own: Mapping[str, Any], split: str, episodes: int) -> dict[str, float]:
    """Play agents in the real engine; return precision and recall of the candidate actions."""
    env = make_lanes("alfworld", _LANES, real=True, split=split, **own)
    counts: Counter[str] = Counter()
    ids = env.domain.task_ids(split)[:episodes]
    plans = [
        plan
        for number, agent in enumerate(("oracle", "noisy-oracle", "random"))
        for plan in plan_episodes(ids[number::3], agent, seed=5)
    ]
    play(env, {plan.agent: functools.partial(Witness, env.domain, plan.agent, counts) for plan in plans}, plans)
    env.close()
    return {"precision": counts["both"] / counts["offered"], "recall": counts["both"] / counts["admitted"]}


# --- whole episodes in the dream


def measure_consistency(own: Mapping[str, Any], split: str, episodes: int, world_model: str) -> dict[str, Any]:
    """Play random agents to the step limit, and count the episodes in which the house contradicts itself.

    Houses that are made up are half as many as those whose facts are known.
    """
    figures: dict[str, Any] = {}
    for facts in (True, False):
        env = make_lanes(
            "alfworld", _LANES, real=False, split=split, world_model=world_model, evaluation=True, facts=facts, **own
        )
        ids = env.domain.task_ids(split)
        task_ids = [ids[number % len(ids)] for number in range(episodes if facts else episodes // 2)]
        rollout = play(env, {"random": agent_factory(env.domain, "random")}, plan_episodes(task_ids, "random", seed=3))
        env.close()
        wrong = {episode.task.id: found for episode in rollout.episodes if (found := contradictions(episode))}
        figures["with_facts" if facts else "without_facts"] = {
            "episodes": len(rollout.episodes),
            "steps": rollout.steps,
            "longest": max(episode.steps for episode in rollout.episodes),
            "consistent": 1 - len(wrong) / len(rollout.episodes),
            "contradictions": dict(list(wrong.items())[:10]),
            "failures": rollout.failures,
            "answered_by": dict(rollout.answered_by),
        }
    return figures


def contradictions(episode: EpisodeResult) -> list[str]:
    """Return what an episode's texts say that cannot be: of things in hand, and of what receptacles hold.

    An object that was taken is no longer where it was, and in hand until it is put down; a receptacle holds what it
    was seen to hold, and what was put into it, until something is taken from it; a door stays as it is left.  An object
    may be seen in two receptacles, which is so in the real engine where a mug stands in the coffee machine on the
    counter, but only where the facts say so.
    """
    held = ""
    found: list[str] = []
    contents: dict[str, set[str]] = {}
    unseen: dict[str, set[str]] = {}  # put where nobody had looked
    closed: dict[str, bool] = {}
    twofold = _twofold(episode.task)

    def contradict(step: Transition, why: str) -> None:
        found.append(f"step {step.step}, {step.action!r} -> {step.next_state!r}: {why}")

    for step in (outcome.transition for outcome in episode.outcomes):
        text = step.next_state
        if match := re.match(r"You pick up the (\w+ \d+) from the (\w+ \d+)\.", text):
            thing, receptacle = match.groups()
            if held or thing not in contents.get(receptacle, {thing}):
                contradict(step, f"{held or 'nothing'} is in hand")
            held = thing
            contents.get(receptacle, unseen.get(receptacle, set())).discard(thing)
        elif match := re.match(r"You move the (\w+ \d+) to the (\w+ \d+)\.", text):
            thing, receptacle = match.groups()
            if thing != held:
                contradict(step, f"{held or 'nothing'} is in hand")
            held = ""
            contents.get(receptacle, unseen.setdefault(receptacle, set())).add(thing)
        elif match := re.match(r"You are (?:carrying: a (\w+ \d+)|not carrying anything)\.", text):
            if (match[1] or "") != held:
                contradict(step, f"{held or 'nothing'} is in hand")
        elif match := re.match(r"You (open|close) the (\w+ \d+)\.", text):
            closed[match[2]] = match[1] == "close"
        for name, state in re.findall(r"The (\w+ \d+) is (open|closed)\.", text):
            if closed.setdefault(name, state == "closed") != (state == "closed"):
                contradict(step, f"{name} was left otherwise")
        for name, listed in re.findall(r"(?:On the|The) (\w+ \d+)(?: is open\. In it)?, you see ([^.]*)\.", text):
            seen = set(re.findall(r"an? (\w+ \d+)", listed))
            elsewhere = {thing for other, things in contents.items() if other != name for thing in things} | {held}
            if not unseen.pop(name, set()) <= seen:
                contradict(step, f"{name} lacks what was put there")
            if seen != contents.setdefault(name, seen):
                contradict(step, f"{name} held {sorted(contents[name])}")
            if seen & elsewhere - twofold:
                contradict(step, f"{sorted(seen & elsewhere - twofold)} is elsewhere")
    return found


def _twofold(task: Task) -> set[str]:
    """Return the objects that a task's facts place in two receptacles."""
    places = Counter(thing for things in task.facts.get("contents", {}).values() for thing in things)
    return {thing for thing, count in places.items() if count > 1}


# --- from one world to the other


def measure_demonstrations(own: Mapping[str, Any], split: str, world_model: str) -> dict[str, Any]:
    """Walk the oracle through every real game of a split, and take its actions again in the dream."""
    real = make_lanes("alfworld", _LANES, real=True, split=split, **own)
    dream = make_lanes("alfworld", _LANES, real=False, split=split, world_model=world_model, evaluation=True, **own)
    plans = plan_episodes(real.domain.task_ids(split), "oracle", seed=0)
    walked = play(real, {"oracle": agent_factory(real.domain, "oracle")}, plans)
    demonstrations = [episode for episode in walked.episodes if episode.success]
    dreamt = replay_actions(dream, demonstrations)
    real.close()
    dream.close()
    same = sum(there.states == here.states for there, here in zip(demonstrations, dreamt.episodes, strict=True))
    return {
        "games": len(plans),
        "demonstrations": len(demonstrations),
        "solved_in_dream": dreamt.solved,
        "share": dreamt.solved / len(demonstrations),
        "same_texts_throughout": same / len(demonstrations),
    }


# --- the recorded episodes of another's agent


def measure_knowagent(folder: Path, world_model: str, every: int) -> dict[str, Any]:
    """Put the question of each recorded step to the world model, and compare in the words of today's engine."""
    domain = load_domain("alfworld")
    steps = list(read_knowagent(folder, every))
    answers = ask(domain, world_model, steps)[MODEL]
    known = [answer for answer in answers if is_determined(answer.step)]
    refused = [answer for answer in answers if answer.step.next_state == "Nothing happens."]
    return {
        "episodes": len({step.episode for step in steps}),
        "every": every,
        "steps": len(steps),
        "exact": estimate([same_words(answer) for answer in answers], answers),
        "determined": len(known) / len(steps),
        "exact_where_determined": estimate([same_words(answer) for answer in known], known),
        "exact_where_nothing_happens": estimate([same_words(answer) for answer in refused], refused),
        "kinds_of_misses": dict(Counter(domain.action_kind(a.step.action) for a in known if not same_words(a))),
        "unreadable": estimate([bool(answer.prediction.failure) for answer in answers], answers),
    }


def same_words(answer: Answer) -> bool:
    """Return whether an answer is the recorded one, but for the line of arrival, which those texts lack."""
    return re.sub(r"^You arrive at \w+ \d+\. ", "", answer.next_state) == answer.step.next_state


if __name__ == "__main__":
    typer.run(main)
