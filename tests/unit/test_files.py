"""Files are written whole or not at all, on whatever file system."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from benchbase.errors import StoreError
from benchbase.files import create_file, replace_file
from tests.unit.failing import failing


def test_a_text_is_replaced_at_once(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    replace_file(path, "old")
    replace_file(path, "new")
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("refusal", [None, errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_a_new_file_never_replaces_another_with_or_without_hard_links(
    tmp_path, monkeypatch, refusal
):
    if refusal is not None:
        monkeypatch.setattr(os, "link", failing(refusal))
    path = tmp_path / "file"
    create_file(path, b"first")
    with pytest.raises(StoreError, match="it was written before, and is left alone"):
        create_file(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("refusal", [errno.EINVAL, errno.ENOTSUP])
def test_a_folder_that_cannot_be_synced_is_no_fault(tmp_path, monkeypatch, refusal):
    sync = os.fsync

    def sync_files_only(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            failing(refusal)()
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", sync_files_only)
    replace_file(tmp_path / "file", "text")
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.ENOSPC, "free some space"), (errno.EROFS, "BENCHBASE_HOME"), (errno.EIO, "cannot")],
)
def test_what_cannot_be_written_says_why_and_leaves_nothing(tmp_path, monkeypatch, number, advice):
    monkeypatch.setattr(os, "fsync", failing(number))
    with pytest.raises(StoreError, match=advice):
        replace_file(tmp_path / "file", "text")
    assert list(tmp_path.iterdir()) == []
