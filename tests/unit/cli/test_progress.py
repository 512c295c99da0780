from __future__ import annotations

import io
import time

from rich.console import Console

from benchbase.cli import progress
from benchbase.cli.progress import Display, make_bars
from tests.unit.jobs import make_job


def test_labels_shrink_on_a_narrow_terminal_and_times_do_not():
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system=None)
    bars = make_bars(console, live=True)
    bars.add_task("a-very-long-name[option=1.0] | nuclei symmetric:0.4 | seed 0", total=9, note="")
    bars.add_task("another", total=9, note="loss 0.123")
    console.print(bars.get_renderable())
    lines = [line for line in file.getvalue().splitlines() if "a-very" in line]
    assert len(lines) == 1
    assert "…" in lines[0]
    assert "-:--:-- left" in lines[0]
    assert "gone" in lines[0]
    assert len(lines[0]) <= 80


def test_without_a_terminal_a_long_cell_is_heard_of(monkeypatch, capsys):
    monkeypatch.setattr(progress, "HEARTBEAT_SECONDS", 0.05)
    with Display(3) as display:
        display.started(make_job("slow"))
        deadline = time.monotonic() + 5
        said = ""
        while "running: slow" not in said and time.monotonic() < deadline:
            time.sleep(0.02)
            said += capsys.readouterr().err
    assert "[0/3] running: slow | nuclei none natural | seed 0 (epoch 0 of 10)" in said
