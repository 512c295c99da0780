"""``benchbase check``: a line a check, and an exit code."""

from __future__ import annotations

import json
from pathlib import Path
from unittest import SkipTest

import numpy as np
import pytest
import torch

from benchbase.cli import invoke
from benchbase.seeding import numpy_stream
from benchbase.testing.check import Check
from benchbase.testing.checks import CHECKS

GOOD = """
import torch
from benchbase import LossWeighter

class Plain(LossWeighter):
    name = "plain"

    def prepare(self, task):
        return lambda step: torch.ones_like(step.losses)
"""
UNIVERSAL = [check for check in CHECKS["weighters"] if check.need is None]
COUNT = 1 + len(UNIVERSAL)  # and the name


@pytest.fixture(autouse=True)
def numerics():
    """Put torch's global settings back: a command has a process of its own, a test has not."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    yield
    torch.use_deterministic_algorithms(deterministic)


@pytest.fixture
def write(tmp_path: Path):
    def write(source: str) -> str:
        path = tmp_path / "plain.py"
        path.write_text(source)
        return str(path)

    return write


def test_each_check_that_a_good_weighter_passes_is_a_line(write, capsys, monkeypatch) -> None:
    few = UNIVERSAL[:4]  # the test of the tutorial runs all of them
    monkeypatch.setitem(CHECKS, "weighters", few)
    assert invoke(["check", write(GOOD)]) == 0
    lines = capsys.readouterr().out.splitlines()
    titles = ["has a name of its own", *(check.title for check in few)]
    assert lines[:-1] == [f"ok      plain  {title}" for title in titles]
    assert lines[-1] == "5 of 5 checks passed"


def test_an_early_mistake_is_told_once_with_its_place_and_the_rest_is_not_run(
    write, capsys
) -> None:
    path = write(GOOD.replace("ones_like(step.losses)", "ones(7)"))
    assert invoke(["check", path]) == 3
    out = capsys.readouterr().out
    assert "ok      plain  options survive json" in out
    assert "FAILED  plain  trains and yields checkpoints\n        ContractError: " in out
    assert f"({path}, line 5, class Plain)" in out
    assert f"not run  plain  {COUNT - 3} more checks, which hang on this one" in out
    assert out.endswith(f"2 of {COUNT} checks passed\n")
    assert len(out.splitlines()) < 9


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("pass", "does it end with `return weigh`?"),
        ("self.seen = 0", "a local variable of `prepare` or `fit`"),
        ("return lambda step: {}[step.epoch]", "line 11)"),
    ],
)
def test_usual_mistakes_come_with_their_cure(write, capsys, body, words) -> None:
    frozen = GOOD.replace(
        "class", "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass"
    )
    path = write(frozen.replace("return lambda step: torch.ones_like(step.losses)", body))
    assert invoke(["check", path]) == 3
    assert words in capsys.readouterr().out


def test_a_check_that_does_not_end_fails_in_time(write, capsys) -> None:
    endless = "while True:\n            try: sleep(9)\n            except Exception: pass"
    path = write(
        "from time import sleep\n" + GOOD.replace("return lambda", endless + "\n        x = lambda")
    )
    assert invoke(["check", path, "--time-limit", "0.2"]) == 3
    out = capsys.readouterr().out
    assert "it did not end within 0.2 s" in out
    assert f"({path}, line 11)" in out
    assert "not run" in out


def test_a_check_that_cannot_be_run_here_is_neither_passed_nor_failed(
    write, capsys, monkeypatch
) -> None:
    def needs_a_card(_cls: type) -> None:
        raise SkipTest("there is no card")

    monkeypatch.setitem(CHECKS, "weighters", [Check(needs_a_card)])
    assert invoke(["check", write(GOOD)]) == 0
    out = capsys.readouterr().out
    assert "skipped  plain  needs a card: there is no card\n" in out
    assert out.endswith("1 of 1 checks passed, 1 skipped\n")
    assert invoke(["check", write(GOOD), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [answer[each] for each in ("passed", "failed", "skipped", "not_run")] == [1, 0, 1, 0]
    assert [one["skipped"] for one in answer["checks"]] == [None, "there is no card"]


RARE = """
from benchbase import Imbalance

