"""How faithful a dream of WebShop is, open loop, on held-out test tasks; and what grounding is worth.

``python benchmarks/fidelity.py [--part heldout|ablation|codec|growth]`` prints tables and writes
``results/fidelity.json`` and ``results/growth.svg``.
"""

from __future__ import annotations

import contextlib
import datetime
import enum
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from estimates import estimate
from machine import describe_machine
from rich.console import Console
from shoppers import run_vector

from dreamgym_env.cli.record import MIX
from dreamgym_env.domains import load_domain
from dreamgym_env.domains.webshop.observation import listings, visible
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.evaluation.ablation import ablate, ablation_table
from dreamgym_env.evaluation.agents import agent_factory
from dreamgym_env.evaluation.fidelity import MODEL, Answer, FidelityOptions, answer_all
from dreamgym_env.evaluation.fidelity_report import figures_json, report_fidelity
from dreamgym_env.evaluation.rollout import plan_episodes, play
from dreamgym_env.memory import ReplayBuffer, read_transitions, write_transitions
from dreamgym_env.simulation.simulator import SimulationOptions, Simulator
from dreamgym_env.training.record import parse_agent_shares, record_experience
from dreamgym_env.types import Domain, Memory, Prediction, Query, Transition, WorldModel
from dreamgym_env.world_model.build import EMBEDDED_PATH, world_model_from_string
from dreamgym_env.world_model.codec import CODECS
from dreamgym_env.world_model.language import LanguageWorldModel

RESULTS = Path(__file__).parent / "results" / "fidelity.json"
TRIED = RESULTS.with_name("tried.json")
SPLIT = "test"
_CODEC_STEPS = 8
SHARES = (0.0, 0.01, 0.1, 1.0)
_CONSOLE = Console(width=140)


class Part(enum.StrEnum):
    """What is measured."""

    HELDOUT = "heldout"
    ABLATION = "ablation"
    CODEC = "codec"
    GROWTH = "growth"


