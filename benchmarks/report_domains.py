"""What RESULTS.md tells of each domain: how true its dream is, beside its real environment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from report_tables import measured, percent, table

from dreamgym_env.evaluation.report import markdown_table

__all__ = ["alfworld_games", "compare", "judge", "web", "webshop"]

_SOURCES = {"generated": "generated games of the test split, whose rooms are in no other"}


def webshop(results: dict[str, Any]) -> Iterable[str]:
    """Render ``webshop.json``."""
    yield f"## WebShop, the real one\n\n`python benchmarks/webshop.py --data FOLDER`, {measured(results)}.\n"
    if sessions := results.get("recorded_sessions"):
        yield (
            f"Sessions recorded in the original WebShop, replayed in `DreamGymReal/WebShop-v0` on the original's data "
            f"({sessions['date']}): "
            f"{sessions['sessions']} sessions, {sessions['identical']:.1%} of {sessions['transitions']} transitions "
            f"identical (text, clickables, score, end), result pages share {sessions['shared_products']:.1%} of their "
            f"products, {sessions['equal_final_rewards']:.0%} of final rewards equal.\n"
        )
    yield "Scripted agents in the real engine, all test and eval tasks of the shipped shop:\n"
    yield table(
        ["agent", "env", "tasks", "success", "mean score", "env steps/s"],
        [
            [
                agent,
                "`DreamGymReal/WebShop-v0`",
                row["tasks"],
                f"{row['success']:.1%}",
                f"{row['score']:.2f}",
                f"{row['steps_per_second']:,.0f}",
            ]
            for agent, row in results["agents_in_real"].items()
        ],
    )


def side_by_side(rows: Sequence[dict[str, Any]]) -> str:
    """Return the table of agents in the dream and in the real environment."""
    return table(
        [
            *("agent", "tasks", "solved in dream", "solved in real", "same outcome", "dream's actions in real"),
            *("consistency", "model failures", "dream steps/s", "real steps/s"),
        ],
        [
            [
                row["agent"],
                row["tasks"],
                row["dream"]["solved"],
                row["real"]["solved"],
                f"{row['agreement']['share']:.0%}",
                row["dream_actions_in_real"]["solved"],
                row["consistency_ratio"] if row["consistency_ratio"] is not None else "none solved",
                row["dream"]["model_failures"],
                f"{row['dream']['steps_per_second']:,.1f}",
                f"{row['real']['steps_per_second']:,.0f}",
            ]
            for row in rows
        ],
    )


def alfworld_games(results: dict[str, Any]) -> Iterable[str]:
    """Render ``alfworld_games.json``."""
    yield (
        "## ALFWorld, dream and real\n\n`python benchmarks/alfworld_games.py`, with `--games FILE --split SPLIT` for "
        "games of one's own, and `--knowagent FOLDER`. All experience is the shipped one, recorded in generated games "
        "of the train split. Open loop: guard, replay and memo are off, nothing recorded of a step's own task is among "
        "its memories; 95 % intervals over episodes. A transition is *determined* where the texts before it tell the "
        "answer: it describes no receptacle that was not described before.\n"
    )
    sources = {name: found for name, found in results.items() if name != "knowagent"}
    for name, parts in sources.items():
        run = next(iter(parts.values()))
        yield f"### {_SOURCES.get(name, f'official games, {name}').capitalize()} ({measured(run)})\n"
        yield table(["figure", "measured", "over"], list(_alfworld_rows(parts)))
        earlier = [part for part, found in parts.items() if found["world_model"] != "embedded"]
        if earlier:
            yield f"Measured with the embedded model's weights before the last training: {', '.join(earlier)}.\n"
        if beside := parts.get("beside"):
            yield (
                f"The same agent on the same games in the dream and in the real engine ({beside['date']}; `python "
                "benchmarks/compare.py --domain alfworld --name official --option=--set --option=games=FILE "
                f"--option=--split --option={name}` measures it anew, and more):\n"
            )
            yield side_by_side(beside["figures"])
    if knowagent := results.get("knowagent"):
        found = knowagent["figures"]
        earlier_weights = "" if knowagent["world_model"] == "embedded" else ", with weights before the last training"
        share = f", one in {found['every']}" if found["every"] > 1 else ""
        yield (
            f"### Recorded episodes of another's agent ({measured(knowagent)})\n\n{found['episodes']:,} episodes of "
            f"KnowAgent{share} ({found['steps']:,} steps{earlier_weights}, "
            "official train games of an older version of the data; where things are is not known; how their texts were "
            "mapped is told in `benchmarks/knowagent.py`): exact "
            f"{percent(found['exact'], interval=True)}; on the {found['determined']:.1%} of the steps whose answer the "
            f"texts determine {percent(found['exact_where_determined'], interval=True)}; where nothing happens "
            f"{percent(found['exact_where_nothing_happens'], interval=True)}; unreadable "
            f"{percent(found['unreadable'], interval=True)}.\n"
        )


def _alfworld_rows(parts: dict[str, Any]) -> Iterable[list[object]]:
    """Yield (figure, measured, over what) of one source of games."""
    if "heldout" in parts:
        found = parts["heldout"]["figures"]
        told, untold = found["with_facts"], found["without_facts"]
        over = f"{found['steps']:,} steps of {found['episodes']} episodes"
        yield ["next state exact, with facts", percent(told["exact"], interval=True), over]
        yield ["... without facts, all transitions", percent(untold["exact"], interval=True), over]
        yield [
            "... without facts, determined ones",
            percent(untold["exact_where_determined"], interval=True),
            f"{untold['determined']:.1%} of them",
        ]
        if "composed_exact" in told:
            floors = " / ".join(percent(part["composed_exact"]) for part in (told, untold))
            yield ["... by what the domain composes, no model asked, with / without facts", floors, over]
        yield ["answers that cannot be read, with facts", percent(told["unreadable"], interval=True), over]
        yield ["success by the verifier, with facts", percent(told["verdict"], interval=True), over]
        yield ["success by the model's own word, with facts", percent(told["own_word"], interval=True), over]
    if "candidates" in parts:
        candidates = parts["candidates"]["figures"]
        yield ["candidate actions, precision", f"{candidates['precision']:.2%}", "real episodes of three agents"]
        yield ["candidate actions, recall", f"{candidates['recall']:.2%}", "the same"]
    for facts, name in (("with_facts", "with facts"), ("without_facts", "without facts")):
        if "consistent" in parts:
            found = parts["consistent"]["figures"][facts]
            over = f"{found['episodes']} random episodes, {found['steps']:,} steps, in the dream"
            yield [f"episodes that never contradict themselves, {name}", f"{found['consistent']:.1%}", over]
    if "demos" in parts:
        found = parts["demos"]["figures"]
        over = f"{found['demonstrations']} of {found['games']} real games"
        yield ["walks of the oracle solved in the dream, too", f"{found['share']:.1%}", over]
        yield ["... with the same texts throughout", f"{found['same_texts_throughout']:.1%}", over]


def web(results: dict[str, Any]) -> Iterable[str]:
    """Render ``web.json``."""
    yield (
        "## Web pages, dream and real\n\n`python benchmarks/web.py`, with `--domain miniwob` for MiniWoB++. Held-out "
        "episodes of three agents were recorded in a real Chromium, on tasks of the test split (on the bundled sites: "
        "of templates that no other split has). Open loop: guard, replay and memo are off, nothing recorded of a "
        "step's own task is among its memories; 95 % intervals over episodes. *Composed* is what the domain composes "
        "for a question, copied without a model.\n"
    )
    for domain, parts in results.items():
        runs = ", ".join(f"{part} {found['date']}" for part, found in parts.items())
        name = {"webarena": "The bundled sites", "miniwob": "MiniWoB++"}[domain]
        yield f"### {name} ({measured(next(iter(parts.values())))}; {runs})\n"
        yield table(["figure", "embedded model", "composed", "over"], list(_web_rows(parts)))


def _web_rows(parts: dict[str, Any]) -> Iterable[list[object]]:
    """Yield (figure, by the embedded model, by the composer alone, over what)."""
    if "heldout" in parts:
        found = parts["heldout"]["figures"]
        model, composed = found["embedded"], found["composer alone"]
        over = f"{found['steps']:,} real steps of {found['episodes']} episodes"
        for key, name in (
            ("exact", "next state exact"),
            ("line_f1", "line F1 of the next state"),
            ("unreadable", "answers that cannot be read"),
        ):
            yield [name, percent(model[key], interval=True), percent(composed[key], interval=True), over]
        own = model["report"]["overall"]["world model"]
        yield ["success by the model's own word", percent(own["reward_accuracy"], interval=True), "-", over]
    if agreement := parts.get("verdicts", {}).get("figures", {}).get("agreement"):
        found = parts["verdicts"]["figures"]
        over = f"{found['episodes']} real episodes that ended, {found['successes']} of them with success"
        yield ["the dream's verdicts agree with the real evaluators", f"{agreement:.1%}", "-", over]
    if "oracle" in parts:
        found = parts["oracle"]["figures"]
        model, composed = found["embedded"], found["composer alone"]
        yield [
            "the oracle's scripts reach success in the dream",
            f"{model['share']:.1%}",
            f"{composed['share']:.1%}",
            f"{model['tasks']} test tasks",
        ]
    if "speed" in parts:
        found = parts["speed"]["figures"]
        model, composed, real = found["embedded"], found["composer alone"], found["real"]
        yield [
            "env steps/s, 32 lanes",
            f"{model['steps_per_second']:.1f}",
            f"{composed['steps_per_second']:.1f}",
            f"{model['steps']:,} steps",
        ]
        yield [
            "... times the real browser's",
            f"{model['times_real']:.1f}",
            f"{composed['times_real']:.1f}",
            f"{real['browsers']} browsers, {real['lanes']} lanes: {real['steps_per_second']:.2f} steps/s",
        ]


def compare(results: dict[str, Any]) -> Iterable[str]:
    """Render ``compare.json``."""
    yield (
        "## Dream beside reality\n\n`python benchmarks/compare.py --domain DOMAIN` runs `dreamgym compare` "
        "([docs/compare.md](../docs/compare.md)): the same agents, tasks and seeds in both environments, and the "
        "actions of each taken again in the other. Guard and memo are on, as a user has them; nothing recorded of a "
        "test task is in the buffer.\n"
    )
    for name, run in results.items():
        found = run["found"]
        yield f"### {name} ({measured(run)})\n"
        yield f"`{run['command']}`, {run['seconds'] / 60:.0f} minutes; [the report](../docs/reports/{name}.html).\n"
        yield markdown_table(found)
        yield "\n".join(f"- {sentence}" for sentence in (*found["verdict"], *found["warnings"])) + "\n"
        yield table(["over all agents", "figure", "over"], list(_compared_rows(found)))


def _compared_rows(found: dict[str, Any]) -> Iterable[list[object]]:
    """Yield (figure, value, over what)."""
    ranks, drift, calibration = found["ranks"], found["drift"], found["calibration"]
    agents = f"{ranks['agents']} agents, redrawn tasks"
    for measure in ("spearman", "kendall"):
        if one := ranks[measure]:
            interval = f"{one['value']:.3f} ({one['low']:.3f} - {one['high']:.3f})"
            yield [
                f"{measure.capitalize()}, success in {found['dream']['id']} and {found['real']['id']}",
                interval,
                agents,
            ]
    if others := ranks.get("spearman_across_agents"):
        interval = f"{others['low']:.2f} - {others['high']:.2f}, p = {others['p']:.2g}"
        yield ["Spearman of other agents, were these drawn at random", interval, f"{ranks['agents']} agents"]
    claimed = [agent["false_success"] for agent in found["agents"] if agent["false_success"]]
    total = sum(one["count"] for one in claimed)
    if total:
        false = sum(one["value"] * one["count"] for one in claimed)
        yield ["false successes among the dream's successes", f"{false / total:.2%}", f"{total:,} successes"]
    for at in (0, len(drift) // 2, len(drift) - 1) if drift else ():
        step = drift[at]
        yield [
            f"exact pages at step {step['step']}, closed loop",
            percent(step["exact"]),
            f"{step['episodes']:,} episodes",
        ]
    if calibration:
        errors = f"{calibration['before']['mse']:.4f} before, {calibration['after']['mse']:.4f} after"
        yield ["squared error of dream scores, calibrated on other tasks", errors, f"{calibration['tested']} tasks"]
    for judge in found["judges"]:
        for question, marks in judge["marks"].items():
            sides = [f"{marks[side]['value']:.2f}" if marks.get(side) else "-" for side in ("dream", "real")]
            count = judge["judged"].get("dream", 0)
            yield [f"{question}, of 2, by {judge['judge']}: dream, real", " and ".join(sides), f"{count} steps a side"]


def judge(results: dict[str, Any]) -> Iterable[str]:
    """Render ``judge.json``."""
    yield (
        f"## The rule-based judge\n\n`python benchmarks/judge.py` ({results['machine']['processor']}): of "
        f"{results['sample']:,} steps of each domain's shipped experience, the share that gets full marks for causal "
        "consistency / informativeness / hallucination, and for all three; then the same steps spoilt in known ways "
        "([docs/judge.md](../docs/judge.md)). A dash: the domain has no such steps.\n"
    )
    marks = results["full_marks"]
    kinds = list(dict.fromkeys(kind for found in marks.values() for kind in found))
    rows = [[kind, *(_full_marks(found.get(kind)) for found in marks.values())] for kind in kinds]
    yield table(["steps", *marks], rows)


def _full_marks(found: dict[str, float] | None) -> str:
    if not found:
        return "-"
    shares = [found[name] for name in ("causal_consistency", "informativeness", "hallucination")]
    return f"{' / '.join(f'{share:.1%}' for share in shares)}: {found['all']:.1%}"
