"""One cell in its three processes: what comes of good plugins, and of every bad one."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from benchbase.cell import Recipe
from benchbase.judging.metrics import score
from benchbase.plugins.code import code_hash
from benchbase.running import log_limit
from tests.running import TINY, make_job, run

HEAD = """
import torch
from benchbase import Checkpoint, LossWeighter, Need, Weighter
"""

ONES = """
class Ones(LossWeighter):
    name = "ones"
    def prepare(self, task):
        return lambda step: torch.ones_like(step.losses)
"""


@pytest.fixture
def plugin(tmp_path: Path):
    """Write a plugin file and give its path."""

    def write(text: str) -> str:
        path = tmp_path / "mine.py"
        path.write_text(HEAD + text)
        return str(path)

    return write


@pytest.fixture
def outcome(plugin, cache, server, tmp_path):
    """Run a plugin's text as one cell."""

    def play(text: str, scenario=TINY, seed=0, **settings):
        return run(make_job(plugin(text), cache, scenario, seed), server, tmp_path, **settings)

    return play


TWO_EPOCHS = dataclasses.replace(TINY, recipe=dataclasses.replace(TINY.recipe, epochs=2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the runs lie that several tests look at."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "mine.py").write_text(HEAD + ONES)
    return folder


@pytest.fixture(scope="module")
def ones(folder, cache, server):
    return run(make_job(str(folder / "mine.py"), cache), server, folder)


@pytest.fixture(scope="module")
def two_epochs(folder, cache, server):
    return run(make_job(str(folder / "mine.py"), cache, TWO_EPOCHS), server, folder)


def test_a_weighter_in_a_file_is_trained_and_judged(two_epochs, folder):
    result = two_epochs.result
    assert result.status == "ok", result.reason
    assert set(result.metrics) == {"tail", "last", "last5", "val_noisy", "val_clean", "oracle"}
    assert len(result.curves["test_balanced_accuracy"]) == 2
    assert result.training.updates == [result.training.steps_allowed] == [6]
    assert result.training.images_with_gradient == 6 * 20
    assert result.training.unranked is None
    assert result.cost.images_judged == 2 * (500 + 1000)
    assert result.corruption.realised_rate == pytest.approx(0.3)
    assert result.weights.auroc == 0.5
    assert two_epochs.predictions["test_logits"].shape[1:] == (1000, 3)
    assert result.provenance.source == code_hash((HEAD + ONES).encode())
    assert result.provenance.backbone_source
    assert not list((folder / "work").iterdir())  # nothing stays behind


def test_stored_predictions_give_the_recorded_scores_again_exactly(ones):
    kept, result = ones.predictions, ones.result
    counts = result.corruption.class_counts
    for name, value in score(kept["test_logits"][-1], kept["test_labels"], counts).items():
        assert result.metrics["last"][name].value == value, name


def test_the_same_cell_gives_the_same_numbers_again(ones, outcome):
    again = outcome(ONES).result
    assert again.metrics == ones.result.metrics
    assert again.curves == ones.result.curves


def test_another_seed_gives_other_numbers(ones, outcome):
    assert outcome(ONES, seed=1).result.curves != ones.result.curves


def test_an_uneven_schedule_of_judging_does_not_change_training(two_epochs, outcome):
    """Judging forks no randomness: a model judged at every epoch ends like one judged once."""
    once = """
from benchbase.kit.loops import supervised
class Once(Weighter):
    name = "ones"
    def fit(self, task):
        ones = lambda step: torch.ones_like(step.losses)
        *_, last = supervised(task, task.build_model(), ones)
        yield last
"""
    result = outcome(once, TWO_EPOCHS).result
    assert result.metrics["last"] == two_epochs.result.metrics["last"]


def test_trusted_images_are_granted_to_whom_declares_the_need(outcome):
    text = """
class Trusting(LossWeighter):
    name = "trusting"
    needs = frozenset({Need.TRUSTED})
    def prepare(self, task):
        assert len(task.trusted) == 30 and task.trusted.labels.bincount().tolist() == [10] * 3
        return lambda step: torch.ones_like(step.losses)
"""
    result = outcome(text).result
    assert (result.status, result.grants) == ("ok", {"trusted": "clean"}), result.reason
    result = outcome(text, dataclasses.replace(TINY, track="T0", train_size=120)).result
    assert result.grants == {"trusted": "noisy"}


def test_labels_are_bought_and_charged(outcome):
    text = """
class Buyer(Weighter):
    name = "buyer"
    needs = frozenset({Need.ORACLE})
    def fit(self, task):
        rows = torch.arange(5)
        bought = task.oracle.query(rows)
        task.oracle.query(rows)
        assert task.oracle.remaining == 3
        wrong = (bought != task.train.labels[:5]).sum()
        yield Checkpoint(task.build_model(), notes={"wrong": float(wrong)})
"""
    result = outcome(text, dataclasses.replace(TINY, label_budget=8)).result
    assert result.status == "ok", result.reason
    assert result.cost.labels_bought == 5


FIT = """
class Bad(Weighter):
    name = "bad"
    def fit(self, task):
        model = task.build_model()
        {body}
"""

BAD = {
    "raises": ("raise KeyError('lost')\n        yield", "error", "KeyError: 'lost'"),
    "gives NaN logits": (
        "torch.nn.init.constant_(model.head.weight, float('nan'))\n        yield Checkpoint(model)",
        "diverged",
        "NaN or infinite logits",
    ),
    "reports weights of the wrong shape": (
        "yield Checkpoint(model, weights=torch.ones(3))",
        "error",
        r"shape \(60,\), got \(3,\)",
    ),
    "yields nothing": ("yield from ()", "error", "yielded no checkpoint"),
    "yields something else": ("yield model", "error", "expected fit to yield a Checkpoint"),
    "returns instead of yielding": ("return [1]", "error", "expected an iterator"),
    "mutates its task": (
        "task.train.labels.zero_()\n        yield Checkpoint(model)",
        "error",
        "changed its task's images or labels",
    ),
    "asks for what it did not declare": (
        "task.trusted\n        yield Checkpoint(model)",
        "error",
        "add Need.TRUSTED",
    ),
    "exits the process": (
        "import os; os._exit(0)\n        yield",
        "error",
        r"ended by itself \(exit code 0\)",
    ),
    "exits politely": ("raise SystemExit(3)\n        yield", "error", "ended by itself"),
    "crashes": (
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)\n        yield",
        "error",
        "crashed .SIGSEGV",
    ),
    "runs out of memory": ("raise MemoryError\n        yield", "oom", "MemoryError"),
    "asks torch for too much memory": (
        "torch.empty(1 << 50)\n        yield",
        "oom",
        "allocate",
    ),
    "cannot be pickled": (
        "model.trick = lambda: 0\n        yield Checkpoint(model)",
        "error",
        "must pickle",
    ),
    "has the wrong number of classes": (
        "model.head = torch.nn.Linear(64, 7)\n        yield Checkpoint(model)",
        "error",
        r"\(1564 images, 3 classes\), got \[1564, 7\]",
    ),
    "looks at other test images": (
        "class Neighbours(torch.nn.Module): pass\n        yield Checkpoint(Peeking(model))",
        "error",
        "predict each image by itself",
    ),
}

PEEKING = """
class Peeking(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model
    def forward(self, images):
        # Every other image, so that among a few repeated ones some answer otherwise.
        other = torch.arange(len(images))[:, None] % 2
        return self.model(images) + other * torch.tensor([5.0, 0, 0])
"""


@pytest.mark.parametrize("name", BAD)
def test_a_failure_record_comes_of_a_plugin_that(name, outcome, tmp_path):
    body, status, reason = BAD[name]
    played = outcome(PEEKING + FIT.format(body=body))
    assert played.result.status == status
    assert re.search(reason, played.result.reason), played.result.reason
    assert played.result.corruption.realised_rate == pytest.approx(0.3)
    assert not played.predictions
    assert not list((tmp_path / "work").iterdir())


def test_a_plugin_that_never_ends_is_stopped_at_the_time_limit(outcome):
    text = FIT.format(body="import time\n        while True: time.sleep(1)\n        yield")
    began = time.monotonic()
    result = outcome(text, timeout=3.0).result
    assert (result.status, result.reason) == ("timeout", "stopped after 3 s (--timeout)")
    assert time.monotonic() - began < 20


def test_a_plugin_that_never_lets_go_of_python_is_stopped_too(outcome):
    result = outcome(FIT.format(body="sum(range(10**12))\n        yield"), timeout=3.0).result
    assert result.status == "timeout"


def test_a_worker_killed_from_outside_is_not_taken_for_finished(plugin, cache, server, tmp_path):
    text = FIT.format(
        body="import os, pathlib; pathlib.Path(__file__).with_suffix('.pid').write_text("
        "str(os.getpid()))\n        import time; time.sleep(60)\n        yield"
    )
    job = make_job(plugin(text), cache)
    note = tmp_path / "mine.pid"

    def kill() -> None:
        while not (note.exists() and note.read_text()):
            time.sleep(0.01)
        os.kill(int(note.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    result = run(job, server, tmp_path).result
    killer.join()
    assert result.status == "killed"
    assert "SIGKILL" in result.reason


def test_a_failed_cell_leaves_a_log_and_a_traceback_without_folders(outcome, tmp_path):
    result = outcome(FIT.format(body="print('hello from fit'); 1 / 0\n        yield")).result
    assert result.error.type == "ZeroDivisionError"
    assert "mine.py" in result.error.traceback
    assert "in fit" in result.error.traceback
    assert str(tmp_path) not in result.error.traceback
    [log] = (tmp_path / "logs").iterdir()
    assert "hello from fit" in log.read_text()
    assert "ZeroDivisionError" in log.read_text()


def test_a_plugin_that_prints_without_end_fills_no_disk(outcome, tmp_path, monkeypatch):
    monkeypatch.setattr(log_limit, "LIMIT_BYTES", 100_000)
    monkeypatch.setattr(log_limit, "SECONDS", 0.05)
    body = """import time
        for _ in range(40):
            print("x" * 100_000, flush=True)
            assert max(each.stat().st_size for each in LOGS.iterdir()) < 3_000_000
            time.sleep(0.05)
        yield Checkpoint(model)"""
    logs = f"import pathlib\nLOGS = pathlib.Path({str(tmp_path / 'logs')!r})\n"
    result = outcome(logs + FIT.format(body=body)).result
    assert result.status == "ok", result.reason
    [log] = (tmp_path / "logs").iterdir()
    assert log.read_text().endswith("[the log ends here: more than 100,000 bytes were printed]\n")
    assert log.stat().st_size < 101_000


def test_a_recipe_changes_the_number_of_steps(outcome):
    scenario = dataclasses.replace(TINY, recipe=Recipe(epochs=1, batch_size=30))
    assert outcome(ONES, scenario).result.training.updates == [2]


LOOPS = {
    "updated 12 times, the recipe has 6 steps": """
class Longer(Ones):
    name = "longer"
    def fit(self, task):
        from benchbase.kit.loops import supervised
        yield from supervised(task, task.build_model(), self.prepare(task), epochs=4)
""",
    "Need.OWN_NETWORK is not declared (head": """
class Replaced(Ones):
    name = "replaced"
    def fit(self, task):
        from benchbase.kit.loops import supervised
        model = task.build_model()
        model.head = torch.nn.Sequential(model.head)
        yield from supervised(task, model, self.prepare(task))
""",
}


@pytest.mark.parametrize("reason", LOOPS)
def test_a_run_counts_steps_and_compares_networks_itself(outcome, reason):
    text = ONES.replace("class Ones", "class _Ones").replace('    name = "ones"\n', "")
    result = outcome(text + LOOPS[reason].replace("(Ones)", "(_Ones)"), TWO_EPOCHS).result
    assert result.status == "ok", result.reason
    assert reason in result.training.unranked
    assert result.training.steps_allowed == 6
    assert result.training.images_with_gradient == 20 * result.training.updates[0]
