"""Writes ``benchmarks/RESULTS.md`` and the embedded model's card, so that no figure there is typed by hand.

``python benchmarks/report.py`` after any of the measuring scripts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from report_domains import alfworld_games, compare, judge, web, webshop
from report_tables import common, measured, percent, shown, table
from transfer_results import transfer

FOLDER = Path(__file__).parent
MODEL_FOLDER = FOLDER.parent / "dreamgym_env" / "world_model" / "embedded"
INTRODUCTION = """# Results

Written by `python benchmarks/report.py` from the files in `benchmarks/results/`. Rates are of one machine on one day;
what carries over is the ratios, which were measured side by side in one run. Each figure names the environment that
it comes from: a dream's reward is not a result.
"""


def main() -> None:
    """Render every result file that is there."""
    parts = [INTRODUCTION]
    for name, render in RENDERERS.items():
        path = FOLDER / "results" / f"{name}.json"
        if path.exists():
            parts.extend(render(json.loads(path.read_text(encoding="utf-8"))))
    (FOLDER / "RESULTS.md").write_text("\n".join(parts), encoding="utf-8")
    measured_fidelity = FOLDER / "results" / "fidelity.json"
    if measured_fidelity.exists():
        figures = json.loads(measured_fidelity.read_text(encoding="utf-8"))
        settings = json.loads((MODEL_FOLDER / "dreamgym.json").read_text(encoding="utf-8"))
        (MODEL_FOLDER / "README.md").write_text(model_card(settings, figures), encoding="utf-8")


def throughput(results: dict[str, Any]) -> Iterable[str]:
    """Render ``throughput.json``."""
    yield "## Throughput\n\n`python benchmarks/throughput.py`.\n"
    runs = results["runs"]
    yield (
        "Replay and memo are off; the guard answers the share of steps given, all others ask the model. *Naive* is one "
        "environment after the other, one model call each, in the same run. *Times* is the batch over naive.\n"
    )
    if rows := results.get("overhead"):
        stages = list(rows[0]["stages_ms"])
        yield (
            f"(a) Our own overhead: an instant generator, {rows[0]['memories']:,} memories; stages in ms a step "
            f"({measured(runs['a'])}).\n"
        )
        yield table(
            ["envs", "steps/s", "steps/s without generate", "naive", "times", "guarded", *stages],
            [
                [*common(row, f"{row['own_rate']:,.0f}"), *(f"{row['stages_ms'][stage]:.3f}" for stage in stages)]
                for row in rows
            ],
        )
    if rows := results.get("server"):
        yield (
            "(b) An OpenAI-compatible server on loopback that takes 0.5 s a call and serves all calls at once "
            f"({measured(runs['b'])}). The ideal is two steps a second for each environment. A guarded step costs no "
            "call: under `step()` its lane waits for the others nevertheless, with `send` and `recv` it goes on.\n"
        )
        headings = ["envs", "step() steps/s", "of the ideal", "send/recv steps/s", "of the ideal", "asking the model"]
        yield table(
            [*headings, "naive", "times", "guarded"],
            [
                common(
                    row,
                    f"{row['of_ideal']:.1%}",
                    f"{row['async_rate']:,.1f}",
                    f"{row['async_of_ideal']:.1%}",
                    f"{row['async_of_ideal'] * (1 - row['async_guarded']):.1%}",
                )
                for row in rows
            ],
        )
    if rows := results.get("embedded"):
        yield f"(c) The embedded model ({measured(runs['c'])}).\n"
        yield table(["envs", "steps/s", "naive", "times", "guarded"], [common(row) for row in rows])
    if "import" in results:
        seconds, memory = results["import"], results["memory"]
        yield (
            f"`import dreamgym_env` takes {seconds['seconds']:.2f} s (gymnasium alone "
            f"{seconds['of_that_gymnasium']:.2f} s); `gym.make` and `reset` take {seconds['make_and_reset']:.2f} s "
            f"once the shipped experience is indexed. A process with {memory['memories']:,} memories open holds "
            f"{memory['resident_mib']:,.0f} MiB (peak {memory['peak_mib']:,.0f} MiB) and opens them in "
            f"{memory['open_seconds']:.2f} s.\n"
        )


def embedders(results: dict[str, Any]) -> Iterable[str]:
    """Render ``embedders.json``."""
    yield f"## Embedders\n\n`python benchmarks/embedders.py`, {measured(results)}.\n"
    rows = results["embedders"]
    yield table(list(rows[0]), [[shown(value) for value in row.values()] for row in rows])


def fidelity(results: dict[str, Any]) -> Iterable[str]:
    """Render ``fidelity.json``."""
    yield "## Fidelity of the dream of WebShop\n\n`python benchmarks/fidelity.py`.\n"
    if held_out := results.get("heldout"):
        yield from _held_out(held_out, results["runs"]["heldout"])
    if variants := results.get("ablation"):
        yield f"One part changed at a time, on the same steps ({measured(results['runs']['ablation'])}).\n"
        columns = ("exact_match", "line_f1", "reward_accuracy", "false_success", "parse_failures")
        yield table(
            ["variant", *(column.replace("_", " ") for column in columns), "tokens written a step"],
            [
                [name, *(percent(found[column]) for column in columns), f"{found['completion_tokens']['value']:.1f}"]
                for name, found in variants.items()
            ],
        )
    if codec := results.get("codec"):
        yield (
            f"Writing a page by reference (`edits`) or out (`full`): the same weights, prompts and episodes, 32 "
            f"lanes, replay and memo off ({measured(results['runs']['codec'])}). The model cannot write pages out; "
            "`full` takes the time of decoding as many tokens as that takes, up to the end of its context.\n"
        )
        yield table(
            ["codec", "tokens written a step", "env steps/s"],
            [[name, f"{codec[name]['tokens']:.1f}", f"{codec[name]['rate']:.1f}"] for name in ("edits", "full")],
        )
        yield f"`edits` writes {codec['token_ratio']:.1%} of the tokens and is {codec['speedup']:.1f} times as fast.\n"
    if shares := results.get("growth"):
        yield (
            f"What grounding is worth: the same model with a share of the recorded episodes "
            f"({measured(results['runs']['growth'])}); the scripted oracle plays {shares[0]['oracle_tasks']} test "
            f"tasks in each dream.\n"
        )
        yield table(
            ["share", "transitions", "exact match", "nearest memory copied", "oracle solves in the dream"],
            [
                [
                    f"{row['share']:.0%}",
                    f"{row['transitions']:,}",
                    *(percent(row["exact_match"][system]) for system in ("world model", "nearest memory copied")),
                    f"{row['oracle_solved'] / row['oracle_tasks']:.0%}",
                ]
                for row in shares
            ],
        )
        yield "![exact match and oracle success by share of experience](results/growth.svg)\n"


def model_card(settings: dict[str, Any], figures: dict[str, Any]) -> str:
    """Return the embedded model's card in the form of the Hugging Face hub."""
    training, held_out = settings["training"], figures["heldout"]
    before = settings.get("before")
    shape = before or training
    model = held_out["overall"]["world model"]
    rows = [
        ["next state exact", percent(model["exact_match"], interval=True)],
        ["... but for new searches' results", percent(held_out["exact_but_unseen_searches"], interval=True)],
        ["products that these share with the real page", percent(held_out["shared_products"], interval=True)],
        ["pages shown again the same, by the model alone", percent(held_out["revisits"], interval=True)],
        ["success by the verifier", percent(model["verified_reward_accuracy"], interval=True)],
        ["success by the model's own word", percent(model["reward_accuracy"], interval=True)],
        ["... false, of the steps that are none", percent(model["false_success"], interval=True)],
        ["... missed, of those that are one", percent(model["missed_success"], interval=True)],
        ["answers that cannot be read", percent(model["parse_failures"], interval=True)],
    ]
    return f"""---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
---

# The embedded world model

A causal language model of {training["parameters"] / 1e6:.1f} M parameters (Llama architecture, {shape["layers"]}
layers of width {shape["hidden"]}, a vocabulary of {shape["vocabulary"]:,} tokens of its own) that answers what a
text environment does: one sentence of reasoning, then the next page by reference to pages that its prompt names
(codec `{settings["codec"]}`, format `{settings["format"]}`). It is no language model for anything else: it selects and
joins pages that memories hold, and invents nothing useful where they hold nothing. Domains: \
{", ".join(settings["domains"])}.

- **Data**: {training["examples"]:,} examples drawn from the seed experience that the package ships (`make seed`:
  scripted agents in the real environment, train tasks only; reasons by the domain's rules), each grounded in memories
  of other episodes, part of them with the task's own recordings, or all memories of the same action, hidden. Each
  domain's experience is learnt from once more as an environment that nobody described (`DreamGym/Recorded-v0`).
- **Training**: {_trained(before, f"from scratch on {', '.join(before['domains'])}") + "; then " if before else ""}\
{_trained(training, f"on {', '.join(settings['domains'])}" if before else "from scratch")}. The loss is that of the
  answer's tokens alone. To train it on all domains from scratch: `make embedded`, five minutes on such a GPU.
  (RESULTS.md tells what shorter trainings gave.)
- **Figures** ({measured(figures["runs"]["heldout"])}; `python benchmarks/fidelity.py --part heldout`): open loop on
  {held_out["steps"]:,} steps of {held_out["episodes"]} episodes on test tasks in `DreamGymReal/WebShop-v0`; guard,
  replay and memo off, nothing recorded of a step's own task among its memories; 95 % intervals.

{table(["figure", "measured"], rows)}"""


