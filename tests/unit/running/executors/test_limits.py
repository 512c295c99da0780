from __future__ import annotations

import socket
import subprocess
import sys
import threading
from concurrent.futures import Future

from benchbase.running.channel import Channel
from benchbase.running.executors import child, limits
from benchbase.running.executors.limits import Used, used_by


def test_what_a_process_and_its_descendants_use_is_added_up():
    program = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'input()'])\n"
        "print('started', flush=True)\n"
        "child.wait()\n"
    )
    command = [sys.executable, "-S", "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"started\n"
        both = used_by(other.pid)
        other.communicate(b"\n")
    assert both.tasks == 2
    assert both.resident > 1 << 20
    assert used_by(other.pid) == Used(0, 0)


def test_what_is_over_a_limit_is_said():
    assert Used(limits.MOST_BYTES, limits.MOST_TASKS).excess is None
    [status, reason] = Used(limits.MOST_BYTES + 1, 1).excess or ("", "")
    assert (status, "MiB of memory" in reason) == ("oom", True)
    [status, reason] = Used(1, limits.MOST_TASKS + 1).excess or ("", "")
    assert (status, "processes and threads" in reason) == ("error", True)


def test_a_child_over_its_limits_is_ended_and_knows_why(monkeypatch):
    ended: Future[int] = Future()
    stopped = threading.Event()
    monkeypatch.setattr(child, "SECONDS", 0.01)
    monkeypatch.setattr(child, "used_by", lambda pid: Used(1, limits.MOST_TASKS + 1))
    monkeypatch.setattr(child, "kill_group", lambda pid: stopped.set())
    end, other = socket.socketpair()
    other.close()
    watched = child.Child(0, Channel(end), ended, sandboxed=True)
    assert stopped.wait(5)
    ended.set_result(128 + 9)
    assert watched.excess == Used(1, limits.MOST_TASKS + 1).excess
    assert watched.exit_code(0) == -9
    watched.channel.close()


def test_the_kernel_keeps_a_process_from_more_memory_than_is_allowed():
    program = (
        "from benchbase.running.executors import limits\n"
        "limits.MOST_BYTES = 1 << 28\n"
        "limits.limit_this_process()\n"
        "try:\n    bytearray(1 << 29)\n"
        "except MemoryError:\n    print('refused')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.stdout == "refused\n", ran.stderr
