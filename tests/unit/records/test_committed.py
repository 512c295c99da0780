from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from benchbase.cell import canonical_json
from benchbase.errors import StoreError
from benchbase.records import committed as committed_module
from benchbase.records.committed import Committed, slim
from benchbase.records.record import Artefact, Record, as_json, record_text
from benchbase.records.validation import parse_record
from tests.unit.made_records import attempt_name, make_record, make_scenario


def test_records_come_back_slim_and_sorted_by_key_and_attempt(tmp_path):
    records = [
        make_record(seed=seed, attempt=attempt_name(a)) for seed in (2, 0, 1) for a in (2, 1)
    ]
    [path] = Committed(tmp_path).merge(records)
    assert path == tmp_path / "results" / "nuclei" / "plain.jsonl"
    lines = path.read_text().splitlines()
    found = [json.loads(line) for line in lines]
    assert [canonical_json(record) for record in found] == lines
    order = [(record["key"], record["attempt"]) for record in found]
    assert order == sorted((record.key, record.attempt) for record in records)
    assert [as_json(record) for record in Committed(tmp_path).records()] == found


def test_each_data_set_and_weighter_has_a_file_of_its_own(tmp_path):
    records = [make_record(name) for name in ("plain", "clever")]
    records.append(make_record(scenario=make_scenario(dataset="folder:/data/x")))
    Committed(tmp_path).merge(records)
    files = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.jsonl"))
    assert files == [
        "results/folder-data-x/plain.jsonl",
        "results/nuclei/clever.jsonl",
        "results/nuclei/plain.jsonl",
    ]


def test_merging_adds_lines_and_alters_none(tmp_path):
    committed = Committed(tmp_path)
    [path] = committed.merge([make_record(score=0.5)])
    before = set(path.read_text().splitlines())
    assert committed.merge([make_record(score=0.9)]) == []
    assert committed.merge([make_record(seed=1)]) == [path]
    after = set(path.read_text().splitlines())
    assert before < after
    assert len(after) == 2


def test_merging_the_same_records_in_any_order_gives_the_same_bytes(tmp_path):
    records = [make_record(seed=seed) for seed in range(5)]
    [one] = Committed(tmp_path / "one").merge(records)
    Committed(tmp_path / "two").merge(records[3:])
    [two] = Committed(tmp_path / "two").merge(reversed(records))
    assert one.read_bytes() == two.read_bytes()


def test_killed_and_inline_attempts_are_not_committed(tmp_path):
    records = [make_record(status="killed"), make_record(seed=1, trusted=False)]
    assert Committed(tmp_path).merge(records) == []


def test_a_file_is_parsed_once_and_again_when_another_run_has_changed_it(tmp_path, monkeypatch):
    first, second, third = (make_record(seed=seed) for seed in range(3))
    [path] = Committed(tmp_path).merge([first])
    parsed = []

    def counted(line: bytes) -> Record:
        parsed.append(line)
        return parse_record(line)

    monkeypatch.setattr(committed_module, "parse_record", counted)
    ours = Committed(tmp_path)
    assert (ours.merge([first]), ours.records()) == ([], [slim(first)])
    assert len(parsed) == 1
    Committed(tmp_path).merge([second])
    parsed.clear()
    assert ours.merge([third]) == [path]
    assert len(parsed) == 2
    assert {record.key for record in ours.records()} == {first.key, second.key, third.key}


def test_a_committed_cell_is_finished_also_right_after_a_merge(tmp_path):
    committed = Committed(tmp_path)
    record = make_record(status="oom")
    assert committed.finished(record.key) is None
    committed.merge([record])
    assert committed.finished(record.key) == slim(record)


@pytest.mark.parametrize("line", ["", "{", "[]", '{"schema": "other"}', "null"])
def test_a_line_that_is_no_record_is_named_by_file_and_number(tmp_path, line):
    [path] = Committed(tmp_path).merge([make_record()])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(StoreError, match=r"plain.jsonl, line 2: not a record"):
        Committed(tmp_path).records()
    with pytest.raises(StoreError, match="line 2"):
        Committed(tmp_path).merge([make_record(seed=1)])


def test_a_slim_record_says_nothing_about_the_machine():
    trace = 'File "/home/me/envs/x/lib/torch/nn.py", line 3\n  ratio = a / b'
    record = make_record(
        status="error",
        reason="FileNotFoundError: '/home/me/data/x.csv' is missing (see https://a.org/b/c)",
        error={"type": "E", "message": "m", "traceback": trace},
    )
    found = slim(record)
    assert "/home" not in record_text(found)
    assert found.error.traceback == 'File "nn.py", line 3\n  ratio = a / b'
    assert found.reason == "FileNotFoundError: 'x.csv' is missing (see https://a.org/b/c)"
    assert found.provenance.argv is None
    assert found.provenance.host == "0123"


def test_slim_shortens_curves_and_keeps_scores_as_they_are():
    record = make_record(score=0.123456789)
    found = slim(record)
    assert found.curves["validation_noisy_balanced_accuracy"][2] == 0.0
    assert found.curves["weight_auroc"] == [0.5, 0.6, None]
    assert found.corruption.transition == [[0.7654, 0.2346]]
    assert found.metrics == record.metrics
    assert found.artefacts == {"predictions": Artefact(sha256="abc")}
    assert slim(found) == found


def test_a_copy_under_another_key_is_refused(tmp_path):
    [path] = Committed(tmp_path).merge([make_record()])
    forged = replace(make_record(score=0.99), key="0" * 64)
    path.write_text(path.read_text() + record_text(forged))
    with pytest.raises(StoreError, match=r"plain.jsonl, line 2: .* not the hash of its spec"):
        Committed(tmp_path).records()


def test_a_newer_record_is_never_told_to_be_deleted(tmp_path):
    committed = Committed(tmp_path)
    [path] = committed.merge([make_record()])
    path.write_text(path.read_text().replace("benchbase-record-", "benchbase-record-9"))
    with pytest.raises(StoreError, match="update benchbase") as caught:
        Committed(tmp_path).records()
    assert "delete" not in str(caught.value)
