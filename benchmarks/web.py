"""How true the dream of web sites is, on tasks of templates that it has no experience of.

``python benchmarks/web.py [--part PART] [--domain DOMAIN] [--recorded FILE] [--experience FILE]`` prints tables and
writes ``results/web.json``; a part that is not measured keeps what the file has.  Recording held-out episodes, and the
speed of the real side, need the extra of the domain and Chromium.

=============  ========================================================================================================
``heldout``    open loop: next states of recorded real episodes, by the composer alone and by the world model
``verdicts``   what the dream's verifier says of the same episodes, beside the real evaluators
``oracle``     the scripted oracle in the dream, with the composer alone and with the world model
``speed``      environment steps a second, of the dream and of real browsers, the same agents and tasks in both
=============  ========================================================================================================

"The composer alone" is the page that the domain composes for a question, copied; the state is repeated where it
composes none.  It shows what the world model is given, and needs no model.
"""

from __future__ import annotations

import contextlib
import datetime
import enum
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from estimates import estimate, without_reports
from machine import describe_machine
from rich.console import Console

import dreamgym_env  # noqa: F401 - registers the ids
from dreamgym_env.domains import load_domain
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.evaluation.agents import agent_factory
from dreamgym_env.evaluation.environments import make_lanes
from dreamgym_env.evaluation.fidelity import MODEL, Answer, FidelityOptions, answer_all, line_f1
from dreamgym_env.evaluation.fidelity_report import report_fidelity
from dreamgym_env.evaluation.rollout import Rollout, plan_episodes, play
from dreamgym_env.memory import ReplayBuffer
from dreamgym_env.memory.experience import read_transitions
from dreamgym_env.simulation.grounding import recorded_question
from dreamgym_env.simulation.simulator import Simulator
from dreamgym_env.simulation.stages import SimulationOptions
from dreamgym_env.training.record import parse_agent_shares, record_experience
from dreamgym_env.types import Domain, Memory, Prediction, Query, Source, Transition, WorldModel
from dreamgym_env.world_model.build import world_model_from_string

RESULTS = Path(__file__).parent / "results" / "web.json"
MIX = "oracle:0.4,noisy-oracle:0.4,random:0.2"
COMPOSER = "composer alone"
_LANES = 32
_CONSOLE = Console(width=140)


class Part(enum.StrEnum):
    """What is measured."""

    HELDOUT = "heldout"
    VERDICTS = "verdicts"
    ORACLE = "oracle"
    SPEED = "speed"


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured with what."""

    domain: str
    split: str
    episodes: int
    world_model: str
    """Empty for the composer alone."""
    recorded: Path | None
    experience: Path | None
    workers: int


class CopyingModel:
    """A world model that copies the composed memory; it repeats the state where there is none."""

    deterministic = True

    def predict(
        self, queries: Sequence[Query], memories: Sequence[Sequence[Memory]], seeds: Sequence[int]
    ) -> list[Prediction]:
        """Copy."""
        return [_copied(query, known) for query, known in zip(queries, memories, strict=True)]

    def close(self) -> None:
        """Do nothing."""


def _copied(query: Query, memories: Sequence[Memory]) -> Prediction:
    composed = next((one.transition for one in memories if one.transition.source is Source.COMPOSED), None)
    if composed is None:
        return Prediction("", query.state, 0.0, False)
    return Prediction(composed.reasoning, composed.next_state, 0.0, composed.terminated)


def main(
    part: Annotated[Part | None, typer.Option(help="Measure only this part.")] = None,
    domain: Annotated[str, typer.Option(help="webarena or miniwob.")] = "webarena",
    split: Annotated[str, typer.Option(help="Split of held-out tasks.")] = "test",
    recorded: Annotated[Path | None, typer.Option(help="Held-out real episodes; by default they are recorded.")] = None,
    experience: Annotated[Path | None, typer.Option(help="What the dream knows; by default what is shipped.")] = None,
    episodes: Annotated[int, typer.Option(help="Episodes that are recorded.")] = 200,
    workers: Annotated[int, typer.Option(help="Real browsers at a time.")] = os.cpu_count() or 1,
    world_model: Annotated[str, typer.Option(help="Who dreams; an empty text for the composer alone.")] = "embedded",
) -> None:
    """Measure, print and write the results."""
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    setting = Setting(domain, split, episodes, world_model, recorded, experience, workers)
    run = {"date": datetime.date.today().isoformat(), "machine": describe_machine(), "world_model": world_model}
    tables = results.setdefault(domain, {})
    steps = held_out(setting) if part in (None, Part.HELDOUT, Part.VERDICTS) else []
    measures = {
        Part.HELDOUT: lambda: measure_held_out(setting, steps),
        Part.VERDICTS: lambda: measure_verdicts(setting, steps),
        Part.ORACLE: lambda: measure_oracle(setting),
        Part.SPEED: lambda: measure_speed(setting),
    }
    for one, measure in measures.items():
        if part in (None, one):
            tables[one.value] = {**run, "figures": measure()}
            _CONSOLE.print(one.value, without_reports(tables[one.value]["figures"]))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def held_out(setting: Setting) -> list[Transition]:
    """Return the steps of held-out real episodes: those of a file, or of a recording that is made now."""
    if setting.recorded is not None:
        return read_transitions(setting.recorded)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heldout.jsonl"
        record_experience(
            setting.domain,
            path,
            agents=parse_agent_shares(MIX),
            episodes=setting.episodes,
            split=setting.split,
            seed=11,
            lanes=2 * setting.workers,
            settings={"workers": setting.workers},
        )
        return read_transitions(path)


@contextlib.contextmanager
def known(setting: Setting, domain: Domain) -> Iterator[ReplayBuffer]:
    """Open what the dream knows."""
    with ReplayBuffer(domain, seed_experience=str(setting.experience) if setting.experience else True) as buffer:
        yield buffer


def models(setting: Setting, domain: Domain) -> Iterator[tuple[str, WorldModel]]:
    """Yield who dreams, by name, and close them."""
    yield COMPOSER, CopyingModel()
    if setting.world_model:
        with contextlib.closing(world_model_from_string(setting.world_model, domain)) as model:
            yield setting.world_model, model


# --- open loop


def measure_held_out(setting: Setting, steps: Sequence[Transition]) -> dict[str, Any]:
    """Put the question of each recorded step to the composer, and to the world model; no guard, replay or memo."""
    domain = load_domain(setting.domain)
    figures: dict[str, Any] = {"episodes": len({step.episode for step in steps}), "steps": len(steps)}
    with known(setting, domain) as buffer:
        for name, model in models(setting, domain):
            answers = answer_all(domain, model, buffer, steps, FidelityOptions(), progress=True)[MODEL]
            figures[name] = {
                "exact": estimate([answer.exact for answer in answers], answers),
                "line_f1": estimate([lines_alike(domain, answer) for answer in answers], answers),
                "unreadable": estimate([bool(answer.prediction.failure) for answer in answers], answers),
                "seconds_per_step": sum(answer.seconds for answer in answers) / len(answers),
                "report": report_fidelity(domain, {MODEL: answers}).to_json(),
            }
    return figures


def lines_alike(domain: Domain, answer: Answer) -> float:
    """Return the F1 score of the lines of a predicted state."""
    instruction = answer.step.instruction
    return line_f1(domain.segment(answer.next_state, instruction), domain.segment(answer.step.next_state, instruction))


def measure_verdicts(setting: Setting, steps: Sequence[Transition]) -> dict[str, Any]:
    """Let the dream's verifier judge the real episodes that have ended, from their texts alone."""
    domain = load_domain(setting.domain)
    verifier = domain.verifier()
    if verifier is None:
        return {"verifier": "none"}
    ended = [step for step in steps if step.terminated]
    wrong = []
    for step in ended:
        query = recorded_question(domain, step)
        verdict = verifier.verify(query.task, query.history, query.state, query.action, step.next_state)
        if verdict.success != (step.reward > 0):
            wrong.append(step.task_id)
    return {
        "episodes": len(ended),
        "successes": sum(step.reward > 0 for step in ended),
        "agreement": 1 - len(wrong) / len(ended),
        "disagree": wrong,
    }


