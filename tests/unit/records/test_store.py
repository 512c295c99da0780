from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from benchbase.errors import StoreError
from benchbase.records.home import Home
from benchbase.records.record import Score
from benchbase.records.store import Store, counting_attempt, new_attempt
from tests.unit.failing import failing
from tests.unit.made_records import attempt_name, changed, make_record

A1, A2, A3 = map(attempt_name, (1, 2, 3))


def test_a_record_is_read_back_as_it_was_written(tmp_path):
    record = make_record()
    path = Store(Home(tmp_path)).write(record)
    key = record.key
    assert path == tmp_path / "runs" / key[:2] / key / f"{record.attempt}.json"
    assert list(Store(Home(tmp_path)).records()) == [record]
    assert Store(Home(tmp_path)).finished(key) == record


def test_an_attempt_is_never_written_over(tmp_path):
    path = Store(Home(tmp_path)).write(make_record(score=0.5))
    before = path.read_bytes()
    with pytest.raises(StoreError, match="left alone"):
        Store(Home(tmp_path)).write(make_record(score=0.9))
    assert path.read_bytes() == before
    assert sorted(path.parent.iterdir()) == [path]


def test_the_first_ok_attempt_counts_not_the_last_or_the_best(tmp_path):
    store = Store(Home(tmp_path))
    for attempt, status, score in [(A1, "oom", 0), (A2, "ok", 0.5), (A3, "ok", 0.9)]:
        store.write(make_record(attempt=attempt, status=status, score=score))
    key = make_record().key
    assert [record.attempt for record in store.attempts(key)] == [A1, A2, A3]
    assert store.finished(key) == store.attempts(key)[1]


def test_a_failure_is_finished_and_a_killed_cell_is_not(tmp_path):
    store = Store(Home(tmp_path))
    key = make_record().key
    store.write(make_record(attempt=A1, status="killed"))
    assert store.finished(key) is None
    store.write(make_record(attempt=A2, status="timeout"))
    store.write(make_record(attempt=A3, status="error"))
    assert store.finished(key) == store.attempts(key)[1]
    assert store.finished("0" * 64) is None


def test_an_inline_attempt_does_not_finish_a_cell(tmp_path):
    store = Store(Home(tmp_path))
    inline = make_record(attempt=A1, trusted=False)
    store.write(inline)
    assert store.finished(inline.key) is None
    assert counting_attempt([inline]) == inline
    proper = make_record(attempt=A2, status="error")
    assert counting_attempt([inline, proper]) == proper


@pytest.mark.parametrize(
    "text", ["", '{"schema": "benchbase-rec', "[]", "{}", '{"schema": "benchbase-record-9"}', "\0"]
)
def test_an_unreadable_record_is_named_skipped_and_kept(tmp_path, caplog, text):
    store = Store(Home(tmp_path))
    good = store.write(make_record(attempt=A1))
    bad = good.with_name("0.json")
    bad.write_text(text)
    assert [record.attempt for record in store.records()] == [A1]
    assert str(bad) in caplog.text
    assert store.finished(make_record().key) is not None
    assert bad.read_text() == text


def test_a_record_under_a_wrong_name_is_skipped(tmp_path, caplog):
    path = Store(Home(tmp_path)).write(make_record())
    path.rename(path.with_name("other.json"))
    assert list(Store(Home(tmp_path)).records()) == []
    assert "other.json" in caplog.text


def test_a_full_disk_says_what_to_do_and_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", failing(errno.ENOSPC))
    with pytest.raises(StoreError, match="free some space"):
        Store(Home(tmp_path)).write(make_record())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_read_only_home_says_how_to_choose_another(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", failing(errno.EROFS))
    with pytest.raises(StoreError, match=r"Read-only file system: .*BENCHBASE_HOME"):
        Store(Home(tmp_path)).write(make_record())


def test_a_home_below_a_file_is_refused(tmp_path):
    (tmp_path / "home").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        Store(Home(tmp_path / "home")).write(make_record())


def test_a_number_that_is_not_finite_is_refused(tmp_path):
    record = changed(make_record(), "cost", seconds_train=float("nan"))
    with pytest.raises(StoreError, match="write null"):
        Store(Home(tmp_path)).write(record)


def test_threads_write_side_by_side(tmp_path):
    store = Store(Home(tmp_path))
    records = [make_record(seed=seed, attempt=attempt_name(seed)) for seed in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.write, records))
    assert sorted(r.attempt for r in store.records()) == [r.attempt for r in records]


def test_a_writer_that_is_killed_leaves_only_whole_records(tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from benchbase.records.home import Home\n"
        "from benchbase.records.store import Store, new_attempt\n"
        "from tests.unit.made_records import make_record\n"
        "store = Store(Home(Path(sys.argv[1])))\n"
        "while True:\n"
        "    print(store.write(make_record(attempt=new_attempt())), flush=True)\n"
    )
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as writer:
        assert writer.stdout is not None
        written = [writer.stdout.readline().strip() for _ in range(5)]
        writer.send_signal(signal.SIGKILL)
    assert all(json.loads(Path(path).read_text()) for path in written)
    assert len(list(Store(Home(tmp_path)).records())) == len(list(tmp_path.rglob("*.json"))) >= 5


def test_attempts_are_named_in_the_order_of_time():
    names = [new_attempt() for _ in range(20)]
    times = [name.split("-")[0] for name in names]
    assert times == sorted(times)
    assert len(set(names)) == 20


def test_a_record_that_contradicts_itself_is_skipped_and_named(tmp_path, caplog):
    record = make_record()
    record.metrics["tail"]["balanced_accuracy"] = Score(value=0.99)
    path = Store(Home(tmp_path)).write(record)
    forged = Store(Home(tmp_path)).write(replace(make_record(), key="0" * 64))
    assert list(Store(Home(tmp_path)).records()) == []
    assert f"{path} (metrics.tail.balanced_accuracy" in caplog.text
    assert f"{forged} (its key is not the hash" in caplog.text
