"""The main figures of a comparison as a Markdown table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dreamgym_env.evaluation.report.cells import Cell, Column, environment_ids
from dreamgym_env.evaluation.report.reading import part
from dreamgym_env.evaluation.report.sheets import agents_sheet
from dreamgym_env.evaluation.report.wording import visible

__all__ = ["markdown_table"]

_SPECIAL = re.compile(r"[\\`*_\[\]<>!|~&$@:]")


def markdown_table(comparison: Mapping[str, Any]) -> str:
    """Return one row an agent, for a README: the same columns as the report's first table.

    Every column is headed by the id of the environment that its numbers come from.  Names are escaped, so that they can
    neither break the table nor be read as Markdown or HTML.
    """
    sheet = agents_sheet(comparison)
    if not sheet.rows:
        return "No agent was compared.\n"
    lines = [
        _line([_head(column) for column in sheet.columns]),
        _line(["---:" if column.numeric else "---" for column in sheet.columns]),
        *(_line([_cell(cell, column) for cell, column in zip(row, sheet.columns, strict=True)]) for row in sheet.rows),
    ]
    dream_id, real_id = map(_escape, environment_ids(comparison))
    notes = [f"Dream: {dream_id}; real: {real_id}. In brackets: 95 % intervals."]
    if broken := list(part(comparison, "broken_off")):
        how = "was interrupted" if comparison.get("interrupted") else "broke off"
        notes.append(
            f"The comparison is not whole: it {how}, and lacks all or some seeds of {_escape(', '.join(broken))}."
        )
    return "\n".join([*lines, "", *notes]) + "\n"


def _head(column: Column) -> str:
    return f"{column.head}<br>{_escape(column.source)}" if column.source else column.head


def _cell(cell: Cell, column: Column) -> str:
    value = cell.value if column.numeric else _escape(cell.value)
    return f"{value} ({cell.spread})" if cell.spread else value


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", " ".join(visible(text).split()))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
