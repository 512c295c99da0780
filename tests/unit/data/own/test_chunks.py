"""Images are decoded in chunks, each kept until all are there."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from benchbase.data.own import chunks
from benchbase.data.own.chunks import Rule, decode_all
from benchbase.data.own.listing import Listing
from benchbase.data.own.reading import read_picture
from benchbase.data.progress import heard_by
from benchbase.errors import DataError, RunError
from tests.unit.data.own.conftest import patch

RULE = Rule(8, "crop")


@pytest.fixture
def listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listing:
    """List seven images, grey and coloured, which are two chunks and a half."""
    monkeypatch.setattr(chunks, "CHUNK", 3)
    (tmp_path / "chunks").mkdir()
    paths = []
    for number in range(7):
        paths.append(tmp_path / f"{number}.png")
        patch(number, "L" if number == 4 else "RGB").save(paths[-1])
    names = tuple(path.name for path in paths)
    return Listing("folder:it", names, names, lambda row: paths[row], tuple(paths))


def expected(listing: Listing):
    return [
        read_picture(listing.picture(row), name, 8, "crop")
        for row, name in enumerate(listing.names)
    ]


def assert_same(found, wanted):
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one.remarks == other.remarks
        assert one.pixels.dtype == np.uint8
        assert one.pixels.shape == other.pixels.shape
        assert (one.pixels == other.pixels).all()


def test_other_processes_decode_to_the_same_pixels_and_tell_how_far_they_are(listing, tmp_path):
    heard = []
    with heard_by(lambda *it: heard.append(it)):
        found = decode_all(listing, RULE, tmp_path / "chunks")
    assert_same(found, expected(listing))
    assert heard[0] == ("decoding folder:it", 0, 7)
    assert heard[-1] == ("decoding folder:it", 7, 7)
    assert len(heard) == 4


def in_this_process(monkeypatch) -> None:
    def decoded(missing, listing, rule):
        for file, chunk in missing:
            pictures = [listing.picture(row) for row in chunk]
            names = [listing.names[row] for row in chunk]
            yield chunks._decode_chunk(pictures, names, rule, file, os.getpid())

    monkeypatch.setattr(chunks, "_decoded", decoded)


def test_a_preparation_goes_on_from_the_chunks_that_are_there(listing, tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    folder = tmp_path / "chunks"
    wanted = expected(listing)
    files = ((folder / f"{start}.npz", range(start, min(start + 3, 7))) for start in (0, 3, 6))
    assert list(chunks._decoded([*files], listing, RULE)) == [3, 3, 1]
    os.truncate(folder / "3.npz", 100)  # as a full disk or a crash leaves it
    (folder / "6.npz").unlink()
    for number in (0, 1, 2):
        (tmp_path / f"{number}.png").unlink()
    heard = []
    with heard_by(lambda *it: heard.append(it)):
        assert_same(decode_all(listing, RULE, folder), wanted)
    assert [done for _, done, _ in heard] == [3, 6, 7]
    assert list(folder.iterdir()) == []


def test_an_image_that_cannot_be_read_leaves_no_chunk(listing, tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    (tmp_path / "4.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"4\.png: not an image"):
        decode_all(listing, RULE, tmp_path / "chunks")
    assert sorted(path.name for path in (tmp_path / "chunks").iterdir()) == ["0.npz"]


def test_a_chunk_that_somebody_removes_is_no_chunk_of_nothing(listing, tmp_path, monkeypatch):
    monkeypatch.setattr(chunks, "_decoded", lambda missing, listing, rule: iter(()))
    with pytest.raises(RunError, match=r"0\.npz: it is gone"):
        decode_all(listing, RULE, tmp_path / "chunks")


@pytest.mark.parametrize(
    ("parent", "ignored"), [(os.getpid(), False), (0, True)], ids=["parent", "worker"]
)
def test_ctrl_c_is_the_parent_s_to_handle(listing, tmp_path, parent, ignored):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        chunks._decode_chunk([listing.picture(0)], ["0.png"], RULE, tmp_path / "0.npz", parent)
        assert (signal.getsignal(signal.SIGINT) == signal.SIG_IGN) == ignored
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_fault_takes_the_place_of_an_image_that_is_skipped(listing, tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    wanted = expected(listing)
    (tmp_path / "4.png").write_bytes(b"")
    found = decode_all(listing, Rule(8, "crop", skip_bad=True), tmp_path / "chunks")
    assert [row for row, each in enumerate(found) if each.fault] == [4]
    assert found[4].fault.startswith("4.png: not an image that can be read")
    assert_same([*found[:4], *found[5:]], [*wanted[:4], *wanted[5:]])


def test_the_content_of_files_and_arrays_are_decoded_as_well(listing, tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    wanted = expected(listing)
    held = [path.read_bytes() for path in listing.files]
    listing = Listing("csv:it", listing.names, listing.labels, lambda row: held[row], ())
    assert_same(decode_all(listing, RULE, tmp_path / "chunks"), wanted)
    pixels = [np.asarray(patch(row)) for row in range(7)]
    arrays = Listing("npz:it", listing.names, listing.labels, lambda row: pixels[row], ())
    found = decode_all(arrays, RULE, tmp_path / "absent")
    assert (found[3].pixels == wanted[3].pixels).all()
