"""A golden notices changed results, and says what to do."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from benchbase.testing import golden
from benchbase.testing.golden import Golden, Run, guard
from benchbase.testing.golden_cells import guard_class
from tests.unit.testing.test_golden_kit import ByLoss

RUNS = {"as it is": Run("ab", [[0.5, None], [0.25, 1.0]])}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    guard("mine", "1", RUNS, tmp_path / "goldens" / "mine.json", renew=True)
    return tmp_path / "goldens" / "mine.json"


def on_another(path: Path, **fields: str) -> None:
    """Let it have been made elsewhere."""
    made = msgspec.json.decode(path.read_bytes(), type=Golden)
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(made, **fields)))


def with_last(value: float, bits: str = "cd") -> dict[str, Run]:
    return {"as it is": Run(bits, [[0.5, None], [0.25, value]])}


def test_the_same_results_pass_and_renewing_leaves_the_file(path: Path) -> None:
    before = path.stat().st_mtime_ns
    guard("mine", "1", RUNS, path)
    guard("mine", "1", RUNS, path, renew=True)
    assert path.stat().st_mtime_ns == before
    assert path.read_text().count("\n") == 12


@pytest.mark.parametrize("renew", [False, True])
@pytest.mark.parametrize(
    ("runs", "told"),
    [
        (with_last(1.001), r"as it is, row 1: \[0.25, 1.0\] then, \[0.25, 1.001\] now"),
        (with_last(1.0), "as it is: the same to 0.0001, not bit for bit"),
        ({"as it is": Run("ab", [[0.5, 0.0], [0.25, 1.0]])}, "row 0: .*null.* then"),
        ({"as it is": Run("ab", [[0.5, None]])}, "as it is: 2 rows then, 1 now"),
    ],
)
def test_changed_results_ask_for_a_version_and_are_not_written_over(
    path: Path, runs: dict[str, Run], told: str, renew: bool
) -> None:
    before = path.read_bytes()
    with pytest.raises(AssertionError, match=told) as caught:
        guard("mine", "1", runs, path, renew=renew)
    assert "results of mine changed: raise its version ('1')" in str(caught.value)
    assert "and renew the golden; delete that first" in str(caught.value)
    assert path.read_bytes() == before


def test_a_raised_version_asks_for_a_new_golden(path: Path) -> None:
    with pytest.raises(AssertionError, match=r"is of \('1', \d+\).*--renew-goldens writes mine"):
        guard("mine", "2", with_last(2.0), path)
    guard("mine", "2", with_last(2.0), path, renew=True)
    guard("mine", "2", with_last(2.0), path)


def test_benchbases_own_results_have_the_one_version(path: Path, monkeypatch) -> None:
    guard("draws", "", RUNS, path.with_name("draws.json"), renew=True)
    with pytest.raises(AssertionError, match="draws changed: raise RESULTS_VERSION"):
        guard("draws", "", with_last(2.0), path.with_name("draws.json"))
    monkeypatch.setattr(golden, "RESULTS_VERSION", 99)
    guard("draws", "", with_last(2.0), path.with_name("draws.json"), renew=True)
    with pytest.raises(AssertionError, match=r"99\) now: "):
        guard("mine", "1", RUNS, path)


@pytest.mark.parametrize("fields", [{"cpu_capability": "ABACUS"}, {"torch": "2.0.1"}])
def test_on_another_machine_near_is_enough(path: Path, fields: dict[str, str]) -> None:
    on_another(path, **fields)
    guard("mine", "1", with_last(1.00005), path)
    with pytest.raises(AssertionError, match="results of mine changed"):
        guard("mine", "1", with_last(1.001), path)


def test_another_minor_torch_may_change_results(path: Path) -> None:
    on_another(path, torch="2.0.1")
    guard("mine", "1", with_last(1.001), path, renew=True)
    guard("mine", "1", with_last(1.001), path)


def test_further_runs_ask_for_a_new_golden_only(path: Path) -> None:
    more = {**RUNS, "turn=left": Run("ef", [])}
    with pytest.raises(AssertionError, match=r"runs otherwise .*\(turn=left\).*--renew-goldens"):
        guard("mine", "1", more, path)
    guard("mine", "1", more, path, renew=True)
    guard("mine", "1", more, path)


def test_without_a_golden_the_way_to_one_is_told(path: Path) -> None:
    with pytest.raises(AssertionError, match="yours has no golden: pytest --renew-goldens writes"):
        guard("yours", "1", RUNS, path.with_name("yours.json"))


def test_a_weighters_golden_is_of_every_choice_and_notices_a_change(tmp_path: Path) -> None:
    class Stated(ByLoss):
        version = "1"

    with pytest.raises(AssertionError, match="ByLoss states no version"):
        guard_class(ByLoss, tmp_path)
    guard_class(Stated, tmp_path, renew=True)
    made = msgspec.json.decode((tmp_path / "by-loss.json").read_bytes(), type=Golden)
    assert {"as it is", "normalisation=sum", "class_input=True"} <= made.runs.keys()
    assert len({run.bits for run in made.runs.values()}) == len(made.runs)

    class Changed(Stated):
        version = "1"

        def describe(self, task):
            return 1, lambda step: step.losses.detach().sqrt().unsqueeze(1)

    with pytest.raises(AssertionError, match=r"results of by-loss changed: raise its version"):
        guard_class(Changed, tmp_path)


def test_the_option_that_renews_is_there(pytestconfig: pytest.Config) -> None:
    assert isinstance(pytestconfig.getoption(golden.RENEW), bool)
