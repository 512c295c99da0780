"""The maps that cells share: what can be read off them, found by a method, or done to them."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.unit.data import conftest
from tests.unit.data.conftest import Stamps

open_stamps = conftest.open_stamps

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


class Folders(Stamps):
    """Images in the order of folders, one a class."""

    name = "folders"

    def labels(self, count):
        return np.arange(count) * self.classes // count


def guessed(labels, at):
    """Give how often a row's class is the most frequent one of the rows around it."""
    right = 0
    for row in at:
        around = np.delete(labels[max(0, row - 5) : row + 6], min(row, 5))
        right += np.bincount(around).argmax() == labels[row]
    return right / len(at)


def test_no_class_and_no_part_follows_from_a_row_s_number(open_stamps):
    dataset = Folders(train=6000, test=900)
    opened = open_stamps(dataset, track="T100", noise="symmetric:0.4", label_fraction=0.5)
    true = dataset.labels(6000)
    known = {
        "train": opened.train_true,
        "trusted": opened.trusted.labels,
        "unlabelled": opened.unlabelled_true,
        "judged": np.concatenate([opened.validation_true, opened.test.labels])[opened.judged_order],
    }
    assert guessed(true, range(6000)) > 0.99  # what the attack finds in the order of folders
    for role, labels in known.items():
        assert len(labels) == len(opened.maps[role].pixels)
        rows = np.arange(len(labels))
        chance = np.bincount(labels).max() / len(labels)
        spare = 4 * (chance * (1 - chance) / len(labels)) ** 0.5
        assert guessed(labels, rows) < chance + spare, role
        in_order = np.sort(labels)
        assert (in_order == labels).mean() < chance + spare, role
        assert (in_order[::-1] == labels).mean() < chance + spare, role
    is_test = (opened.judged_order >= len(opened.validation)).astype(int)
    chance = max(is_test.mean(), 1 - is_test.mean())
    assert guessed(is_test, range(len(is_test))) < chance + 4 / len(is_test) ** 0.5


LOOK = """
def mapped():
    lines = pathlib.Path("/proc/self/maps").read_text().splitlines()
    return [line.split()[0] for line in lines if "memfd:images" in line]

def linked(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""

def handed(process):
    return [it for it in (process / "fd").iterdir() if "memfd:images" in linked(it)]

def beside():
    for process in pathlib.Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                fields = (process / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == os.getppid():
                yield process
"""


@on_linux
def test_a_method_holds_its_own_images_and_finds_no_others(exploit):
    result, notes = exploit(
        """
import mmap as memory
ranges = [tuple(int(end, 16) for end in line.split("-")) for line in mapped()]
pages = -(-task.train.pixels.nbytes // memory.PAGESIZE)
notes["maps"] = len(ranges)
notes["excess"] = sum(end - start for start, end in ranges) / memory.PAGESIZE - pages
notes["descriptors"] = sum(len(handed(process)) for process in beside())
notes["processes"] = len([*beside()])
""",
        top=LOOK,
    )
    assert result.status == "ok", result.reason
    assert notes["processes"] >= 2  # its own and the predictor's
    assert notes == {"maps": 1, "excess": 0, "descriptors": 0, "processes": notes["processes"]}


@on_linux
def test_a_method_cannot_change_what_other_cells_train_on(exploit):
    """Root finds the file behind its own memory; others do not even that."""
    result, notes = exploit(
        """
[place] = mapped()
refused = 0
try:
    with open(f"/proc/self/map_files/{place}", "r+b") as file:
        file.write(b"x" * 100)
except OSError:
    refused = 1
notes["refused"] = refused
""",
        top=LOOK,
    )
    assert result.status == "ok", result.reason
    assert notes == {"refused": 1}
