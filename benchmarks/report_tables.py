"""The cells and tables of RESULTS.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["common", "measured", "percent", "shown", "table"]


def percent(figure: dict[str, Any] | None, *, interval: bool = False) -> str:
    """Return a ratio as a cell; a figure of nothing is a dash."""
    if figure is None:
        return "-"
    spread = f" ({figure['low']:.1%} - {figure['high']:.1%})" if interval else ""
    return f"{figure['value']:.1%}{spread}"


def common(row: dict[str, Any], *further: str) -> list[str]:
    """Return the cells that every throughput table has."""
    head = [f"{row['lanes']}", f"{row['rate']:,.1f}", *further]
    return [*head, f"{row['naive_rate']:,.1f}", f"{row['speedup']:.1f}", f"{row['guarded']:.0%}"]


def measured(results: dict[str, Any]) -> str:
    """Say when and on what."""
    machine = results["machine"]
    quick = ", a quick run (`--quick`: fewer steps and memories)" if results.get("quick") else ""
    return f"{results['date']}, {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB{quick}"


def shown(value: object) -> str:
    """Return a cell's text."""
    return f"{value:,.3g}" if isinstance(value, float) else str(value)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines) + "\n"
