"""What the parent writes and what a method's process reads from it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchbase.api import Need
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.cell import Invariances, Scenario
from benchbase.data.strong_augment import make_strong_augment
from benchbase.errors import RunError
from benchbase.running.task_files import load_task, write_task
from benchbase.seeding import torch_stream
from tests.unit.data import conftest

stamps, cache, open_stamps = conftest.stamps, conftest.cache, conftest.open_stamps


KINDS = [
    Invariances(flips="none"),
    Invariances(),
    Invariances(flips="both", windows="centre", smallest_area=0.5, turns=180, colours=False),
]


@pytest.mark.parametrize("invariances", KINDS, ids=lambda it: it.flips)
def test_a_task_augments_strongly_as_its_data_set_allows(
    open_stamps, stamps, tmp_path: Path, invariances
) -> None:
    class Stamps(stamps):
        pass

    Stamps.invariances = invariances
    folder = tmp_path / "task"
    write_task(
        folder, open_stamps(Stamps()), Scenario(dataset="stamps", track="T5"), 0, frozenset()
    )
    task = load_task(folder, SmallCNN(), frozenset(), torch.device("cpu"), ask=lambda rows: [])
    pixels = torch.arange(20 * 2 * 9 * 9).view(20, 2, 9, 9).to(torch.uint8)
    results = {
        kind: make_strong_augment(kind)(pixels, torch_stream(0, "augmentation")) for kind in KINDS
    }
    augmented = task.augment_strongly(pixels, torch_stream(0, "augmentation"))
    assert [kind for kind, result in results.items() if torch.equal(augmented, result)] == [
        invariances
    ]


def test_a_network_that_its_backbone_cannot_build_is_no_fault_of_the_method(
    open_stamps, tmp_path: Path
) -> None:
    class Faulty(SmallCNN):
        name = "faulty"

        def build(self, shape, num_classes):
            raise KeyError("width")

    write_task(tmp_path / "task", open_stamps(), Scenario(track="T5"), 0, frozenset())
    task = load_task(tmp_path / "task", Faulty(), frozenset(), torch.device("cpu"), lambda _: [])
    with pytest.raises(RunError, match="backbone 'faulty' raised KeyError: 'width'"):
        task.build_model()


def test_a_method_is_told_that_nobody_knows_the_noise_rate(
    open_stamps, stamps, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(stamps, "truth_known", False)
    needs = frozenset({Need.NOISE_RATE, Need.TRUSTED})
    for noise, rate, told in (("none", 0, "unknown"), ("symmetric:0.4", 0.4, "realised rate")):
        folder = tmp_path / f"task {rate}"
        opened = open_stamps(noise=noise)
        names = frozenset(need.value for need in needs)
        granted = write_task(folder, opened, Scenario(track="T5"), 0, names)
        assert granted == {"trusted": "as given", "noise rate": told}
        task = load_task(folder, SmallCNN(), needs, torch.device("cpu"), ask=lambda rows: [])
        assert task.noise_rate == (pytest.approx(rate, abs=0.01) if rate else None)


@pytest.mark.parametrize("fraction", [None, 0.1])
@pytest.mark.parametrize("knows", [False, True])
def test_withheld_labels_are_true_for_whoever_knows_the_truth_and_minus_one_else(
    open_stamps, tmp_path: Path, fraction, knows
) -> None:
    opened = open_stamps(label_fraction=fraction, noise="symmetric:0.4")
    needs = frozenset({Need.UNLABELLED, Need.TRUTH} if knows else {Need.UNLABELLED})
    folder = tmp_path / "task"
    names = frozenset(need.value for need in needs)
    write_task(folder, opened, Scenario(dataset="stamps", track="T5"), 0, names)
    task = load_task(folder, SmallCNN(), needs, torch.device("cpu"), ask=lambda rows: [])
    if fraction is None:
        assert len(task.unlabelled) == 0
    elif knows:
        assert task.unlabelled.labels.tolist() == opened.unlabelled_true.tolist()
        assert task.truth.tolist() == opened.train_true.tolist()
    else:
        assert set(task.unlabelled.labels.tolist()) == {-1}