def main(
    part: Annotated[Part | None, typer.Option(help="Measure only this part.")] = None,
    episodes: Annotated[int, typer.Option(help="Held-out episodes, one task each.")] = 200,
    oracle_tasks: Annotated[int, typer.Option(help="Test tasks that the oracle plays for each share.")] = 100,
    world_model: Annotated[str, typer.Option(help="Who answers.")] = "embedded",
    tried: Annotated[str | None, typer.Option(help="Add held-out figures to results/tried.json by this name.")] = None,
) -> None:
    """Measure, print and write the results; a part that is not measured keeps what the file has."""
    if tried is not None:
        note_tried(tried, world_model, held_out(episodes))
        return
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    parts = [part] if part is not None else list(Part)
    run = {"date": datetime.date.today().isoformat(), "machine": describe_machine(), "world_model": world_model}
    results.setdefault("runs", {}).update({one.value: run for one in parts})
    domain = load_domain("webshop")
    steps = held_out(episodes)
    if Part.HELDOUT in parts:
        results["heldout"] = measure_held_out(domain, world_model, steps)
    if Part.ABLATION in parts:
        results["ablation"] = measure_ablation(domain, world_model, steps)
    if Part.CODEC in parts:
        results["codec"] = measure_codecs(domain, world_model)
    if Part.GROWTH in parts:
        results["growth"] = [measure_share(domain, world_model, steps, share, oracle_tasks) for share in SHARES]
        plot_growth(results["growth"], RESULTS.with_name("growth.svg"))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def note_tried(name: str, world_model: str, steps: Sequence[Transition]) -> None:
    """Measure fidelity of a model that is not shipped, and keep its figures under a name."""
    results: dict[str, Any] = json.loads(TRIED.read_text(encoding="utf-8")) if TRIED.exists() else {}
    figures = measure_held_out(load_domain("webshop"), world_model, steps)["overall"][MODEL]
    results[name] = {"date": datetime.date.today().isoformat(), "figures": figures}
    TRIED.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def held_out(episodes: int) -> list[Transition]:
    """Record a mix of agents on test tasks of the real engine."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heldout.jsonl"
        agents = parse_agent_shares(MIX)
        record_experience("webshop", path, agents=agents, episodes=episodes, split=SPLIT, seed=11, progress=False)
        return read_transitions(path)


def measure_held_out(domain: Domain, world_model: str, steps: Sequence[Transition]) -> dict[str, Any]:
    """Measure fidelity on held-out steps, and what is special about pages of results."""
    with (
        ReplayBuffer(domain) as buffer,
        contextlib.closing(world_model_from_string(world_model, domain)) as model,
    ):
        answers = answer_all(domain, model, buffer, steps, FidelityOptions(), progress=True)
    report = report_fidelity(domain, answers)
    for table in report.tables():
        _CONSOLE.print(table)
    unseen = [answer for answer in answers[MODEL] if is_unseen_search(domain, answer)]
    others = [answer for answer in answers[MODEL] if not is_unseen_search(domain, answer)]
    revisits = [answer for answer in answers[MODEL] if is_revisit(answer)]
    figures = {
        **report.to_json(),
        "page_kinds": {
            kind: sum(domain.page_kind(step.next_state) == kind for step in steps) / len(steps)
            for kind in sorted({domain.page_kind(step.next_state) for step in steps})
        },
        "unseen_searches": len(unseen) / len(steps),
        "exact_but_unseen_searches": estimate([answer.exact for answer in others], others),
        "shared_products": estimate([shared_products(answer) for answer in unseen], unseen),
        "revisits": estimate([answer.exact for answer in revisits], revisits),
    }
    _CONSOLE.print({name: figures[name] for name in list(figures)[-5:]})
    return figures


def is_unseen_search(domain: Domain, answer: Answer) -> bool:
    """Return whether a step shows a page of results that no recording of another task holds."""
    results = domain.page_kind(answer.step.next_state) == "results"
    searched = domain.action_kind(answer.step.action) in ("search", "next")
    return results and searched and answer.memory not in ("exact", "near")


def is_revisit(answer: Answer) -> bool:
    """Return whether a step leads back to a page that the episode has shown before."""
    step = answer.step
    return step.valid and step.next_state != step.state and step.next_state in {turn.state for turn in step.history}


def shared_products(answer: Answer) -> float:
    """Return the share of the real page's products that the dream's page lists."""
    pages = (answer.step.next_state, answer.next_state)
    real, dreamt = ({code for code, _, _ in listings(visible(page))} for page in pages)
    return len(real & dreamt) / len(real) if real else float(not dreamt)


def measure_ablation(domain: Domain, world_model: str, steps: Sequence[Transition]) -> dict[str, Any]:
    """Leave out one part after the other."""
    with (
        ReplayBuffer(domain) as buffer,
        contextlib.closing(world_model_from_string(world_model, domain)) as model,
    ):
        answers = answer_all(domain, model, buffer, steps, FidelityOptions(), progress=True)
        changed = ablate(domain, world_model, model.generator, buffer, steps, progress=True)
        variants = {"as it is": report_fidelity(domain, answers).overall[MODEL], **dict(changed)}
    _CONSOLE.print(ablation_table(variants))
    return {name: figures_json(found) for name, found in variants.items()}


def measure_codecs(domain: Domain, world_model: str) -> dict[str, Any]:
    """Compare writing a page by reference with writing it out: env steps a second of the same episodes in 32 lanes.

    A model that was trained on references cannot write pages out.  What that would cost is measured with the same
    weights, the same prompts and the same answers: in place of the references, as many tokens are decoded as the
    reasoning and the page written out have.
    """
    with ReplayBuffer(domain) as buffer, contextlib.closing(world_model_from_string(world_model, domain)) as model:
        edits = CountedModel(model)
        rates = {"edits": step_rate(domain, edits, buffer)}
        full = WrittenOutModel(model, edits.predictions, EMBEDDED_PATH if world_model == "embedded" else world_model)
        rates["full"] = step_rate(domain, full, buffer)
    tokens = {"edits": edits.tokens, "full": full.tokens}
    figures: dict[str, Any] = {
        name: {"tokens": sum(tokens[name]) / len(tokens[name]), "rate": rate} for name, rate in rates.items()
    }
    figures["token_ratio"] = figures["edits"]["tokens"] / figures["full"]["tokens"]
    figures["speedup"] = figures["edits"]["rate"] / figures["full"]["rate"]
    _CONSOLE.print(figures)
    return figures


def step_rate(domain: Domain, model: WorldModel, buffer: ReplayBuffer) -> float:
    """Return env steps a second of 32 lanes that act by a seed, without replay and memo."""
    options = SimulationOptions(replay=False, memo=False)
    dream = Simulator(domain, model, buffer, options, owns_model=False, owns_buffer=False)
    envs = TextVectorEnv(domain, dream, 32, SPLIT, autoreset_mode="SameStep")
    run_vector(envs, steps=1, seconds=60.0)  # what is read and made when first needed
    return run_vector(envs, steps=_CODEC_STEPS, seconds=600.0).rate


class CountedModel:
    """A world model, and what it said."""

    deterministic = True

    def __init__(self, model: LanguageWorldModel) -> None:
        """Wrap a world model."""
        self._model = model
        self.predictions: dict[tuple[object, ...], Prediction] = {}
        self.tokens: list[int] = []

    def predict(
        self, queries: Sequence[Query], memories: Sequence[Sequence[Memory]], seeds: Sequence[int]
    ) -> list[Prediction]:
        """Ask the world model."""
        found = self._model.predict(queries, memories, seeds)
        self.predictions.update(zip(map(question_of, queries), found, strict=True))
        self.tokens.extend(prediction.completion_tokens for prediction in found)
        return found

    def close(self) -> None:
        """Leave the world model open."""


class WrittenOutModel:
    """Says what another model said, and takes the time of writing the pages out."""

    deterministic = True

    def __init__(
        self, model: LanguageWorldModel, predictions: Mapping[tuple[object, ...], Prediction], path: str | Path
    ) -> None:
        """Load the weights once more, to decode with them as many tokens as are asked for."""
        from dreamgym_env.world_model.generators.hf.loading import load

        self._format = model.format
        self._predictions = predictions
        self._network, self._tokenizer = load(str(path).removeprefix("transformers:"), "cpu", "float32", {})
        self.tokens: list[int] = []

    def predict(
        self, queries: Sequence[Query], memories: Sequence[Sequence[Memory]], seeds: Sequence[int]
    ) -> list[Prediction]:
        """Decode answers of the right length, and return what was said before."""
        from dreamgym_env.world_model.generators.hf.decoding import Row, decode

        found = [self._predictions[question_of(query)] for query in queries]
        rows = []
        for query, near, prediction in zip(queries, memories, found, strict=True):
            prompt = self._format.prompt(self._format.viewer.view(query, near)).user
            segments = self._format.viewer.domain.segment(prediction.next_state, query.task.instruction)
            answer = f"{prediction.reasoning}<|state|>{CODECS['full'].encode(segments, {})}<|outcome|>continue"
            ids = self._tokenizer(prompt)["input_ids"]
            length = len(self._tokenizer(answer)["input_ids"]) + 1
            self.tokens.append(length)
            rows.append(Row(ids, min(length, self._network.config.max_position_embeddings - len(ids)), 0))
        decode(self._network, sorted(rows, key=lambda row: len(row.prompt)), 0.0, lambda tokens: False, 2_048)
        return found

    def close(self) -> None:
        """Leave everything open."""


def question_of(query: Query) -> tuple[object, ...]:
    """Return what tells one question from another."""
    return query.task.id, query.history, query.state, query.action


def query_of(domain: Domain, step: Transition) -> Query:
    """Return the question that a recorded step answers."""
    return Query(domain.task(step.task_id), step.history, step.state, step.action, step.episode)


def measure_share(
    domain: Domain, world_model: str, steps: Sequence[Transition], share: float, tasks: int
) -> dict[str, Any]:
    """Measure the dream where the buffer holds only a share of the episodes that were recorded on train tasks."""
    known = read_transitions(domain.seed_experience())
    names = list(dict.fromkeys(step.episode for step in known))
    kept = set(names[: round(share * len(names))])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "share.jsonl.gz"
        write_transitions(path, [step for step in known if step.episode in kept])
        experience = str(path) if kept else False
        with (
            ReplayBuffer(domain, seed_experience=experience) as buffer,
            contextlib.closing(world_model_from_string(world_model, domain)) as model,
        ):
            answers = answer_all(domain, model, buffer, steps, FidelityOptions(), progress=True)
            report = report_fidelity(domain, answers)
            options = SimulationOptions(evaluation=True)
            dream = Simulator(domain, model, buffer, options, owns_model=False, owns_buffer=False)
            envs = TextVectorEnv(domain, dream, 32, SPLIT, autoreset_mode="Disabled")
            plans = plan_episodes(domain.task_ids(SPLIT)[:tasks], "oracle", seed=0)
            rollout = play(envs, {"oracle": agent_factory(domain, "oracle")}, plans)
    exact = {name: figures["exact_match"] for name, figures in report.overall.items()}
    row = {
        "share": share,
        "episodes": len(kept),
        "transitions": sum(step.episode in kept for step in known),
        "exact_match": {name: one.to_json() for name, one in exact.items() if one is not None},
        "oracle_tasks": tasks,
        "oracle_solved": rollout.solved,
    }
    _CONSOLE.print(row)
    return row


def plot_growth(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw exact match and the oracle's success over the share of experience."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "growth"  # the same figures give the same file
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    places = range(len(rows))
    for system, colour in ((MODEL, "#1b6ca8"), ("nearest memory copied", "#999999")):
        found = [row["exact_match"][system] for row in rows]
        spread = [[one["value"] - one["low"] for one in found], [one["high"] - one["value"] for one in found]]
        values = [one["value"] for one in found]
        axes.errorbar(places, values, yerr=spread, marker="o", capsize=3, color=colour, label=f"exact match, {system}")
    solved = [row["oracle_solved"] / row["oracle_tasks"] for row in rows]
    axes.plot(places, solved, marker="s", linestyle="--", color="#c8553d", label="tasks that the oracle solves")
    axes.set_xticks(list(places), [f"{row['share']:.0%}\n{row['transitions']:,} steps" for row in rows])
    axes.set_xlabel("share of the recorded train episodes in the buffer")
    axes.set_ylim(0, 1.02)
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="best", fontsize=8)
    axes.set_title("DreamGym/WebShop-v0, held-out test tasks", fontsize=10)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    typer.run(main)
