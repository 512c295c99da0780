"""A run that is interrupted or killed; in a shell where the process itself counts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from benchbase.running import typechecking
from tests.end_to_end.test_run import SMALL, WEIGHTER

pytestmark = pytest.mark.usefixtures("shared_server")


@pytest.fixture
def start(tmp_path):
    """Start the command line as a user does and leave it running; ended after the test."""
    running = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchbase", *arguments],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, typechecking.SWITCH: "0"},
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def wait_for(condition, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_the_first_interrupt_drains_and_the_second_stops(tmp_path, own_home, benchbase, capfd):
    (tmp_path / "slow.py").write_text(
        WEIGHTER.replace("return weigh", "import time; time.sleep(600)")
    )
    told: list[str] = []

    def interrupted() -> bool:
        told.extend(capfd.readouterr())
        return any("Interrupted" in text for text in told)

    def interrupt_twice() -> None:
        wait_for(lambda: list(own_home.glob("runs/*/*/*.json")))  # erm is done, slow is in flight
        os.kill(os.getpid(), signal.SIGINT)
        wait_for(interrupted)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt_twice).start()
    ran = benchbase("run", "--plugin", "./slow.py", *SMALL)
    assert ran.returncode == 130
    assert "erm" in ran.stdout  # what is finished is shown
    assert len(list(own_home.glob("runs/*/*/*.json"))) == 1
    assert not list(own_home.glob("work/*"))


@pytest.mark.slow
def test_a_killed_parent_takes_its_children_along_and_loses_no_finished_cell(
    tmp_path, own_home, start, benchbase
):
    (tmp_path / "slow.py").write_text(
        WEIGHTER.replace(
            "return weigh",
            "import os, pathlib, time\n"
            "        note = pathlib.Path(__file__).with_suffix('.pid')\n"
            "        note.write_text(str(os.getpid()))\n"
            "        time.sleep(600)",
        )
    )
    process = start("run", "--plugin", "./slow.py", *SMALL)
    pid = tmp_path / "slow.pid"
    wait_for(lambda: pid.exists() and pid.read_text() and list(own_home.glob("runs/*/*/*.json")))
    process.kill()
    process.wait()
    wait_for(lambda: not _is_running(int(pid.read_text())), 30)
    assert len(list(own_home.glob("runs/*/*/*.json"))) == 1
    again = benchbase("run", "--plugin", "./slow.py", *SMALL, "--timeout", "2")
    assert again.returncode == 3
    assert "1 found, 1 run, 1 failed" in again.stdout
    assert "stopped after 2 s" in again.stderr
    assert not list(own_home.glob("work/*"))  # the dead run's folder is cleared away


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
