"""Images that processes share: what stands where, who can change them, what is left of them."""

from __future__ import annotations

import gc
import mmap
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from benchbase.data import maps
from benchbase.data.maps import judged_order, lay_out
from tests.unit.data.conftest import pixel_rows

needs_seals = pytest.mark.skipif(sys.platform != "linux", reason="seals are Linux's")


def images(count, first=0):
    return np.arange(first, first + count * 12, dtype=np.uint8).reshape(count, 3, 2, 2)


@pytest.fixture(params=["sealed", "on disk"])
def lain_out(request, tmp_path, monkeypatch):
    """Lay out images in either place."""
    if request.param == "on disk":
        monkeypatch.setattr(maps, "LARGEST_IN_MEMORY", -1)
    return lambda rows, *sources: lay_out(tmp_path, np.array(rows), *sources)


def test_rows_of_several_arrays_stand_in_the_order_asked_for(lain_out, monkeypatch):
    monkeypatch.setattr(maps, "_BLOCK_BYTES", 30)  # two images at a time
    one, other = images(4), images(3, first=100)
    found = lain_out([6, 0, 4, 3, 0], one, other)
    assert (found.pixels == np.stack([other[2], one[0], other[0], one[3], one[0]])).all()
    assert os.pread(found.descriptor, 12, 24) == other[0].tobytes()


def test_a_role_without_images_has_a_map_too(lain_out):
    assert lain_out(np.arange(0), images(2)).pixels.shape == (0, 3, 2, 2)


def test_nothing_has_a_name_and_nothing_is_left(lain_out, tmp_path):
    found = lain_out([0, 1], images(2))
    pixels, descriptor = found.pixels, found.descriptor
    assert not [*tmp_path.iterdir()]
    del found
    gc.collect()
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(descriptor)
    assert pixels[1, 2, 1, 1] == 23  # whoever looks at them goes on doing so


def look(found):
    return found.pixels.tolist(), os.fstat(found.descriptor).st_ino


def test_another_process_is_handed_the_same_file_and_no_copy(lain_out):
    every = [lain_out([2, 0], images(3)), lain_out(np.arange(0), images(1))]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert [*pool.map(look, every * 2)] == [look(each) for each in every * 2]


def test_the_parent_cannot_write_into_it_by_mistake(lain_out):
    with pytest.raises(ValueError, match="read-only"):
        lain_out([0], images(1)).pixels[:] = 1


@needs_seals
def test_whoever_holds_the_descriptor_cannot_change_what_others_see(tmp_path):
    found = lay_out(tmp_path, np.arange(2), images(2))
    os.fchmod(found.descriptor, 0o700)
    again = os.open(f"/proc/self/fd/{found.descriptor}", os.O_RDWR)
    for change in (
        lambda: os.pwrite(again, b"x", 0),
        lambda: os.ftruncate(again, 1),
        lambda: mmap.mmap(again, 24, prot=mmap.PROT_READ | mmap.PROT_WRITE),
    ):
        with pytest.raises(PermissionError):
            change()
    os.close(again)


def test_every_judged_image_is_asked_for_and_some_twice():
    order = judged_order(200)
    times = np.bincount(order, minlength=200)
    assert (times.min(), times.max(), (times == 2).sum()) == (1, 2, 64)
    assert not np.array_equal(judged_order(200), order)


def test_judged_images_stand_otherwise_each_time_and_their_index_leads_back(open_stamps):
    one, other = open_stamps(), open_stamps()
    assert (one.maps["train"].pixels == other.maps["train"].pixels).all()
    assert not np.array_equal(one.maps["judged"].pixels, other.maps["judged"].pixels)
    everything = np.concatenate([one.validation.pixels, one.test.pixels])
    assert np.array_equal(one.maps["judged"].pixels, everything[one.judged_order])


def test_what_imbalance_drops_and_what_is_judged_is_not_in_what_is_trained_on(open_stamps):
    opened = open_stamps(imbalance="exponential:10", label_fraction=0.2)
    drawn = {role: {*map(bytes, each.pixels)} for role, each in opened.maps.items()}
    assert len(drawn["train"]) + len(drawn["unlabelled"]) < 300
    assert sum(map(len, drawn.values())) == len(set.union(*drawn.values()))
    assert {*pixel_rows(opened.train)}.isdisjoint(pixel_rows(opened.validation))
