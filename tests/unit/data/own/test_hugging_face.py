"""Data sets as Hugging Face's library writes them; the hub itself is never asked."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from benchbase.data.own.hugging_face import HuggingFace
from benchbase.errors import DataError
from tests.unit.data.own.conftest import patch


def saved(folder: Path, parts: dict[str, int], **columns) -> Path:
    import datasets

    features = {"scan": datasets.Image(), "dx": datasets.ClassLabel(names=["nv", "mel"])}
    made, number = {}, 0
    for name, count in parts.items():
        rows = {"scan": [patch(number + it) for it in range(count)], "dx": [0, 1] * (count // 2)}
        rows |= {column: values[:count] for column, values in columns.items()}
        extra = {column: datasets.Value("string") for column in columns}
        made[name] = datasets.Dataset.from_dict(
            rows, features=datasets.Features({**features, **extra})
        )
        number += count
    whole = datasets.DatasetDict(made) if len(made) > 1 else made[next(iter(parts))]
    whole.save_to_disk(str(folder))
    return folder


def load(folder: Path, **options):
    return HuggingFace(path=str(folder), size=8, **options).load([], folder)


def test_what_save_to_disk_wrote_is_read_with_its_parts_and_class_names(tmp_path):
    parts = load(saved(tmp_path / "set", {"train": 8, "valid": 4, "test": 6}))
    assert [len(it) for it in (parts.train, parts.validation, parts.test)] == [8, 4, 6]
    assert parts.classes == ("mel", "nv")
    assert parts.train.pixels.shape == (8, 3, 8, 8)
    assert "columns found: image=scan, label=dx" in parts.notes


def test_one_part_is_split_by_groups(tmp_path):
    patients = [f"P{row // 2}" for row in range(20)]
    folder = saved(tmp_path / "set", {"train": 20}, patient=patients)
    parts = load(folder)
    assert parts.groups is not None
    assert parts.test_groups is not None
    assert not set(parts.groups) & set(parts.test_groups)
    assert load(folder, group=None).groups is None


def test_a_folder_of_classes_is_read_as_the_library_does(class_folders, tmp_path):
    folder = class_folders("set/train", a=8, b=8).parent
    class_folders("set/test", a=2, b=2)
    before = sorted(folder.rglob("*"))
    parts = load(folder)
    assert [len(parts.train), len(parts.test)] == [16, 4]
    assert sorted(folder.rglob("*")) == before


def test_a_data_set_of_the_hub_is_read_from_where_it_was_fetched_to(tmp_path, monkeypatch):
    folder = saved(tmp_path / "3f2a", {"train": 8, "test": 4})
    asked = []

    def fetch(repository, **how):
        asked.append((repository, how))
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    own = HuggingFace(repository="owner/name", revision="v1", size=8)
    assert len(own.load([], tmp_path).train) == 8
    assert "revision 3f2a of the hub" in own.complete().notes
    assert folder / "train" / "state.json" in own.files([])
    assert asked[0] == ("owner/name", {"repo_type": "dataset", "revision": "v1"})


def test_without_a_network_the_message_says_what_to_look_at(monkeypatch):
    def fail(*_, **__):
        raise LocalEntryNotFoundError("cannot reach the hub")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(DataError, match=r"hf:owner/name: could not be had .*the network"):
        HuggingFace(repository="owner/name").files([])


def test_columns_and_folders_that_do_not_fit_are_refused(tmp_path):
    folder = saved(tmp_path / "set", {"train": 8}, note=["x"] * 8)
    with pytest.raises(DataError, match=r"'note' holds .* where images are expected"):
        load(folder, image="note")
    with pytest.raises(DataError, match="label=dxx: unknown column 'dxx'; did you mean dx"):
        load(folder, label="dxx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="`datasets` cannot read it"):
        load(tmp_path / "empty")
    with pytest.raises(DataError, match="expected a folder"):
        load(folder / "state.json")


def test_a_truth_column_judges_beside_labels_as_given(tmp_path):
    right = [["nv", "mel"][(row + (row == 4)) % 2] for row in range(20)]
    folder = saved(tmp_path / "set", {"train": 20}, checked=right)
    parts = load(folder, truth="checked")
    assert parts.train.given is not None
    assert parts.test.given is not None
    assert sum((it.labels != it.given).sum() for it in (parts.train, parts.test)) == 1
    assert load(folder).train.given is None
