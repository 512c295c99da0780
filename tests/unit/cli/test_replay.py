"""``benchbase replay``: what it refuses, what it writes, and its exit codes."""

from __future__ import annotations

import msgspec
import pytest

from benchbase.cell import content_hash
from benchbase.cli import invoke
from benchbase.cli import replay as command
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.replays import judge_replay, read_replays
from benchbase.records.store import Store
from tests.running import installed, make_job
from tests.unit.made_records import make_record, undefined

BOARD = """
weighters = ["erm"]
seeds = 1
[[scenarios]]
train_size = 60
noise = ["symmetric:0.3"]
recipe = { epochs = 1, batch_size = 20, trusted_batch_size = 10 }
"""


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A home; what is trained again there gives the recorded score, or ``replayed``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCHBASE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("benchbase.cli.retraining.read_catalogue", lambda *_: installed())
    return Store(Home(tmp_path / "home"))


@pytest.fixture
def trains(monkeypatch):
    def answer(*, equal=True, **result):
        def replay(asked, execution, settings, *, scored_by, by, heard):
            today = [msgspec.structs.replace(one.record, **result) for one in asked]
            done = [
                judge_replay(
                    one.record,
                    record,
                    equal=equal,
                    scores=(0.8, 0.8 if equal else 0.9),
                    tolerance=one.tolerance,
                    by=by,
                )
                for one, record in zip(asked, today, strict=True)
            ]
            for one, record in zip(done, today, strict=True):
                heard(one, record)
            return done

        monkeypatch.setattr(command, "replay_cells", replay)

    return answer


def record_of(tmp_path, **parts):
    job = make_job("erm", tmp_path / "home" / "cache")
    spec = msgspec.structs.replace(job.cell.spec, **parts)
    return msgspec.structs.replace(
        make_record(), spec=spec, key=content_hash(msgspec.to_builtins(spec))
    )


def test_a_cell_of_the_home_is_replayed_and_a_line_says_so(store, trains, tmp_path, capsys):
    record = record_of(tmp_path)
    store.write(record)
    trains()
    assert invoke(["replay", record.key[:9], "--device", "cpu", "--by", "anna"]) == 0
    said = capsys.readouterr().out
    assert f"{record.key[:12]}: bit for bit: 80.00 recorded, 80.00 now" in said
    assert "1 of 1 cells are borne out" in said
    [line] = read_replays(tmp_path / "home")
    assert (line.key, line.attempt, line.by) == (record.key, record.attempt, "anna")


def test_other_bits_are_exit_5_and_a_line_too(store, trains, tmp_path, capsys):
    folder = tmp_path / "leaderboards" / "demo"
    folder.mkdir(parents=True)
    (folder / "board.toml").write_text(BOARD)
    record = record_of(tmp_path)
    Committed(folder).merge([record])
    trains(equal=False)
    assert invoke(["replay", "demo", "--sample", "3", "--device", "cpu"]) == 5
    assert "0 of 1 cells are borne out" in capsys.readouterr().out
    [line] = read_replays(folder / "results")
    assert line.outcome == "other bits"
    assert line.by.startswith("machine ")
    assert Committed(folder).records()[0].key == record.key


def test_why_a_cell_came_to_nothing_is_told(store, trains, tmp_path, capsys):
    record = record_of(tmp_path)
    store.write(record)
    trains(status="error", reason="ImportError: no module named it")
    assert invoke(["replay", record.key[:9], "--device", "cpu"]) == 5
    said = capsys.readouterr().out
    assert "did not finish: 80.00 recorded, 80.00 now\n  ImportError: no module named it\n" in said


def test_another_method_is_not_compared(store, trains, tmp_path, capsys):
    record = record_of(tmp_path, results_version=0)
    store.write(record)
    trains()
    assert invoke(["replay", record.key[:9], "--device", "cpu"]) == 2
    assert "is another one here: results_version differ" in capsys.readouterr().err
    assert read_replays(tmp_path / "home") == []


def test_what_did_not_end_well_and_boards_without_pages_are_refused(store, tmp_path, capsys):
    record = msgspec.structs.replace(make_record(status="oom"))
    store.write(record)
    assert invoke(["replay", record.key[:9]]) == 2
    assert "ended with oom" in capsys.readouterr().err
    assert invoke(["replay", "quick", "--sample", "2"]) == 2
    assert "has no leaderboard" in capsys.readouterr().err


def test_a_cell_whose_score_is_undefined_is_not_compared(store, tmp_path, capsys):
    folder = tmp_path / "leaderboards" / "demo"
    folder.mkdir(parents=True)
    (folder / "board.toml").write_text(f'metric = "macro_auroc"{BOARD}')
    record = undefined(record_of(tmp_path), "macro_auroc")
    Committed(folder).merge([record])
    assert invoke(["replay", record.key[:9]]) == 2
    assert f"cell {record.key[:12]} has no macro AUROC" in capsys.readouterr().err
    assert invoke(["replay", "demo", "--sample", "1"]) == 2
    assert "no cell that ended well" in capsys.readouterr().err
