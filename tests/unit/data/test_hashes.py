"""Hashes of data files are remembered while the files stay as they are."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from benchbase.data import hashes
from benchbase.data.hashes import file_hashes
from benchbase.errors import DataError

LONG_AGO = time.time_ns() - 10**12


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Name the files that were read; all of them count as changed long ago."""
    names: list[str] = []
    digest = hashes._digest

    def counted(path: str | Path) -> str:
        names.append(Path(path).name)
        return digest(path)

    monkeypatch.setattr(hashes, "_digest", counted)
    monkeypatch.setattr(hashes, "SETTLED_SECONDS", -3600)
    return names


def written(folder: Path, **contents: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_text(content)
    return [folder / name for name in contents]


def test_a_file_is_read_once_in_all_runs(tmp_path, read):
    files = written(tmp_path / "set", a="one", b="two")
    expected = [hashlib.sha256(it).hexdigest() for it in (b"one", b"two")]
    for _ in range(2):
        assert file_hashes(files, tmp_path / "memory") == expected
    assert sorted(read) == ["a", "b"]


def test_a_file_of_the_same_size_and_time_is_read_again_when_it_was_written_to(tmp_path, read):
    [file] = written(tmp_path / "set", a="one")
    os.utime(file, ns=(LONG_AGO, LONG_AGO))
    [before] = file_hashes([file], tmp_path / "memory")
    time.sleep(0.01)  # two ticks of the clock that stamps files
    file.write_text("two")
    os.utime(file, ns=(LONG_AGO, LONG_AGO))
    assert file_hashes([file], tmp_path / "memory") != [before]


def test_only_what_is_new_is_read(tmp_path, read):
    files = written(tmp_path / "set", a="one", b="two")
    file_hashes(files, tmp_path / "memory")
    read.clear()
    [more] = written(tmp_path / "set", c="three")
    file_hashes([*files, more], tmp_path / "memory")
    file_hashes(files, tmp_path / "memory")
    assert read == ["c"]


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path, read, monkeypatch):
    monkeypatch.setattr(hashes, "SETTLED_SECONDS", 60)
    files = written(tmp_path / "set", a="one")
    for _ in range(2):
        file_hashes(files, tmp_path / "memory")
    assert read == ["a", "a"]


@pytest.mark.parametrize("content", ["", "[1]", '{"a": 1}'])
def test_a_damaged_memory_is_no_memory(tmp_path, read, content):
    files = written(tmp_path / "set", a="one")
    expected = file_hashes(files, tmp_path / "memory")
    [memory] = (tmp_path / "memory").iterdir()
    memory.write_text(content)
    assert file_hashes(files, tmp_path / "memory") == expected
    assert read == ["a", "a"]


def test_a_memory_that_cannot_be_written_is_done_without(tmp_path, read):
    files = written(tmp_path / "set", a="one")
    (tmp_path / "memory").write_text("a file where the folder should be")
    assert len(file_hashes(files, tmp_path / "memory")) == 1


def test_a_file_that_is_gone_is_named(tmp_path):
    with pytest.raises(DataError, match=r"absent cannot be read: No such file"):
        file_hashes([tmp_path / "absent"], tmp_path / "memory")
