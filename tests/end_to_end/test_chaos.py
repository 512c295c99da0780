"""Whatever is killed, filled or damaged meanwhile, a sweep ends with the undisturbed results."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from benchbase.records.home import Home
from benchbase.records.record import Record, as_json
from benchbase.records.store import Store
from benchbase.records.validation import parse_record
from benchbase.running import typechecking
from benchbase.seeding import numpy_stream
from tests.needs import need

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("BENCHBASE_CHAOS_KILLS", "50"))
LEAST = 4
"""Cells that each life has to run: finished ones are taken back."""
SWEEP = (
    *("run", "--plugin=elr", "--plugin=co-teaching", "--noise=symmetric:0.4", "--imbalance=1"),
    *("--train-size=120", "--epochs=5", "--seeds=2", "--device=cpu", "--jobs=4"),
)
OF_TIME = ("attempt", "provenance", "numerics", "cost")
COUNTED = ("images_forwarded", "images_backpropagated", "images_judged", "labels_bought")

Start = Callable[..., subprocess.Popen[bytes]]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.rare,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc"),
]


def run(home: Home, output: Path, hours: float = 0.0) -> subprocess.Popen[bytes]:
    """Start a sweep in a home, by a clock that is some hours wrong."""
    command = (sys.executable, "-m", "tests.end_to_end.chaotic_parent", str(hours))
    with output.open("ab") as file:
        return subprocess.Popen(
            [*command, *SWEEP, f"--home={home.path}"],
            cwd=ROOT,
            stdout=file,
            stderr=file,
            env={**os.environ, typechecking.SWITCH: "0"},
        )


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a sweep as ``run`` does; it is ended after the test."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(home: Home, hours: float = 0.0) -> subprocess.Popen[bytes]:
        running.append(run(home, tmp_path / "output", hours))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.wait()


class Undisturbed(NamedTuple):
    """A sweep in which nothing happens."""

    cells: dict[str, Any]
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(
    make_home: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Undisturbed:
    """Run the sweep in a home of its own."""
    folder = tmp_path_factory.mktemp("undisturbed")
    home, output = Home(make_home(folder / "home")), folder / "output"
    began = time.monotonic()
    assert run(home, output).wait() == 0, output.read_text()
    return Undisturbed(come_to(home), time.monotonic() - began)


def come_to(home: Home) -> dict[str, Any]:
    """Give what counts of each finished cell, times apart; predictions are in it by their hash."""
    store = Store(home)
    finished = [store.finished(key) for key in home.attempted()]
    return {record.key: without_times(record) for record in finished if record is not None}


def without_times(record: Record) -> dict[str, Any]:
    plain = as_json(record)
    counted = {name: plain["cost"][name] for name in COUNTED}
    return {name: it for name, it in plain.items() if name not in OF_TIME} | counted


def children(parent: int) -> list[int]:
    """Find the processes that a process started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(status.parent.name))
    return found


def kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it was quicker
        os.kill(process, signal.SIGKILL)


def disturb(
    parent: subprocess.Popen[bytes], rng: np.random.Generator, left: int, pause: float
) -> int:
    """Kill workers, now and then their server or the parent, until it ends; give how many."""
    kills = 0
    while parent.poll() is None and kills < left:
        time.sleep(rng.uniform(0, 2 * pause))
        servers = children(parent.pid)
        workers = [worker for server in servers for worker in children(server)]
        if len(workers) < 2:  # a cell has two; nothing else does
            continue
        draw = rng.uniform()
        victims = [parent.pid] if draw < 0.08 else servers if draw < 0.12 else workers
        kill(int(rng.choice(victims)))
        kills += 1
    return kills


def damage(path: Path, rng: np.random.Generator) -> None:
    """Change a byte of a file."""
    content = bytearray(path.read_bytes())
    content[rng.integers(len(content))] ^= 0xFF
    path.write_bytes(content)


def any_of(paths: Iterator[Path], rng: np.random.Generator) -> Path | None:
    found = sorted(paths)
    return found[rng.integers(len(found))] if found else None


def test_fifty_kills_damaged_files_and_wrong_clocks_change_no_result(
    start, undisturbed, make_home, tmp_path
):
    seed = int(os.environ.get("BENCHBASE_CHAOS_SEED") or secrets.randbelow(10_000))
    print(f"BENCHBASE_CHAOS_SEED={seed}")
    rng = numpy_stream(seed, "chaos")
    home = Home(make_home(tmp_path / "home"))
    places = {
        "a decoded array": lambda: home.cache.glob("data/*/*.npy"),
        "a snapshot or a journal": lambda: home.path.glob("unfinished/*/*"),
        "a record": lambda: (p for key in come_to(home) for p, _ in home.attempt_files(key)),
    }
    damaged: dict[str, Path] = {}
    kills = lives = 0
    while kills < KILLS:
        assert lives < KILLS, "nothing is left to be killed"
        parent = start(home, hours=float(rng.uniform(-30, 0)))
        kills += disturb(parent, rng, KILLS - kills, pause=undisturbed.seconds / 40)
        lives += 1
        for what, paths in places.items():
            path = any_of(paths(), rng)
            if path is not None and what not in damaged:
                damage(path, rng)
                damaged[what] = path
        finished = sorted(come_to(home))
        rng.shuffle(finished)
        for key in finished[max(0, len(undisturbed.cells) - LEAST) :]:
            for path, _ in home.attempt_files(key):
                path.unlink()
    print(f"{kills} kills in {lives} lives; damaged: {damaged}")
    assert damaged.keys() == places.keys()
    assert ends_well(start, home, tmp_path)
    assert come_to(home) == undisturbed.cells
    attempts = [path for key in home.attempted() for path, _ in home.attempt_files(key)]
    for path in attempts:
        if path != damaged["a record"]:
            parse_record(path.read_bytes())


def ends_well(start: Start, home: Home, folder: Path) -> bool:
    """Run a sweep to its end; every cell is finished then."""
    process = start(home)
    assert process.wait() == 0, (folder / "output").read_text()
    return not list(home.path.glob("unfinished/*")) and not list(home.path.glob("work/*"))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder],
        check=False,
        capture_output=True,
    )
    need("mount", there=mounted.returncode == 0)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> None:
    """Leave no byte of a disk free."""
    with contextlib.suppress(OSError), (disk / "filled").open("ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def wait_for_a_record(process: subprocess.Popen[bytes], home: Home) -> None:
    while process.poll() is None and not home.attempted():
        time.sleep(0.05)


def test_a_full_disk_and_a_read_only_home_lose_nothing_that_was_finished(
    start, undisturbed, disk, make_home, tmp_path
):
    home = Home(make_home(disk / "home"))
    full = start(home)
    wait_for_a_record(full, home)
    fill(disk)
    assert full.wait() in (2, 3), (tmp_path / "output").read_text()
    kept = come_to(home)
    assert kept
    assert kept.items() <= undisturbed.cells.items()
    fill(disk)  # what its cells worked with is gone
    assert start(home).wait() == 2
    (disk / "filled").unlink()

    def remount(how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)

    remount("ro")
    assert start(home).wait() == 2
    remount("rw")
    assert come_to(home) == kept
    assert ends_well(start, home, tmp_path)
    assert come_to(home) == undisturbed.cells
