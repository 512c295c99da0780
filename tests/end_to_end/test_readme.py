"""The README's first method, saved as a file: checked, planned and trained as the README says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from benchbase.cli import invoke

README = (Path(__file__).parents[2] / "README.md").read_text()
TINY = [
    *("--train-size=60", "--epochs=1", "--seeds=1", "--noise=symmetric:0.4", "--imbalance=1"),
    "--device=cpu",
]
"""Options that make a run short; of an option given twice the last one counts."""


@pytest.mark.usefixtures("shared_server", "numerics")
def test_the_method_of_the_readme_is_checked_planned_and_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    section = README.partition("## Bring a method")[2].partition("\n## ")[0]
    name = re.search(r"save this as `(\w+\.py)`", section)
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    [method] = [text for language, text in blocks if language == "python"]
    [commands] = [text for language, text in blocks if language == "sh"]
    assert name is not None
    Path(name[1]).write_text(method)
    ends = []
    for line in commands.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        assert words[0] == "benchbase"
        runs = words[1] == "run" and "--dry-run" not in words
        more = ["--dry-run"] if "inline" in words else TINY if runs else []
        assert invoke([*words[1:], *more]) == 0, line
        ends.append(capfd.readouterr().out)
    checked, first, planned, _ = ends
    assert re.search(r"(\d+) of \1 checks passed", checked)
    assert "> small-loss" in first
    assert "2 cells: 0 found, 2 run, 0 failed" in first
    told = " ".join(section.split())
    last = next(text for text in planned.splitlines() if "to run; time" in text)
    assert f"`{last}`" in told
