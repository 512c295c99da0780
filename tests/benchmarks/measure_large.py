"""Measure cells and a search of very many images, and a step against one in memory: JSON.

Run by test_large.py.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from benchbase_baselines import ERM

from benchbase.api import Images
from benchbase.boards.plan import Condition, contestants, make_jobs
from benchbase.boards.selectors import parse_selector
from benchbase.cell import Recipe, Scenario
from benchbase.data.cache import prepare
from benchbase.data.contract import DataParts, DataSet, Part
from benchbase.data.imbalance import Natural
from benchbase.data.maps import lay_out
from benchbase.data.noise import SymmetricNoise
from benchbase.kit.loops import supervised
from benchbase.records.home import Home
from benchbase.records.provenance import gather
from benchbase.running.executors.contract import Slot
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.given import read_images
from benchbase.running.runner import run_cell
from benchbase.running.settings import Settings
from benchbase.seeding import numpy_stream
from benchbase.suspects.labelled import all_images
from benchbase.suspects.searching import Search
from benchbase.suspects.training import School
from tests.benchmarks.measure_loop import SIZE, STEPS, build_task
from tests.running import given, installed

WATCHED = """
import dataclasses, pathlib, time
import torch
from benchbase import Weighter
from benchbase.kit.loops import supervised

class Watched(Weighter):
    name = "watched"

    def fit(self, task):
        began = []

        def weigh(step):
            began.append(time.time())
            return torch.ones_like(step.losses)

        for checkpoint in supervised(task, task.build_model(), weigh):
            yield dataclasses.replace(checkpoint, notes={"first step": began[0]})
"""


class Million(DataSet):
    """Grey noise, 28 pixels a side: ``train`` images, and a thousand to test."""

    name = "million"
    train = 1_000_000

    def load(self, roots, scratch):
        def part(count: int, name: str) -> Part:
            pixels = numpy_stream(name).integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)
            return Part(pixels, np.arange(count) % 10)

        return DataParts(tuple("abcdefghij"), part(self.train, "train"), part(1000, "test"))


class Searched(Million):
    """Fewer of them, a hundred a patient: so many folds are soon drawn."""

    name = "searched"
    train = 300_000

    def load(self, roots, scratch):
        parts = super().load(roots, scratch)
        groups, test_groups = (np.arange(len(it)) // 100 for it in (parts.train, parts.test))
        return dataclasses.replace(parts, groups=groups, test_groups=5000 + test_groups)


def anonymous(pid: int | str) -> int:
    """Give a process's anonymous resident bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [line] = (line for line in lines if line.startswith("RssAnon"))
    return 1024 * int(line.split()[1])


def cell(folder: Path) -> dict[str, float]:
    """Run a cell from a warm cache; give its memory, and the seconds to its first step."""
    (folder / "watched.py").write_text(WATCHED)
    selector = parse_selector(str(folder / "watched.py"))
    scenario = Scenario(dataset="million", recipe=Recipe(epochs=1, steps_per_epoch=100))
    parts = {
        "dataset": Million(),
        "noise": SymmetricNoise(0.4),
        "imbalance": Natural(),
        "roots": (),
        "cache": folder / "cache",
        "secret": None,
    }
    backbone = installed().find("backbones", "small_cnn")
    condition = Condition(scenario, 0, parts, backbone)
    entered = contestants([selector], installed(), given(selector.target))
    [job] = make_jobs([condition], [(who, [0]) for who in entered])
    server = ForkServer()
    server.wait_until_ready()
    pids: list[int] = []

    def start(*arguments):
        child = server.start(*arguments)
        pids.append(child.pid)
        return child

    found: dict[str, float] = {}

    def heard(progress) -> None:
        found["worker"] = max(map(anonymous, pids))
        found["seconds"] = progress.notes["first step"] - began

    settings = Settings(
        folder / "work", Home(folder), 600.0, 1, gather([], "local", ()), heard=heard
    )
    began = time.time()
    result = run_cell(job, Slot(0, "cpu", start), settings).result
    server.close()
    assert result.status == "ok", result.reason
    return {**found, "parent": anonymous("self")}


def search(folder: Path) -> dict[str, float]:
    """Search from a warm cache, with a few steps of each network; give the most memory it took."""
    images = all_images(prepare(Searched(), [], folder / "cache"))
    found = {"parent": 0.0, "worker": 0.0}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            found["parent"] = max(found["parent"], anonymous("self"))
            with contextlib.suppress(OSError, ValueError):  # a worker that has just ended
                workers = [anonymous(it.pid or 0) for it in multiprocessing.active_children()]
                found["worker"] = max([found["worker"], *workers])

    school = School(
        images=images.map,
        classes=images.classes,
        invariances=Searched.invariances,
        backbone=installed().find("backbones", "small_cnn"),
        backbone_options={},
        recipe=Recipe(epochs=2, steps_per_epoch=10),
        deadline=time.time() + 3600,
    )
    methods = [installed().find("weighters", name) for name in ("focal", "gce")]
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        findings = Search(school, images, workers=2, say=lambda _: None).run(methods)
    finally:
        over.set()
        watcher.join()
    assert findings.measured, findings.left_out
    return found


def pipeline(rounds: int = 40) -> float:
    """Give the median ratio of a step from the map to one from memory, in alternated epochs."""
    task = build_task(rounds)
    recipe = dataclasses.replace(task.recipe, steps_per_epoch=STEPS)
    shape = (Million.train, 1, SIZE, SIZE)
    rows, labels = torch.arange(shape[0]), torch.zeros(shape[0], dtype=torch.long)
    in_memory = torch.from_numpy(numpy_stream("pixels").integers(0, 256, shape, dtype=np.uint8))
    mapped = lay_out(Path(), rows.numpy(), in_memory.numpy())
    loops = []
    for pixels in (read_images(os.dup(mapped.descriptor), shape), in_memory):
        of_these = dataclasses.replace(task, train=Images(pixels, labels, rows), recipe=recipe)
        loops.append(supervised(of_these, task.build_model(), ERM().prepare(task)))
    ratios = []
    for _ in range(rounds):
        from_map, from_memory = (seconds_of_next(loop) for loop in loops)
        ratios.append(from_map / from_memory)
    return statistics.median(ratios[3:])


def seconds_of_next(loop: Iterator[object]) -> float:
    """Give the processor time of an epoch."""
    began = time.process_time()
    next(loop)
    return time.process_time() - began


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:] == ["pipeline"]:
        print(json.dumps({"ratio": pipeline()}))
    else:
        measured, dataset = {"search": (search, Searched()), "cell": (cell, Million())}[sys.argv[1]]
        with tempfile.TemporaryDirectory() as name:
            prepare(dataset, [], Path(name) / "cache")
            print(json.dumps(measured(Path(name))))
