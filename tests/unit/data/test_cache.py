"""The cache of decoded data sets."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from benchbase.data import cache as cache_module
from benchbase.data.cache import Prepared, data_key, prepare
from benchbase.data.contract import DataParts, DataSet, Part
from benchbase.errors import DataError, RunError


@dataclass(frozen=True)
class Counted(DataSet):
    """Counts how often it is decoded, and reads one file."""

    file: str = ""
    fill: int = 7

    name: ClassVar[str] = "counted"
    decoded: ClassVar[list[Path]] = []

    def files(self, roots: Sequence[Path]) -> list[Path]:
        return [Path(self.file)] if self.file else []

    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        assert scratch.is_dir()
        assert not list(scratch.iterdir())
        (scratch / "unzipped").write_text("left behind")
        self.decoded.append(scratch)
        pixels = np.full((12, 1, 2, 2), self.fill, dtype=np.uint8)
        pixels[:, 0, 0, 0] = np.arange(12)
        labels = np.arange(12) % 2
        return DataParts(
            classes=("x", "y"),
            train=Part(pixels[:8], labels[:8]),
            test=Part(pixels[8:], labels[8:]),
        )


@pytest.fixture(autouse=True)
def counter() -> Iterator[None]:
    Counted.decoded.clear()
    yield
    Counted.decoded.clear()


def forget() -> None:
    """Open as a fresh process would: nothing has been checked yet."""
    cache_module._checked.clear()


def same(one: Prepared, other: Prepared) -> bool:
    return one.fingerprint == other.fingerprint and bool(
        (one.parts.train.pixels == other.parts.train.pixels).all()
        and (one.parts.test.labels == other.parts.test.labels).all()
    )


def entries(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "data").iterdir())


def test_a_data_set_is_decoded_once_and_mapped_afterwards(cache: Path) -> None:
    first = prepare(Counted(), [], cache)
    forget()
    second = prepare(Counted(), [], cache)
    assert len(Counted.decoded) == 1
    assert same(first, second)
    assert isinstance(second.parts.train.pixels, np.memmap)
    assert second.parts.classes == ("x", "y")
    assert second.parts.validation is None
    assert second.parts.groups is None


def test_nothing_but_the_entry_stays_behind(cache: Path) -> None:
    prepare(Counted(), [], cache)
    assert entries(cache) == [data_key(Counted(), [], cache)[:32]]
    assert list((cache / "preparing").iterdir()) == []
    assert not Counted.decoded[0].exists()


def damage_by_truncation(entry: Path) -> None:
    file = entry / "train_pixels.npy"
    file.write_bytes(file.read_bytes()[:-5])


def damage_by_flipping_a_byte(entry: Path) -> None:
    file = entry / "test_labels.npy"
    content = bytearray(file.read_bytes())
    content[-8] ^= 1
    file.write_bytes(bytes(content))


def damage_by_deleting(entry: Path) -> None:
    (entry / "test_pixels.npy").unlink()


def damage_manifest(entry: Path) -> None:
    (entry / "manifest.json").write_text('{"classes": ["x"')


def empty_manifest(entry: Path) -> None:
    (entry / "manifest.json").write_text("{}")


def delete_everything(entry: Path) -> None:
    for file in entry.iterdir():
        file.unlink()


@pytest.mark.parametrize(
    "damage",
    [
        damage_by_truncation,
        damage_by_flipping_a_byte,
        damage_by_deleting,
        damage_manifest,
        empty_manifest,
        delete_everything,
    ],
)
def test_a_damaged_entry_is_decoded_again(cache: Path, damage: Callable[[Path], None]) -> None:
    first = prepare(Counted(), [], cache)
    pixels = first.parts.train.pixels.tobytes()
    [entry] = (cache / "data").iterdir()
    damage(entry)
    forget()
    again = prepare(Counted(), [], cache)
    assert again.fingerprint == first.fingerprint
    assert again.parts.train.pixels.tobytes() == pixels
    assert len(Counted.decoded) == 2
    assert entries(cache) == [entry.name]
    forget()
    prepare(Counted(), [], cache)
    assert len(Counted.decoded) == 2


def test_other_files_and_options_are_other_entries(cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "source"
    file.write_text("one")
    keys = {data_key(Counted(), [], cache), data_key(Counted(str(file)), [], cache)}
    file.write_text("another")
    keys |= {data_key(Counted(str(file)), [], cache), data_key(Counted(fill=8), [], cache)}
    assert len(keys) == 4
    one, two = prepare(Counted(), [], cache), prepare(Counted(fill=8), [], cache)
    assert one.fingerprint != two.fingerprint
    assert len(entries(cache)) == 2


def test_a_source_file_that_cannot_be_read_is_named(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("absent", "folder"):
        with pytest.raises(DataError, match=rf"{name} cannot be read: "):
            prepare(Counted(str(tmp_path / name)), [], cache)


def test_where_a_file_lies_is_no_part_of_the_entry(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Rooted(Counted):
        def files(self, roots: Sequence[Path]) -> list[Path]:
            return [root / "source" for root in roots]

    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "source").write_text("the same")
    here, there = (data_key(Rooted(), [tmp_path / it], tmp_path) for it in ("here", "there"))
    assert here == there


def prepare_four_times_at_once(dataset: DataSet, cache: Path) -> list[Prepared]:
    found: list[Prepared] = []
    threads = [
        threading.Thread(target=lambda: found.append(prepare(dataset, [], cache))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(found) == 4
    assert all(same(found[0], other) for other in found)
    assert len(entries(cache)) == 1
    return found


def test_of_several_writers_one_decodes_and_the_others_wait(cache: Path) -> None:
    started = threading.Event()

    @dataclass(frozen=True)
    class Slow(Counted):
        def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
            started.wait(timeout=0.1)  # Time for the others to find the cache empty.
            return super().load(roots, scratch)

    prepare_four_times_at_once(Slow(), cache)
    assert len(Counted.decoded) == 1


def test_several_writers_where_there_are_no_locks_leave_one_sound_entry(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    barrier = threading.Barrier(4)

    @dataclass(frozen=True)
    class Together(Counted):
        def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
            barrier.wait(timeout=30)  # All have found the cache empty.
            return super().load(roots, scratch)

    monkeypatch.setattr(cache_module, "lock_file", lambda descriptor, how: False)
    prepare_four_times_at_once(Together(), cache)
    assert len(Counted.decoded) == 4


@pytest.mark.parametrize("resumes", [False, True])
def test_what_an_interrupted_preparation_left_is_there_for_those_who_go_on_from_it(
    cache: Path, resumes: bool
) -> None:
    found: list[bool] = []

    @dataclass(frozen=True)
    class Interrupted(Counted):
        def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
            found.append((scratch / "half").exists())
            (scratch / "half").write_text("unzipped")
            if len(found) == 1:
                raise KeyboardInterrupt
            (scratch / "half").unlink()
            return super().load(roots, scratch)

    Interrupted.resumes = resumes
    with pytest.raises(KeyboardInterrupt):
        prepare(Interrupted(), [], cache)
    prepare(Interrupted(), [], cache)
    assert found == [False, resumes]
    assert list((cache / "preparing").iterdir()) == []


def test_a_decoder_that_fails_leaves_nothing_behind(cache: Path) -> None:
    @dataclass(frozen=True)
    class Failing(Counted):
        def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
            (scratch / "half").write_text("unzipped")
            raise DataError("source.gz is truncated")

    with pytest.raises(DataError, match=r"source\.gz is truncated"):
        prepare(Failing(), [], cache)
    assert not (cache / "data").exists()
    assert list((cache / "preparing").iterdir()) == []


def test_a_cache_that_cannot_be_written_names_itself_and_the_way_out(tmp_path: Path) -> None:
    blocked = tmp_path / "cache"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(RunError, match=r"could not write below .*cache.*--home"):
        prepare(Counted(), [], blocked)


def test_leaks_between_parts_are_counted(cache: Path) -> None:
    @dataclass(frozen=True)
    class Leaking(Counted):
        def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
            parts = super().load(roots, scratch)
            train = parts.train.pixels.copy()
            train[3] = train[4] = train[5]
            test = parts.test.pixels.copy()
            test[0] = train[0]
            return DataParts(
                classes=parts.classes,
                train=Part(train, parts.train.labels),
                test=Part(test, parts.test.labels),
                validation=Part(train[:2], parts.train.labels[:2]),
                trusted=Part(train[6:], parts.train.labels[6:]),
                groups=np.array([0, 0, 1, 1, 2, 2, 3, 3]),
                test_groups=np.array([3, 9, 9, 0]),
            )

    prepared = prepare(Leaking(), [], cache)
    assert prepared.leakage == {
        "train_in_test": 1,
        "validation_in_test": 1,
        "trusted_in_test": 0,
        "validation_in_train": 2,
        "trusted_in_train": 2,
        "train_repeated": 2,
        "train_in_groups_of_test": 4,
    }
    assert prepared.parts.test_groups is not None
    assert prepared.parts.test_groups.tolist() == [3, 9, 9, 0]


def test_the_manifest_is_plain_json(cache: Path) -> None:
    prepared = prepare(Counted(), [], cache)
    [entry] = (cache / "data").iterdir()
    manifest = json.loads((entry / "manifest.json").read_text())
    assert manifest["leakage"] == prepared.leakage
    assert set(manifest["arrays"]) == {path.stem for path in entry.glob("*.npy")}


def test_the_fingerprint_is_of_what_was_decoded_and_of_nothing_else(cache: Path) -> None:
    @dataclass(frozen=True)
    class Changed(Counted):
        """The same images by other code, with one thing changed."""

        thing: str = ""
        name: ClassVar[str] = "changed"

        def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
            parts = super().load(roots, scratch)
            train, groups = parts.train, np.arange(8)
            changes: dict[str, dict[str, Any]] = {
                "": {},
                "pixels": {"train": Part(train.pixels + np.uint8(1), train.labels)},
                "labels": {"train": Part(train.pixels, 1 - train.labels)},
                "given": {"train": Part(train.pixels, train.labels, train.labels)},
                "other given": {"train": Part(train.pixels, train.labels, 1 - train.labels)},
                "test": {"test": Part(parts.test.pixels, 1 - parts.test.labels)},
                "classes": {"classes": ("x", "z")},
                "verified": {"verified": groups == 3},
                "other verified": {"verified": groups == 4},
                "groups": {"groups": groups},
                "other groups": {"groups": groups // 2},
                "test groups": {"test_groups": np.arange(4)},
            }
            return dataclasses.replace(parts, **changes[self.thing])

    things = (
        *("pixels", "labels", "given", "other given", "test", "classes"),
        *("groups", "other groups", "test groups", "verified", "other verified"),
    )
    same_again = prepare(Changed(), [], cache).fingerprint
    assert same_again == prepare(Counted(), [], cache).fingerprint
    prints = {prepare(Changed(thing=thing), [], cache).fingerprint for thing in things}
    assert len(prints - {same_again}) == len(things)


MOONS = (
    "from dataclasses import dataclass\n"
    "from tests.unit.data.test_cache import Counted\n\n"
    "@dataclass(frozen=True)\nclass Moons(Counted):\n    name = 'moons'\n"
)


@pytest.mark.parametrize(
    ("module", "helper"),
    [
        ("moon_package/__init__.py", "moon_package/reading.py"),
        ("moon_folder/moons.py", "moon_folder/reading.py"),  # a package without __init__.py
        ("moons.py", "moon_reading.py"),
    ],
)
def test_a_data_sets_helper_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, helper: str
) -> None:
    (tmp_path / module).parent.mkdir(exist_ok=True)
    (tmp_path / module).write_text(f"import moon_reading\n{MOONS}" if "/" not in module else MOONS)
    (tmp_path / helper).write_text("SHIFT = 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    name = module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    moons = importlib.import_module(name).Moons
    before = data_key(moons(), [], tmp_path)
    (tmp_path / helper).write_text("SHIFT = 20")
    assert data_key(moons(), [], tmp_path) != before
    for each in {name, name.partition(".")[0], "moon_reading"}:
        sys.modules.pop(each, None)
