"""What the parent writes and what a method's process reads from it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchbase.backbones.small_cnn import SmallCNN
from benchbase.cell import Scenario
from benchbase.data.strong_augment import make_strong_augment
from benchbase.running.task_files import load_task, write_task
from benchbase.seeding import torch_stream


@pytest.mark.parametrize("flips", ["none", "horizontal", "both"])
def test_a_task_augments_strongly_as_its_data_set_allows(
    open_stamps, stamps, tmp_path: Path, flips
) -> None:
    class Stamps(stamps):
        pass

    Stamps.flips = flips
    folder = tmp_path / "task"
    write_task(
        folder, open_stamps(Stamps()), Scenario(dataset="stamps", track="T5"), 0, frozenset()
    )
    task = load_task(folder, SmallCNN(), frozenset(), torch.device("cpu"), ask=lambda rows: [])
    pixels = torch.arange(20 * 2 * 9 * 9).view(20, 2, 9, 9).to(torch.uint8)
    results = {
        kind: make_strong_augment(kind)(pixels, torch_stream(0, "augmentation"))
        for kind in ("none", "horizontal", "both")
    }
    augmented = task.augment_strongly(pixels, torch_stream(0, "augmentation"))
    assert [kind for kind, result in results.items() if torch.equal(augmented, result)] == [flips]
