"""What plugins of the data side may do wrong, and how it is told."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchbase.data.asking import ask_counts, ask_files, ask_labels, ask_parts, ask_transition
from benchbase.data.cache import prepare
from benchbase.data.contract import DataParts, DataSet, Imbalance, Noise, Part
from benchbase.errors import ContractError, DataError, PluginError, RunError, UsageError
from benchbase.seeding import numpy_stream

RNG = numpy_stream(0, "asking")
STREAMS = {"rng": RNG, "shared": RNG}


def unchecked(kind, **fields):
    """Build a value past the type checks of the test run, which users do not have."""
    value = object.__new__(kind)
    for name, field in fields.items():
        object.__setattr__(value, name, field)
    return value


def part(pixels, labels=None):
    labels = np.arange(len(pixels)) % 2 if labels is None else labels
    return unchecked(Part, pixels=pixels, labels=labels)


def parts(**fields):
    sound = part(np.zeros((4, 1, 8, 8), np.uint8))
    none = dict.fromkeys(("validation", "trusted", "groups", "test_groups"))
    given = {"classes": ("a", "b"), "train": sound, "test": sound, **none, **fields}
    return unchecked(DataParts, **given)


def made(kind, **methods):
    plugin: Any = type("Made", (kind,), {"name": "made"})
    for name, method in methods.items():
        setattr(plugin, name, lambda self, *given, method=method: method(*given))
    plugin.__abstractmethods__ = frozenset()
    return plugin()


def data_set(load=lambda *_: None, files=lambda *_: []):
    return made(DataSet, load=load, files=files)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, r"load gave NoneType, expected DataParts.*does it end with `return`"),
        (parts(classes=["a", "b"]), r"classes are \['a', 'b'\], expected a tuple of names"),
        (parts(train=None), r"part train: expected Part\(pixels, labels\), got NoneType"),
        (parts(train=part([[1]])), "part train: pixels are list, expected a NumPy array"),
        (parts(groups=[0, 0, 1, 1]), "groups are list, expected a NumPy array"),
        (parts(groups=np.array(list("aabb"))), "np.unique.*numbers names"),
        (
            parts(train=part(np.zeros((4, 8, 8), np.uint8))),
            r"\(count, channels, height, width\), found uint8 of shape \(4, 8, 8\): .*\[:, None\]",
        ),
        (
            parts(train=part(np.zeros((4, 8, 8, 3), np.uint8))),
            r"found uint8 of shape \(4, 8, 8, 3\): the channels stand last.*\(0, 3, 1, 2\)",
        ),
        (
            parts(trusted=part(np.zeros((4, 1, 8, 8), np.uint8)), verified=np.ones(4, np.bool_)),
            "gives a trusted part and verified training images: give one of them",
        ),
        (parts(train=part(np.zeros((4, 1, 8, 8)))), r"found float64 .*astype\(np.uint8\)"),
        (parts(train=part(np.zeros((4, 1, 0, 8), np.uint8))), r"found uint8 of shape \(4, 1, 0"),
    ],
)
def test_what_a_data_set_gives_wrongly_is_told_with_the_cure(given, message) -> None:
    with pytest.raises((ContractError, DataError), match=message) as caught:
        ask_parts(data_set(lambda *_: given), [], Path())
    assert "data set made" in str(caught.value)


def test_images_of_many_channels_are_no_images_with_channels_last() -> None:
    sound = part(np.zeros((4, 13, 8, 8), np.uint8))
    given = parts(train=sound, test=sound)
    assert ask_parts(data_set(lambda *_: given), [], Path()) is given


@pytest.mark.parametrize("error", [KeyError("label"), SystemExit(3), AssertionError()])
def test_what_a_plugin_raises_names_it_and_its_line(error) -> None:
    def fail(*_):
        raise error

    expected = rf"'made' raised {type(error).__name__}.*test_asking\.py, line \d+.*benchbase check"
    asked = [
        lambda: ask_parts(data_set(fail), [], Path()),
        lambda: ask_files(data_set(files=fail), []),
        lambda: ask_counts(made(Imbalance, counts=fail), np.array([2, 2])),
        lambda: ask_transition(made(Noise, transition=fail), 2),
        lambda: ask_labels(made(Noise, corrupt=fail), parts().train, 2, **STREAMS),
    ]
    for ask in asked:
        with pytest.raises(PluginError, match=expected):
            ask()


def test_what_a_plugin_says_on_purpose_is_left_as_it_is() -> None:
    def refuse(*_):
        raise UsageError("it takes no ratio")

    with pytest.raises(UsageError, match=r"^it takes no ratio$"):
        ask_counts(made(Imbalance, counts=refuse), np.array([2, 2]))


@pytest.fixture
def broken_images(tmp_path):
    whole = tmp_path / "whole.jpg"
    Image.fromarray(RNG.integers(0, 255, (64, 64), dtype=np.uint8)).save(whole)
    content = whole.read_bytes()
    truncated, nonsense = tmp_path / "truncated.jpg", tmp_path / "nonsense.jpg"
    truncated.write_bytes(content[: len(content) // 2])
    nonsense.write_bytes(b"no image at all")
    return SimpleNamespace(truncated=truncated, nonsense=nonsense, absent=tmp_path / "absent.jpg")


@pytest.mark.parametrize("which", ["truncated", "nonsense", "absent"])
def test_a_file_that_cannot_be_read_is_named_and_no_disk_blamed(
    broken_images, which, tmp_path
) -> None:
    path = getattr(broken_images, which)

    def load(*_):
        with Image.open(path) as image:
            return np.asarray(image)

    with pytest.raises(
        DataError, match=rf"'made' could not read .*{which}\.jpg.*sound file"
    ) as told:
        prepare(data_set(load), [], tmp_path / "cache")
    assert "free space" not in str(told.value)


def test_a_file_that_breaks_a_parser_is_named_as_the_last_one(tmp_path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("a,b")

    def load(*_):
        return int(Path(table).read_text())

    with pytest.raises(PluginError, match=r"raised ValueError.*read last is .*labels\.csv"):
        ask_parts(data_set(load), [], Path())


def test_a_full_disk_is_the_machine_s_fault() -> None:
    def load(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "scratch/unzipped")

    with pytest.raises(RunError, match=r"met a fault of this machine.*No space left.*free space"):
        ask_parts(data_set(load), [], Path())


def test_files_are_paths() -> None:
    with pytest.raises(ContractError, match=r"files gave \['x'\], expected a list of pathlib.Path"):
        ask_files(data_set(files=lambda *_: ["x"]), [])


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 0], [0, 1]], "gave list, expected floats"),
        (np.eye(3), r"gave float64 of shape \(3, 3\), expected floats of shape \(2, 2\)"),
        (np.full((2, 2), 0.4), "sums from 0.8 to 0.8"),
        (np.array([[1.5, -0.5], [0, 1]]), "a minimum of -0.5"),
        (np.full((2, 2), np.nan), "expected probabilities"),
    ],
)
def test_a_transition_is_a_matrix_of_probabilities(matrix, message) -> None:
    with pytest.raises(ContractError, match=f"noise 'made': transition gave.*{message}|{message}"):
        ask_transition(made(Noise, transition=lambda *_: matrix), 2)


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (None, "gave NoneType"),
        (np.zeros(4), r"gave float64 of shape \(4,\)"),
        (np.zeros(3, int), r"gave int64 of shape \(3,\)"),
        (np.array([0, 1, 2, 0]), "labels from 0 to 2, expected .* from 0 to 1"),
    ],
)
def test_a_noise_gives_a_class_index_for_each_image(seen, message) -> None:
    with pytest.raises(ContractError, match=message):
        ask_labels(made(Noise, corrupt=lambda *_: seen), parts().train, 2, **STREAMS)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([1, 2], "gave list"),
        (np.array([1.0, 2.0]), "gave float64"),
        (np.array([1]), r"of shape \(1,\)"),
        (np.array([-1, 2]), r"gave \[-1, 2\]"),
        (np.array([3, 9]), r"gave \[3, 9\] where the classes have \[5, 5\] images"),
    ],
)
def test_an_imbalance_gives_a_possible_count_for_each_class(counts, message) -> None:
    with pytest.raises(ContractError, match=message):
        ask_counts(made(Imbalance, counts=lambda *_: counts), np.array([5, 5]))
