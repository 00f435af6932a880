"""How a comparison was made, as names and values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dreamgym_env.evaluation.report.reading import items, number, part, text
from dreamgym_env.evaluation.report.wording import count

__all__ = ["about_facts", "summary_facts"]


def summary_facts(comparison: Mapping[str, Any]) -> list[str]:
    """Return what was compared on what, in a few words each."""
    about = part(comparison, "about")
    agents, tasks, seeds = len(items(comparison, "agents")), number(about.get("tasks")), items(about, "seeds")
    facts = []
    if agents:
        facts.append(_many(agents, "agent"))
    if tasks is not None:
        split = text(about, "split")
        facts.append(f"{_many(tasks, 'task')} of split {split}" if split else _many(tasks, "task"))
    if seeds:
        facts.append(_many(len(seeds), "seed"))
    if model := text(about, "world_model"):
        facts.append(f"world model {model}")
    if date := text(about, "date"):
        facts.append(date)
    return facts


def about_facts(comparison: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names and values of everything that the comparison says of itself."""
    return list(_facts(part(comparison, "about")))


def _facts(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    names = {"date": "date", "machine": "machine", "domain": "domain", "split": "split", "tasks": "tasks"}
    for key, name in names.items():
        if about.get(key) is not None:
            yield name, _written(about[key])
    if seeds := items(about, "seeds"):
        yield "seeds", ", ".join(map(_written, seeds))
    if model := text(about, "world_model"):
        yield "world model", model
    memories = part(about, "memories")
    if (transitions := number(memories.get("transitions"))) is not None:
        sources = ", ".join(f"{source} {count(number(many))}" for source, many in part(memories, "sources").items())
        yield "memories", f"{count(transitions)} transitions{f' ({sources})' if sources else ''}"
    if (known := number(about.get("tasks_in_buffer"))) is not None:
        yield "compared tasks in the buffer", count(known)
    for package, version in part(about, "versions").items():
        yield f"version of {package}", _written(version)
    for setting, value in part(about, "settings").items():
        yield f"setting {setting}", _written(value)


def _written(value: Any) -> str:
    """Write a JSON value."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _many(number_of: float, what: str) -> str:
    return f"{count(number_of)} {what}{'' if number_of == 1 else 's'}"
