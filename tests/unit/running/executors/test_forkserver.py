"""The process server and its children."""

from __future__ import annotations

import errno
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
import torch

from benchbase.errors import RunError
from benchbase.plugins.source import Source
from benchbase.running.executors import forkserver
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.messages import Failed, Keep, Loadable, Ready, Start


def test_a_child_whose_log_cannot_be_opened_works_all_the_same(server, tmp_path):
    nothing = Loadable(source=Source("module", "no_such_module"), name="nothing", options={})
    keep = Keep(path="", every=None, go_on_from=None, past=[])
    start = Start(weighter=nothing, backbone=nothing, device="cpu", model="", keep=keep)
    child = server.start("benchbase.running.predictor", tmp_path)  # a folder, not a file
    try:
        child.channel.send(start)
        answer, _ = child.channel.receive(Failed)
    finally:
        child.kill()
    assert "no_such_module" in answer.message


def test_a_child_that_has_ended_is_forgotten(server):
    child = server.start("no_such_module")
    try:
        assert child.exit_code(30) == 1
        assert child.pid not in server._ended
    finally:
        child.kill()


def test_a_child_imports_from_where_its_parent_does_today(server, tmp_path, monkeypatch):
    (tmp_path / "lately_written.py").write_text(
        "from benchbase.running.messages import Ready\n"
        "def main(channel):\n"
        "    channel.send(Ready())\n"
    )
    server.wait_until_ready()
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.syspath_prepend(tmp_path.name)  # seen from where the server does not stand
    child = server.start("lately_written")
    try:
        child.channel.receive(Ready)
    finally:
        child.kill()


@pytest.fixture
def launched(monkeypatch):
    """Give what a server would be launched as; the test itself is the process."""
    launches: queue.SimpleQueue[SimpleNamespace] = queue.SimpleQueue()

    class Process:
        def __init__(self, command, *, env, **_):
            control, lifeline = (os.dup(int(number)) for number in command[-2:])
            self.control = socket.socket(fileno=control)
            launches.put(SimpleNamespace(control=self.control, lifeline=lifeline, env=env))

        def kill(self):
            self.control.shutdown(socket.SHUT_RDWR)

        def wait(self):
            pass

    stand_in = SimpleNamespace(Popen=Process, DEVNULL=subprocess.DEVNULL)
    monkeypatch.setattr(forkserver, "subprocess", stand_in)
    return launches


@pytest.fixture
def signals():
    """Put back what a server changes in its own process."""
    before = signal.getsignal(signal.SIGCHLD)
    yield
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, before)


@pytest.mark.usefixtures("signals")
def test_after_a_refused_fork_the_next_child_starts(launched, monkeypatch):
    refusals = [BlockingIOError(errno.EAGAIN, "no more processes")]
    program = shutil.which("true") or "true"

    def fork():
        if refusals:
            raise refusals.pop()
        return os.posix_spawn(program, [program], {}, setpgroup=0)

    monkeypatch.setattr(forkserver, "PRELOAD", ())
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)
    monkeypatch.setattr(os, "fork", fork)
    server = ForkServer()
    became: list[object] = []

    def ask():
        for _ in range(2):
            try:
                child = server.start("any")
            except RunError as error:
                became.append(str(error))
            else:
                became.append(child.exit_code(10))
                child.kill()
        server.close()

    asking = threading.Thread(target=ask)
    asking.start()
    here = launched.get(timeout=10)
    with here.control:
        forkserver.serve(here.control, here.lifeline)
    asking.join(10)
    assert became == [
        f"no process could be started: [Errno {errno.EAGAIN}] {os.strerror(errno.EAGAIN)}",
        0,
    ]


def test_a_server_that_is_closed_while_it_is_launched_leaves_nothing_open(launched, monkeypatch):
    entered, going_on = threading.Event(), threading.Event()
    stand_in = vars(forkserver)["subprocess"]
    launch = stand_in.Popen

    def launch_slowly(*command, **settings):
        entered.set()
        going_on.wait(10)
        return launch(*command, **settings)

    monkeypatch.setattr(stand_in, "Popen", launch_slowly)
    server = ForkServer()
    waiting = threading.Thread(target=server.wait_until_ready)
    closing = threading.Thread(target=server.close)
    waiting.start()
    assert entered.wait(10)
    closing.start()
    going_on.set()
    with launched.get(timeout=10).control:
        closing.join(10)
        waiting.join(10)
    assert not closing.is_alive()
    assert not waiting.is_alive()
    assert server._control.fileno() == -1


def test_who_waits_for_a_server_that_was_closed_before_goes_on():
    server = ForkServer()
    server.close()
    server.wait_until_ready()
    with pytest.raises(RunError, match="was closed"):
        server.start("benchbase.running.trainer")


def test_a_child_may_print_every_character_where_the_locale_knows_ascii_alone(
    launched, monkeypatch
):
    for name, value in (
        ("LC_ALL", "C"),
        ("PYTHONUTF8", "0"),
        ("PYTHONCOERCECLOCALE", "0"),
        ("PYTHONIOENCODING", "ascii"),
    ):
        monkeypatch.setenv(name, value)
    server = ForkServer()
    waiting = threading.Thread(target=server.wait_until_ready)
    waiting.start()
    here = launched.get(timeout=10)
    with here.control:
        server.close()
    waiting.join(10)
    printing = [sys.executable, "-c", r"print('\u2192 \udcff')"]
    ran = subprocess.run(printing, env=here.env, capture_output=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "\u2192 \\udcff\n".encode())
