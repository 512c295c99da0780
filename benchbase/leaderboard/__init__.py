"""Leaderboards: a pure function of the records. The same records give the same bytes.

Imports `records`, `judging`, `data`, `backbones` and `boards`; no plugin.
"""

from benchbase.leaderboard.pages.csv import render_csv
from benchbase.leaderboard.pages.files import board_files, index_text, write_board, write_index
from benchbase.leaderboard.pages.markdown import render_json, render_markdown
from benchbase.leaderboard.rows import build
from benchbase.leaderboard.table import Cost, Row, ScenarioScore, Table

__all__ = [
    "Cost",
    "Row",
    "ScenarioScore",
    "Table",
    "board_files",
    "build",
    "index_text",
    "render_csv",
    "render_json",
    "render_markdown",
    "write_board",
    "write_index",
]