class Rare(Imbalance):
    name = "rare"

    def counts(self, available):
        print("hello")
        return available.clip(1, 9)
"""


def test_what_a_plugin_prints_does_not_bury_the_verdicts(write, capsys) -> None:
    assert invoke(["check", write(RARE)]) == 0
    captured = capsys.readouterr()
    assert "hello" not in captured.out + captured.err
    assert invoke(["check", write(RARE), "--verbose"]) == 0
    assert "keeps possible counts\n        it printed:\n        | hello" in capsys.readouterr().out
    assert invoke(["check", write(RARE.replace("clip(1,", "clip(0.5,"))]) == 3
    assert "it printed:\n        | hello\nnot run" in capsys.readouterr().out


def test_a_name_that_an_installed_one_has_is_refused(write, capsys) -> None:
    assert invoke(["check", write(RARE.replace('"rare"', '"step"'))]) == 3
    out = capsys.readouterr().out
    assert "FAILED  step  has a name of its own" in out
    assert 'rename yours, `name = "my-step"`' in out
    assert out.endswith("4 of 5 checks passed\n")


def test_an_installed_plugin_keeps_its_name(capsys) -> None:
    assert invoke(["check", "natural"]) == 0
    assert "ok      natural  has a name of its own" in capsys.readouterr().out
    assert invoke(["check", "benchbase.data.imbalance"]) == 0
    out = capsys.readouterr().out
    assert "ok      step  has a name of its own" in out
    assert "ok      exponential  keeps possible counts" in out


DATA = """
from dataclasses import dataclass
import numpy as np
from benchbase import DataParts, DataSet, Part

@dataclass(frozen=True)
class Grey(DataSet):
    name = "grey"

    def files(self, roots):
        return [root / "grey.npy" for root in roots]

    def load(self, roots, scratch):
        pixels = np.load(self.files(roots)[0])
        part = Part(pixels[:8], np.arange(8) % 2)
        return DataParts(("a", "b"), part, Part(pixels[8:], part.labels))
"""


def test_a_data_set_is_checked_on_its_own_files(write, tmp_path, capsys) -> None:
    pixels = numpy_stream("check").integers(0, 256, (16, 8, 8, 1), dtype=np.uint8)
    np.save(tmp_path / "grey.npy", pixels.transpose(0, 3, 1, 2))
    assert invoke(["check", write(DATA), "--data-root", str(tmp_path)]) == 0
    assert "ok      grey  keeps its test images apart" in capsys.readouterr().out
    np.save(tmp_path / "grey.npy", pixels)
    assert invoke(["check", write(DATA), "--data-root", str(tmp_path)]) == 3
    assert "the channels stand last" in capsys.readouterr().out
    (tmp_path / "grey.npy").unlink()
    assert invoke(["check", write(DATA), "--data-root", str(tmp_path)]) == 3
    assert "grey.npy, which is no file" in capsys.readouterr().out


def test_the_same_for_a_program(write, capsys) -> None:
    losing = RARE.replace("available.clip(1, 9)", "available // 10")
    assert invoke(["check", write(losing), "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert answer["passed"] + answer["failed"] == len(answer["checks"]) == 5
    reasons = {entry["check"]: entry["reason"] for entry in answer["checks"]}
    assert "keeps" in reasons["leaves_images_of_every_class"]
    assert reasons["keeps_possible_counts"] is None


def test_debugging_shows_the_traceback_of_a_failed_check(write, capsys, monkeypatch) -> None:
    monkeypatch.setenv("BENCHBASE_DEBUG", "1")
    path = write(GOOD.replace("return lambda", "raise KeyError('odd')\n        return lambda"))
    assert invoke(["check", path]) == 3
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "raise KeyError('odd')" in err


def test_what_does_not_load_is_a_usage_error(write, capsys) -> None:
    assert invoke(["check", write("1 / 0")]) == 2
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_options_in_brackets_are_refused(capsys) -> None:
    assert invoke(["check", "erm[rounds=1]"]) == 2
    assert "the checks take default options: write benchbase check erm" in capsys.readouterr().err