def _trained(training: dict[str, Any], on: str) -> str:
    """Say how a training went."""
    device = "one NVIDIA H100" if training["device"] == "cuda" else "a CPU"
    return (
        f"{on}, {training['examples']:,} examples, {training['steps']:,} steps of {training['batch_size']} on "
        f"{device}, peak learning rate {training['learning_rate']}, seed {training['seed']}, {training['loss']:.3f} "
        f"nats a token on average and {training['final_loss']:.4f} over the last tenth"
    )


def _held_out(results: dict[str, Any], run: dict[str, Any]) -> Iterable[str]:
    kinds = ", ".join(f"{kind} {share:.1%}" for kind, share in results["page_kinds"].items())
    yield (
        f"Open loop on {results['steps']:,} steps of {results['episodes']} episodes on test tasks in the real engine "
        f"({measured(run)}): every step is asked by itself, nothing recorded of its own task is among the memories; "
        f"guard, replay and memo are off. 95 % intervals, bootstrap over episodes. Pages that follow: {kinds}.\n"
    )
    model = results["overall"]["world model"]
    figures = ("exact_match", "line_f1", "reward_accuracy", "termination_accuracy", "false_success", "missed_success")
    verified = ("verified_reward_accuracy", "verified_false_success")
    yield table(
        ["system", *(name.replace("_", " ") for name in (*figures, *verified, "parse_failures"))],
        [
            [system, *(percent(found[name], interval=True) for name in (*figures, *verified, "parse_failures"))]
            for system, found in results["overall"].items()
        ],
    )
    yield (
        f"Results of a search that was never recorded are {results['unseen_searches']:.1%} of the steps: such a page "
        f"shows {percent(results['shared_products'], interval=True)} of the real page's products. All other steps are "
        f"exact in {percent(results['exact_but_unseen_searches'], interval=True)}. A page that the episode has shown "
        f"before is the same again in {percent(results['revisits'])} of {results['revisits']['count']} revisits "
        "by the model alone; in a dream the simulator keeps such pages. A step reads "
        f"{model['prompt_tokens']['value']:.0f} tokens and writes {model['completion_tokens']['value']:.1f}.\n"
    )
    yield "The model by kind of step:\n"
    yield table(
        ["steps", "n", *(name.replace("_", " ") for name in (*figures, "parse_failures"))],
        [
            [
                f"{division}: {name}",
                found["exact_match"]["count"],
                *(percent(found[f]) for f in (*figures, "parse_failures")),
            ]
            for division, classes in results["strata"]["world model"].items()
            for name, found in classes.items()
        ],
    )


