"""On a cluster of two nodes: the same bits as here; what dies costs only the cells in flight."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchbase.records.home import Home
from benchbase.records.record import Record
from benchbase.records.store import Store

pytest.importorskip("ray", reason="needs Ray: `uv run nox -s ray`")
pytestmark = pytest.mark.slow

HERE = Path(sys.executable).parent
UV = os.environ.get("UV") or shutil.which("uv")
THROUGH_UV = [UV, "run", "--no-project"] if UV else []
"""As users start it; Ray would run uv again in every worker."""

KILLER = """
import os, signal
from pathlib import Path
from benchbase import LossWeighter
from dataclasses import dataclass

NOTES = Path(__file__).with_name("notes")

def parent(process):
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])

@dataclass(frozen=True)
class Killer(LossWeighter):
    "Kills the worker or the node on which it runs, once; says which of its cells begin."
    name = "killer"
    whom: str = "nobody"

    def prepare(self, task):
        with NOTES.open("a") as notes:
            notes.write(f"began {task.seed}\\n")
        worker = parent(os.getppid())
        raylet = parent(worker)
        is_head = b"--head" in Path(f"/proc/{raylet}/cmdline").read_bytes()
        victim = {"worker": worker, "node": None if is_head else raylet}.get(self.whom)
        if victim and "killed" not in NOTES.read_text():
            with NOTES.open("a") as notes:
                notes.write("killed one\\n")
            os.kill(victim, signal.SIGKILL)
        return lambda step: step.losses.detach() * 0 + 1
"""


def free_ports(count: int) -> list[int]:
    with ExitStack() as open_ones:
        probes = [open_ones.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


AGENTS = ("runtime-env-agent", "dashboard-agent-grpc", "dashboard-agent-listen", "metrics-export")


def start_node(*options: str) -> subprocess.Popen[bytes]:
    # Ports that are chosen are not waited for: on a busy machine Ray waits too short a time.
    names = [f"{name}-port" for name in AGENTS]
    ports = [f"--{name}={port}" for name, port in zip(names, free_ports(4), strict=True)]
    command = [str(HERE / "ray"), "start", "--block", "--num-cpus=1", "--disable-usage-stats"]
    limits = ["--object-store-memory=100000000", *ports, *options]
    quiet = subprocess.DEVNULL
    return subprocess.Popen([*command, *limits], stdout=quiet, stderr=quiet)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Give the address of a cluster of two nodes that ask for a token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(16))
        patch.setenv("BENCHBASE_TYPECHECK", "0")
        [port] = free_ports(1)
        address = f"127.0.0.1:{port}"
        nodes = [start_node("--head", f"--port={port}", "--include-dashboard=false")]
        try:
            nodes.append(start_node(f"--address={address}"))
            subprocess.run([sys.executable, "-c", BOTH_ARE_THERE, address], check=True, timeout=300)
            yield address
        finally:
            for node in nodes:
                node.send_signal(signal.SIGTERM)
            for node in nodes:
                node.wait(60)


BOTH_ARE_THERE = """
import os, sys, time
os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
import ray
while not ray.is_initialized():
    try:
        ray.init(sys.argv[1], logging_level=50)
    except ConnectionError:  # the first node is on its way
        time.sleep(1)
while ray.cluster_resources().get("CPU", 0) < 2:
    time.sleep(0.5)
"""


SEEDS = 2


@pytest.fixture(scope="module")
def make_room(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Make a folder with a home and a node's home; what is installed is found out once."""
    known = tmp_path_factory.mktemp("catalogue")

    def make(name: str) -> Path:
        room = tmp_path_factory.mktemp(name)
        for home in ("home", "node"):
            (room / home).mkdir()
            (room / home / "catalogue").symlink_to(known)
        return room

    return make


def command(folder: Path, executor: str, whom: str = "nobody") -> Sequence[str]:
    plugin = folder / "killer.py"
    plugin.write_text(KILLER)
    board = ["--train-size=60", "--epochs=1", "--noise=symmetric:0.3", "--imbalance=natural"]
    return [
        *THROUGH_UV, str(HERE / "benchbase"), "run", f"--plugin={plugin}[whom={whom}]", "--json",
        f"--seeds={SEEDS}", f"--home={folder / 'home'}", f"--executor={executor}", "--device=cpu",
        *board,
    ]  # fmt: skip


def start(program: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(program, capture_output=True, text=True, check=False)


def carry_out(folder: Path, executor: str, whom: str = "nobody") -> None:
    ran = start(command(folder, executor, whom))
    assert ran.returncode == 0, ran.stderr


def on(address: str, folder: Path) -> str:
    return f"ray[address={address},home={folder / 'node'}]"


def records(folder: Path) -> list[Record]:
    return [*Store(Home(folder / "home")).records()]


def bits(folder: Path) -> dict[tuple[str, int], object]:
    return {
        (one.spec.weighter.name, one.spec.seed): (
            one.status,
            one.metrics,
            one.curves,
            one.artefacts["predictions"].sha256,
        )
        for one in records(folder)
    }


def begun(folder: Path) -> Counter[str]:
    notes = (folder / "notes").read_text().splitlines()
    return Counter(note for note in notes if note.startswith("began"))


def test_nobody_without_the_token_runs_anything(cluster, make_room, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(16))
    room = make_room("room")
    ran = start(command(room, on(cluster, room)))
    assert ran.returncode == 2, ran.stderr
    assert "have the same token" in ran.stderr
    assert not records(room)


@pytest.mark.parametrize("whom", ["worker", "node"])  # the node last, for it stays away
def test_where_something_dies_the_bits_are_those_of_this_machine(cluster, whom, make_room):
    here, there = make_room("here"), make_room("there")
    carry_out(here, "local")
    carry_out(there, on(cluster, there), whom=whom)
    assert bits(there) == bits(here)
    assert len(records(there)) == 2 * SEEDS  # the reference's among them, each once
    assert {one.provenance.executor for one in records(there)} == {"ray"}
    assert (there / "notes").read_text().count("killed one") == 1
    assert len(begun(there)) == SEEDS
    assert sum(begun(there).values()) <= SEEDS + 2  # a node takes the cell beside it along


def test_a_driver_that_is_killed_and_started_again_loses_and_repeats_no_finished_cell(
    cluster, make_room
):
    room = make_room("room")
    driver = subprocess.Popen(command(room, on(cluster, room)), start_new_session=True)
    while driver.poll() is None and not records(room):
        time.sleep(0.1)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    finished = {one.key: one.attempt for one in records(room)}
    assert 0 < len(finished) < 2 * SEEDS
    carry_out(room, on(cluster, room))
    after = {one.key: one.attempt for one in records(room)}
    assert len(records(room)) == len(after) == 2 * SEEDS
    assert finished.items() <= after.items()
    assert sum(begun(room).values()) <= SEEDS + 2  # those in flight begin again
