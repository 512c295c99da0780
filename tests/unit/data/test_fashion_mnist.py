"""``fashion-mnist`` from IDX files written here, byte by byte as the format has it."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from benchbase.cell import Scenario
from benchbase.data import fashion_mnist
from benchbase.data.fashion_mnist import DEBIAN, FILES, FashionMNIST
from benchbase.data.imbalance import Natural
from benchbase.data.noise import SymmetricNoise
from benchbase.data.opening import identify, open_scenario
from benchbase.errors import DataError
from benchbase.seeding import numpy_stream
from tests.needs import need

TRAIN, TEST = 40, 20


def content(name: str, *, labels: int | None = None) -> bytes:
    """Give the bytes of an IDX file: magic number and sizes big-endian, then the values."""
    count = TRAIN if name.startswith("train") else TEST
    if FILES[name] == 1:
        count = count if labels is None else labels
        return struct.pack(">II", 2049, count) + bytes(row % 10 for row in range(count))
    pixels = numpy_stream(0, name).integers(0, 256, count * 784, dtype=np.uint8)
    return struct.pack(">IIII", 2051, count, 28, 28) + pixels.tobytes()


def write(folder: Path, *, zipped: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if zipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content(name)))
        else:
            (folder / name).write_bytes(content(name))
    return folder


@pytest.fixture(autouse=True)
def no_debian_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("below", [".", "fashion-mnist", "FashionMNIST/raw"])
@pytest.mark.parametrize("zipped", [True, False])
def test_files_are_read_below_a_root_gzipped_or_plain(
    tmp_path: Path, scratch: Path, below: str, zipped: bool
) -> None:
    write(tmp_path / "root" / below, zipped=zipped)
    parts = FashionMNIST().load([tmp_path / "root"], scratch)
    for part, name, count in ((parts.train, "train", TRAIN), (parts.test, "t10k", TEST)):
        assert part.pixels.shape == (count, 1, 28, 28)
        assert part.pixels.tobytes() == content(f"{name}-images-idx3-ubyte")[16:]
        assert part.labels.tolist() == [row % 10 for row in range(count)]
    assert parts.validation is None
    assert len(parts.classes) == 10


def test_the_first_of_two_roots_that_holds_all_files_is_read(tmp_path: Path) -> None:
    first, second = tmp_path / "first", write(tmp_path / "second")
    first.mkdir()
    found = FashionMNIST().files([first, second])
    assert {path.parent for path in found} == {second}
    write(first / "fashion-mnist")
    found = FashionMNIST().files([first, second])
    assert {path.parent for path in found} == {first / "fashion-mnist"}


def test_debians_folder_comes_last(tmp_path: Path) -> None:
    debian = write(tmp_path / "debian")
    assert {path.parent for path in FashionMNIST().files([])} == {debian}
    root = write(tmp_path / "root")
    assert {path.parent for path in FashionMNIST().files([root])} == {root}


def test_a_missing_file_is_named_with_where_it_was_looked_for_and_how_to_get_it(
    tmp_path: Path,
) -> None:
    root = write(tmp_path / "root")
    (root / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError) as caught:
        FashionMNIST().files([tmp_path / "elsewhere", root])
    message = str(caught.value)
    assert f"{root / 't10k-labels-idx1-ubyte.gz'} is missing" in message
    assert str(tmp_path / "elsewhere" / "FashionMNIST" / "raw") in message
    assert "apt-get install dataset-fashion-mnist" in message
    assert "download=True" in message


def test_a_truncated_gzip_file_is_named_with_both_sizes(tmp_path: Path, scratch: Path) -> None:
    root = write(tmp_path / "root")
    file = root / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(DataError) as caught:
        FashionMNIST().load([root], scratch)
    message = str(caught.value)
    assert str(file) in message
    assert f"expected {16 + TRAIN * 784} bytes unzipped, found " in message
    found = int(message.split("unzipped, found ")[1].split(";", maxsplit=1)[0])
    assert 0 < found < 16 + TRAIN * 784


def test_a_gzip_file_cut_within_its_checksum_is_refused(tmp_path: Path, scratch: Path) -> None:
    root = write(tmp_path / "root")
    file = root / "t10k-labels-idx1-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz is "):
        FashionMNIST().load([root], scratch)


def test_a_flipped_byte_in_a_gzip_file_is_found(tmp_path: Path, scratch: Path) -> None:
    root = write(tmp_path / "root")
    file = root / "train-images-idx3-ubyte.gz"
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 255
    file.write_bytes(bytes(damaged))
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is damaged"):
        FashionMNIST().load([root], scratch)


@pytest.mark.parametrize(
    ("damaged", "complaint"),
    [
        (b"", "expected at least 16 bytes of header, found 0"),
        (content("train-images-idx3-ubyte")[:-7], "expected 31376 bytes unzipped, found 31369"),
        (content("train-images-idx3-ubyte") + b"x", "expected 31376 .* found 31377"),
        (content("train-labels-idx1-ubyte"), "not what its name says.*magic number 2049"),
        (struct.pack(">IIII", 2051, 1, 32, 32) + bytes(1024), r"28 x 28.*\[1, 32, 32\]"),
        (b"<html>not found</html>", "not what its name says"),
    ],
)
def test_a_plain_file_that_is_not_right_is_refused(
    tmp_path: Path, scratch: Path, damaged: bytes, complaint: str
) -> None:
    root = write(tmp_path / "root", zipped=False)
    (root / "train-images-idx3-ubyte").write_bytes(damaged)
    with pytest.raises(DataError, match=rf"train-images-idx3-ubyte is .*{complaint}"):
        FashionMNIST().load([root], scratch)


def test_a_file_that_is_not_gzipped_but_says_so_is_refused(tmp_path: Path, scratch: Path) -> None:
    root = write(tmp_path / "root")
    (root / "train-labels-idx1-ubyte.gz").write_bytes(b"<html>404</html>")
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte\.gz is .*[Nn]ot a gzipped"):
        FashionMNIST().load([root], scratch)


def test_a_label_file_of_another_length_is_refused(tmp_path: Path, scratch: Path) -> None:
    root = write(tmp_path / "root", zipped=False)
    name = "train-labels-idx1-ubyte"
    (root / name).write_bytes(content(name, labels=39))
    with pytest.raises(DataError, match=rf"{name}: expected 40 labels.*found 39"):
        FashionMNIST().load([root], scratch)


def test_the_real_files_open_with_the_protocols_sizes(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("fashion-mnist", there=(DEBIAN / "train-images-idx3-ubyte.gz").is_file())
    monkeypatch.setattr(fashion_mnist, "DEBIAN", DEBIAN)
    scenario = Scenario(
        dataset="fashion-mnist",
        train_size=6000,
        noise="symmetric",
        noise_options={"rate": 0.4},
        track="T10",
    )
    opened = open_scenario(
        scenario,
        0,
        dataset=FashionMNIST(),
        noise=SymmetricNoise(0.4),
        imbalance=Natural(),
        roots=[],
        cache=cache,
    )
    assert opened.corruption["class_counts"] == [600] * 10
    assert opened.corruption["realised_rate"] == 0.4
    assert (len(opened.trusted), len(opened.validation), len(opened.test)) == (100, 1200, 10_000)
    # Published statistics of the whole training set: mean 0.2860, deviation 0.3530.
    assert opened.mean == pytest.approx((0.286,), abs=0.003)
    assert opened.std == pytest.approx((0.353,), abs=0.003)
    assert opened.identity == identify(
        scenario,
        0,
        dataset=FashionMNIST(),
        noise=SymmetricNoise(0.4),
        imbalance=Natural(),
        roots=[],
        cache=cache,
    )
