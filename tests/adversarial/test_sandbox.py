"""What only the sandbox closes: the network, other files, other processes, memory without end.

Each attack is seen to work without it, as the README says, and to come to nothing within.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchbase.data import nuclei
from benchbase.running.executors.sandbox import NOTHING, Shown
from tests.running import make_job, run

ROLE = """
import json, os, socket, subprocess, sys, threading, time

def works(attempt):
    try:
        return bool(attempt())
    except OSError:
        return False

def started(name):
    program = "import time; time.sleep(600)  # " + name
    return subprocess.Popen([sys.executable, "-c", program], start_new_session=True)

def main(channel):
"""
SEEN = """
    print(json.dumps({{
        "the network": works(lambda: socket.create_connection(("127.0.0.1", {port}), 2)),
        "the parent's memory": works(lambda: open("/proc/{pid}/mem", "rb")),
        "the parent's environment": works(lambda: open("/proc/{pid}/environ", "rb").read()),
        "a data set of a package": works(lambda: open("{labels}", "rb").read()),
        "a file of the user": works(lambda: open("{private}").read()),
        "the store": works(lambda: open("{store}", "w").write("forged")),
        "a process that stays": works(lambda: started("{name}")),
    }}))
"""


def play(server, folder, body, shown=NOTHING):
    """Run a role that does ``body``; give its child and what it printed."""
    name = f"role_{time.monotonic_ns()}"
    path = folder / f"{name}.py"
    path.write_text(ROLE + body)
    sys.path.append(str(folder))
    try:
        child = server.start(name, folder / "log", Shown([path, *shown.reads], shown.writes))
    finally:
        sys.path.remove(str(folder))
    code = child.exit_code(120)
    child.kill()
    return child, code, (folder / "log").read_text()


def left_behind(name, patience=10):
    """Find the processes that a role started and that are still there after ``patience`` seconds.

    The kernel ends what is left of a namespace a moment after the role's own end is seen.
    """
    until = time.monotonic() + patience
    while (left := _running(name)) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def _running(name):
    processes = (each for each in Path("/proc").iterdir() if each.name.isdecimal())
    return [int(folder.name) for folder in processes if name in _command(folder)]


def _command(folder):
    try:
        return (folder / "cmdline").read_text(errors="replace")
    except OSError:
        return ""


@pytest.fixture
def looked_around(server, tmp_path):
    """Let a role look around; tell what it reached."""

    def look():
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        (tmp_path / "private").write_text("mine")
        name = f"left-{os.getpid()}-{time.monotonic_ns()}"
        with socket.create_server(("127.0.0.1", 0)) as listening:
            body = SEEN.format(
                port=listening.getsockname()[1],
                pid=os.getpid(),
                labels=Path(nuclei.__file__).with_name("nuclei.npz"),
                private=tmp_path / "private",
                store=tmp_path / "forged.json",
                name=name,
            )
            _, code, said = play(server, folder, body)
        assert code == 0, said
        seen = json.loads(said.splitlines()[-1])
        left = left_behind(name)
        for pid in left:
            os.kill(pid, 9)
        forged = tmp_path / "forged.json"  # what it writes elsewhere is its own
        store = forged.exists()
        forged.unlink(missing_ok=True)
        return {**seen, "the store": store, "a process that stays": bool(left)}

    return look


@pytest.mark.slow
def test_what_a_method_reaches_without_the_sandbox_is_out_of_reach_within(looked_around, request):
    reached = looked_around()
    memory = {name for name in reached if name.startswith("the parent's")}
    assert all(reached[name] for name in reached.keys() - memory)
    request.getfixturevalue("sandboxed")
    assert not any(looked_around().values())


@pytest.mark.slow
def test_threads_without_end_end_the_role_and_nothing_else(server, sandboxed, tmp_path):
    body = """
    for _ in range(600):
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    time.sleep(600)
"""
    child, code, said = play(server, tmp_path, body)
    refused = "can't start new thread" in said  # where the kernel counts a user's processes
    assert refused or (code == -9 and "processes and threads" in child.excess.reason)


@pytest.mark.slow
def test_a_role_writes_where_it_is_shown_and_into_memory_of_a_limited_size(
    server, sandboxed, tmp_path
):
    (tmp_path / "exchange").mkdir()
    (tmp_path / "task").mkdir()
    body = f"""
    open("{tmp_path}/exchange/model", "w").write("all right")
    task = works(lambda: open("{tmp_path}/task/labels", "w"))
    root = works(lambda: open("/usr/lib/x", "w")) or works(lambda: open("/x", "w"))
    size = os.statvfs("/tmp").f_blocks * os.statvfs("/tmp").f_frsize
    print(task, root, size == 1 << 30)
"""
    shown = Shown([tmp_path / "task"], [tmp_path / "exchange"])
    _, code, said = play(server, tmp_path, body, shown)
    assert (code, said) == (0, "False False True\n")
    assert (tmp_path / "exchange" / "model").read_text() == "all right"


@pytest.mark.slow
def test_a_cell_ends_with_the_same_bits_in_the_sandbox(request, cache, server, tmp_path):
    job = make_job("mwnet", cache)
    plain = run(job, server, tmp_path / "plain")
    request.getfixturevalue("sandboxed")
    hidden = run(job, server, tmp_path / "hidden")
    assert hidden.result.status == "ok", hidden.result.reason
    assert plain.result.metrics == hidden.result.metrics
    assert plain.result.curves == hidden.result.curves
    for name, array in plain.predictions.items():
        assert np.array_equal(array, hidden.predictions[name]), name
