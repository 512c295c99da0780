"""A sweep cut into shards, each a process with a home of its own, is the sweep in one piece."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SWEEP = [
    *("run", "--plugin=focal", "--seeds=3", "--noise=none", "--noise=symmetric:0.4"),
    *("--imbalance=1", "--train-size=60", "--epochs=1", "--device=cpu", "--jobs=1", "--json"),
]
CELLS = 2 * 2 * 3


def started(folder, home, *arguments):
    command = [sys.executable, "-m", "benchbase", *arguments, f"--home={folder / home}"]
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "BENCHBASE_HOME": str(folder / "unused")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out)


def scores(told):
    return {row["label"]: (row["score"], row["scenarios"]) for row in told["table"]["rows"]}


@pytest.mark.slow
@pytest.mark.rare
def test_three_processes_with_a_home_each_come_to_the_table_of_one(tmp_path):
    shards = [started(tmp_path, f"home{n}", *SWEEP, f"--shard={n}/3") for n in (1, 2, 3)]
    ran = [ended(process)["cells"]["ran"] for process in shards]
    assert sum(ran) == CELLS
    assert max(ran) < CELLS, "nobody did it all"
    homes = [str(tmp_path / f"home{n}") for n in (1, 2, 3)]
    merge = [sys.executable, "-m", "benchbase", "merge", *homes, f"--home={tmp_path / 'all'}"]
    subprocess.run(merge, check=True, capture_output=True, cwd=tmp_path)
    found = ended(started(tmp_path, "all", *SWEEP))
    assert (found["cells"]["found"], found["cells"]["ran"]) == (CELLS, 0)
    whole = ended(started(tmp_path, "whole", *SWEEP))
    assert scores(found) == scores(whole)
