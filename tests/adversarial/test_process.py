"""What a method does to its own process, to the parent's ear and to time: its own cell's loss."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

import pytest

from tests.running import TINY


def test_overspending_the_label_budget_by_force_fails_the_cell(exploit):
    result, _ = exploit(
        'notes["bought"] = float(len(task.oracle._ask(list(range(50)))))',
        dataclasses.replace(TINY, label_budget=10),
        needs="Need.ORACLE",
    )
    assert result.status == "error"
    assert "50 labels asked for, the budget is 10" in result.reason


def test_a_process_that_the_method_started_ends_with_it(exploit, tmp_path):
    result, _ = exploit(
        f"""
import subprocess
child = subprocess.Popen(["sleep", "600"])
pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
os._exit(0)
"""
    )
    assert result.status == "error"
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline, "the grandchild goes on"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    except FileNotFoundError:
        return False


# What is wrong of its form is refused in one place: tests/unit/running/test_messages.py.
LIES = {
    "a failure of no known form": b'{"type":"failed","status":["x"]}',
    "rows that do not exist": b'{"type":"query","rows":[1000]}',
    "brackets without end": b"[" * 100_000,
    "a count below zero": b'{"type":"checkpoint","notes":{},"steps":-1}',
    "an end before the first checkpoint": b'{"type":"done","spent":{}}',
    "no JSON at all": b"\x00\xff",
}


@pytest.mark.parametrize("lie", LIES)
def test_a_child_that_lies_fails_its_own_cell_and_no_other(lie, exploit):
    text = LIES[lie]
    result, _ = exploit(
        f"""
import struct
from benchbase.running.channel import Channel
for channel in gc.get_objects():
    if isinstance(channel, Channel):
        text = {text[:300]!r} * {max(1, len(text) // 300)}
        channel._connection.sendall(struct.pack(">II", len(text), 0) + text)
        import time; time.sleep(60)
"""
    )
    assert result.status == "error", result.reason
    assert result.reason


def test_a_child_that_asks_and_never_listens_is_stopped_at_the_time_limit(exploit):
    result, _ = exploit(
        """
from benchbase.running.channel import Channel
channel = next(c for c in gc.get_objects() if isinstance(c, Channel))
while True:
    channel.send({"type": "query", "rows": list(range(60))})
""",
        dataclasses.replace(TINY, label_budget=60),
        needs="Need.ORACLE",
        timeout=4.0,
    )
    assert result.status == "timeout"


def test_seeds_threads_and_determinism_of_its_process_are_its_own_affair(exploit):
    plain, _ = exploit("model = task.build_model()")
    changed, _ = exploit(
        """
import random
random.seed(1), np.random.seed(1), torch.manual_seed(1)
torch.set_num_threads(4)
torch.use_deterministic_algorithms(False)
model = task.build_model()
"""
    )
    assert plain.status == changed.status == "ok"
    assert plain.metrics == changed.metrics


def test_torch_patched_where_a_method_trains_and_predicts_changes_no_score(exploit):
    # The test process describes the plugin itself; the run command has a child do it.
    top = f"""
if os.getpid() != {os.getpid()}:
    torch.Tensor.argmax = lambda self, *_, **__: torch.zeros(len(self), dtype=torch.long)
    torch.nn.functional.softmax = lambda logits, *_, **__: torch.ones_like(logits)
    np.argmax = np.mean = lambda *_, **__: 1.0
"""
    patched, _ = exploit("", top=top)
    assert patched.status == "ok", patched.reason
    plain, _ = exploit("")
    assert patched.metrics == plain.metrics


def test_steps_are_seen_where_the_hooks_that_count_them_were_removed(exploit):
    result, _ = exploit(
        """
from torch.optim import optimizer
for hooks in (optimizer._global_optimizer_pre_hooks, optimizer._global_optimizer_post_hooks):
    hooks.clear()
descent = torch.optim.SGD(model.parameters(), lr=0.01)
images = task.normalise(task.train.pixels[:20])
for _ in range(50):
    descent.zero_grad()
    torch.nn.functional.cross_entropy(model(images), task.train.labels[:20]).backward()
    descent.step()
"""
    )
    assert result.status == "error" or result.training.unranked, result.training


def test_a_thread_ends_with_its_cell(exploit, tmp_path):
    beat = tmp_path / "beat"
    result, _ = exploit(
        f"""
import threading, time
def go_on():
    while True:
        pathlib.Path({str(beat)!r}).open("a").write("x")
        time.sleep(0.01)
threading.Thread(target=go_on).start()
time.sleep(0.1)
"""
    )
    assert result.status == "ok", result.reason
    size = beat.stat().st_size
    time.sleep(0.3)
    assert 0 < beat.stat().st_size == size