# --- whole episodes


def measure_oracle(setting: Setting) -> dict[str, Any]:
    """Let the scripted oracle play every held-out task in the dream."""
    domain = load_domain(setting.domain)
    figures: dict[str, Any] = {}
    with known(setting, domain) as buffer:
        for name, model in models(setting, domain):
            rollout = dreamt(setting, domain, buffer, model, "oracle")
            unsolved = [episode.task.id for episode in rollout.episodes if not episode.success]
            figures[name] = {
                "tasks": len(rollout.episodes),
                "solved": rollout.solved,
                "share": rollout.solved / len(rollout.episodes),
                "failures": rollout.failures,
                "unsolved": unsolved,
            }
    return figures


def dreamt(
    setting: Setting, domain: Domain, buffer: ReplayBuffer, model: WorldModel, agent: str, tasks: int | None = None
) -> Rollout:
    """Play an agent in the dream, one episode a held-out task."""
    options = SimulationOptions(evaluation=True)
    dream = Simulator(domain, model, buffer, options, owns_model=False, owns_buffer=False)
    envs = TextVectorEnv(domain, dream, _LANES, setting.split, autoreset_mode="Disabled")
    plans = plan_episodes(domain.task_ids(setting.split)[:tasks], agent, seed=0)
    return play(envs, {agent: agent_factory(domain, agent)}, plans)


def measure_speed(setting: Setting) -> dict[str, Any]:
    """Play the same agents and tasks in the dream and in real browsers, one after the other on the same machine."""
    domain = load_domain(setting.domain)
    figures: dict[str, Any] = {}
    tasks = min(setting.episodes, len(domain.task_ids(setting.split)))
    with known(setting, domain) as buffer:
        for name, model in models(setting, domain):
            dreamt(setting, domain, buffer, model, "oracle", tasks=_LANES)  # what is read once is read now
            rollout = dreamt(setting, domain, buffer, model, "oracle", tasks=tasks)
            figures[name] = {"lanes": _LANES, **speed(rollout)}
    real = make_lanes(setting.domain, 2 * setting.workers, real=True, split=setting.split, workers=setting.workers)
    try:
        table = {"oracle": agent_factory(real.domain, "oracle")}
        play(real, table, plan_episodes(real.domain.task_ids(setting.split)[: 2 * setting.workers], "oracle", seed=1))
        rollout = play(real, table, plan_episodes(real.domain.task_ids(setting.split)[:tasks], "oracle", seed=0))
    finally:
        real.close()
    figures["real"] = {"browsers": setting.workers, "lanes": 2 * setting.workers, **speed(rollout)}
    for name in list(figures)[:-1]:
        figures[name]["times_real"] = figures[name]["steps_per_second"] / figures["real"]["steps_per_second"]
    return figures


def speed(rollout: Rollout) -> dict[str, float]:
    """Return how fast a rollout was; the agents' own time is not in it."""
    return {
        "episodes": len(rollout.episodes),
        "steps": rollout.steps,
        "seconds": rollout.seconds,
        "steps_per_second": rollout.steps_per_second,
    }


if __name__ == "__main__":
    typer.run(main)
