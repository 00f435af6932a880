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
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from machine import describe_machine
from rich.console import Console

from dreamgym_env.cli.record import MIX
from dreamgym_env.domains import load_domain
from dreamgym_env.domains.webshop.observation import listings, visible
from dreamgym_env.envs.text_vector_env import TextVectorEnv
from dreamgym_env.evaluation.ablation import ablate, ablation_table
from dreamgym_env.evaluation.agents import agent_factory
from dreamgym_env.evaluation.fidelity import MODEL, Answer, FidelityOptions, answer_all
from dreamgym_env.evaluation.fidelity_report import figures_json, report_fidelity
from dreamgym_env.evaluation.intervals import ratio_estimates
from dreamgym_env.evaluation.rollout import plan_episodes, play
from dreamgym_env.memory import ReplayBuffer, read_transitions, write_transitions
from dreamgym_env.simulation.grounding import Grounding
from dreamgym_env.simulation.simulator import SimulationOptions, Simulator
from dreamgym_env.training.record import parse_agent_shares, record_experience
from dreamgym_env.types import Domain, Query, Transition
from dreamgym_env.world_model.build import EMBEDDED_PATH, format_settings, prompt_format, world_model_from_string
from dreamgym_env.world_model.codec import CODECS

RESULTS = Path(__file__).parent / "results" / "fidelity.json"
TRIED = RESULTS.with_name("tried.json")
SPLIT = "test"
_REPEATS = 3
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
        results["codec"] = measure_codecs(domain, world_model, steps)
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


def estimate(values: Sequence[float], answers: Sequence[Answer]) -> dict[str, float | int]:
    """Return the mean of one value a step, with its interval over episodes."""
    import numpy as np

    above = np.array(values, dtype=np.float64)[:, None]
    (found,) = ratio_estimates(above, np.ones_like(above), [answer.step.episode for answer in answers], 0)
    assert found is not None
    return found.to_json()


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


def measure_codecs(domain: Domain, world_model: str, steps: Sequence[Transition]) -> dict[str, Any]:
    """Compare writing a page by reference with writing it out, in tokens and in time.

    A model that was trained on references cannot write pages out.  What that would cost is measured with the same
    weights and the same prompts, decoded for as many tokens as the real answer has in each codec.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from dreamgym_env.world_model.generators.hf.decoding import Row, decode

    path = EMBEDDED_PATH if world_model == "embedded" else world_model.partition(":")[2]
    tokenizer = AutoTokenizer.from_pretrained(path)
    network = AutoModelForCausalLM.from_pretrained(path, dtype="float32").eval()
    written_by = prompt_format(domain, **format_settings(str(path)))
    batch = [step for step in steps if step.valid][:32]
    queries = [query_of(domain, step) for step in batch]
    with ReplayBuffer(domain) as buffer:
        memories = Grounding(domain, buffer).retrieve(queries, 5, exclude_episode=True, exclude_task=True)
    views = [written_by.viewer.view(query, found) for query, found in zip(queries, memories, strict=True)]
    prompts = [tokenizer(written_by.prompt(view).user)["input_ids"] for view in views]
    figures: dict[str, Any] = {}
    measured: dict[str, tuple[list[int], list[Row]]] = {}
    for name in ("edits", "full"):
        lengths = []
        for step, view in zip(batch, views, strict=True):
            told = domain.teach(step, [one.memory for one in written_by.shown(view)])
            segments = domain.segment(told.next_state, step.instruction)
            written = CODECS[name].encode(segments, view.pages)
            answer = f"{told.reasoning}<|state|>{written}<|outcome|>continue"
            lengths.append(len(tokenizer(answer)["input_ids"]) + 1)
        room = min(network.config.max_position_embeddings - len(prompt) for prompt in prompts)
        rows = [
            Row(prompt, min(length, room), 0)
            for prompt, length in sorted(zip(prompts, lengths, strict=True), key=lambda pair: len(pair[0]))
        ]
        measured[name] = lengths, rows
    seconds: dict[str, list[float]] = {name: [] for name in measured}
    for name in ("edits", *(list(measured) * _REPEATS)):  # the first warms up; then in turn, and the best counts
        for row in measured[name][1]:
            row.tokens.clear()
        began = time.perf_counter()
        decode(network, measured[name][1], 0.0, lambda tokens: False, 2_048)
        seconds[name].append(time.perf_counter() - began)
    for name, (lengths, rows) in measured.items():
        best = min(seconds[name])
        figures[name] = {"tokens": sum(lengths) / len(lengths), "seconds": best, "rate": len(rows) / best}
    figures["token_ratio"] = figures["edits"]["tokens"] / figures["full"]["tokens"]
    figures["speedup"] = figures["full"]["seconds"] / figures["edits"]["seconds"]
    _CONSOLE.print(figures)
    return figures


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
