"""The figures of a comparison as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dreamgym_env.evaluation.report import sheets
from dreamgym_env.evaluation.report.cells import Cell, Column, Sheet, Side, environment_ids
from dreamgym_env.evaluation.report.wording import visible

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["tables"]

_COLOURS = {Side.DREAM: "blue", Side.REAL: "yellow", Side.BOTH: "", Side.NONE: ""}

_LEADS = {Side.DREAM: "dream", Side.REAL: "real", Side.BOTH: "", Side.NONE: ""}


def tables(comparison: Mapping[str, Any]) -> list[Table]:
    """Return the main figures as tables of rich, for people; the report has all.

    A head says ``dream`` or ``real``, and the line under a table which environments these are.
    """
    shown = (
        sheets.agents_sheet(comparison),
        sheets.calibration_sheet(comparison),
        sheets.judges_sheet(comparison),
        sheets.judge_agreement_sheet(comparison),
    )
    dream_id, real_id = environment_ids(comparison)
    return [_table(sheet, f"dream: {dream_id}; real: {real_id}") for sheet in shown if sheet.rows]


def _table(sheet: Sheet, sources: str) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(visible(sheet.title)),
        title_justify="left",
        caption=Text(visible(sources)) if sheet.has_sources else None,
        caption_justify="left",
        show_edge=False,
        padding=0,  # with more, words of the widest table break on a terminal of 100 columns
    )
    for column in sheet.columns:
        table.add_column(
            Text(_head(column), _COLOURS[column.side]), justify="right" if column.numeric else "left", overflow="fold"
        )
    for row in sheet.rows:
        table.add_row(*(Text(_cell(cell)) for cell in row))
    return table


def _head(column: Column) -> str:
    lead = _LEADS[column.side]
    return visible(f"{lead}\n{column.head}" if lead else column.head)


def _cell(cell: Cell) -> str:
    return visible(f"{cell.value}\n{cell.spread}" if cell.spread else cell.value)
