"""``benchbase merge``: what it says, and what it refuses."""

from __future__ import annotations

import pytest

from benchbase.cli import invoke
from benchbase.records.store import Store
from tests.unit.records.test_merging import filled


def test_the_command_says_what_each_brought(tmp_path, capsys):
    for name, seed in (("one", 0), ("two", 1)):
        filled(tmp_path / name, seed)
    folders = [str(tmp_path / name) for name in ("one", "two")]
    assert invoke(["merge", *folders, "--home", str(tmp_path / "all")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.rsplit(":")[-1].strip() for line in said] == ["1 added, 0 known"] * 2


def test_a_changed_attempt_and_a_folder_that_is_no_home_are_refused(tmp_path, capsys):
    source, target = filled(tmp_path / "one", 0), filled(tmp_path / "all", 0)
    [record] = Store(source).records()
    path = target.record(record.key, record.attempt)
    path.write_text(path.read_text().replace("0.8", "0.9", 1))
    assert invoke(["merge", str(source.path), "--home", str(target.path)]) != 0
    assert "differs from the same attempt" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert invoke(["merge", str(tmp_path / "empty"), "--home", str(tmp_path / "new")]) == 2
    assert "no home of results" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("arguments", [["--home", "all"], ["one"]])
def test_folders_and_a_target_are_needed(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one").mkdir()
    assert invoke(["merge", *arguments]) == 2