def speculation(results: dict[str, Any]) -> Iterable[str]:
    """Render ``speculation.json``."""
    yield "## Copying by the engine beside `edits`\n\n`python benchmarks/speculation.py`.\n"
    if passes := results.get("passes"):
        yield (
            f"Forward passes for the right answer to {results['runs']['passes']['prompts']} held-out steps, in the "
            f"format `chat`, which shows whole pages ({results['runs']['passes']['date']}; counted, not timed: prompt "
            "lookup is followed exactly, the tokenizer is the embedded model's).\n"
        )
        yield table(
            ["codec", "tokens = passes without lookup", "passes with prompt lookup"],
            [[name, f"{row['tokens']:.1f}", f"{row['passes_with_lookup']:.1f}"] for name, row in passes.items()],
        )
    for engine in ("transformers", "vllm"):
        if ways := results.get(engine):
            yield (
                f"The embedded model (`edits`, format `compact`) in {engine}, on as many prompts "
                f"({measured(results['runs'][engine])}).\n"
            )
            yield table(
                ["way", "tokens an answer", "answers/s", "same answers as the first way"],
                [
                    [name, f"{row['tokens']:.1f}", f"{row['rate']:.1f}", f"{row['same_answers']:.0%}"]
                    for name, row in ways.items()
                ],
            )


