"""Showing a comparison of a dream with its real environment: as an HTML file, in a README, in a terminal.

The comparison is a JSON object (schema 1).  What it lacks is left out here; nothing is worked out anew.
"""

from dreamgym_env.evaluation.report.html import write_html
from dreamgym_env.evaluation.report.markdown import markdown_table
from dreamgym_env.evaluation.report.terminal import tables

__all__ = ["markdown_table", "tables", "write_html"]