def tried(results: dict[str, Any]) -> Iterable[str]:
    """Render ``tried.json``."""
    yield "## Embedded models that were tried\n\n`python benchmarks/fidelity.py --part heldout --tried NAME`.\n"
    yield "Open loop on the same held-out steps as above; success is by the model's own word.\n"
    columns = ("exact_match", "false_success", "missed_success", "parse_failures")
    yield table(
        ["model", "date", *(column.replace("_", " ") for column in columns)],
        [
            [name, row["date"], *(percent(row["figures"][column], interval=True) for column in columns)]
            for name, row in results.items()
        ],
    )


def textworld_recorded(results: dict[str, Any]) -> Iterable[str]:
    """Render ``textworld_recorded.json``."""
    games, training = results["games"], results["training"]
    yield f"## A recorded environment: TextWorld\n\n`python benchmarks/textworld_recorded.py`, {measured(results)}.\n"
    yield (
        f"`DreamGym/Recorded-v0` knows {games['transitions']:,} recorded transitions of {games['recorded']} games of "
        f"TextWorld {results['textworld']}; the embedded model was fine-tuned on them for {training['steps']:,} steps "
        f"in {training['seconds']:,.0f} s. Open loop on {games['asked']:,} real steps of {games['unseen']} "
        "other games; success is by the model's own word:\n"
    )
    reports = results["fidelity"]
    floors = {name: row for name, row in reports["embedded"]["overall"].items() if name != "world model"}
    rows = {name: report["overall"]["world model"] for name, report in reports.items()} | floors
    columns = ("exact_match", "line_f1", "termination_accuracy", "missed_success", "parse_failures")
    yield table(
        ["answers", *(column.replace("_", " ") for column in columns)],
        [[name, *(percent(row[column], interval=True) for column in columns)] for name, row in rows.items()],
    )


RENDERERS = {
    "throughput": throughput,
    "webshop": webshop,
    "compare": compare,
    "transfer": transfer,
    "judge": judge,
    "fidelity": fidelity,
    "tried": tried,
    "textworld_recorded": textworld_recorded,
    "speculation": speculation,
    "alfworld_games": alfworld_games,
    "web": web,
    "embedders": embedders,
}


if __name__ == "__main__":
    main()
