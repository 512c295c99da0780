"""Identities of data: the same as an opening's, remembered, and moved by every input."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from benchbase.cell import Invariances, Recipe, Scenario
from benchbase.data import cache as decoded
from benchbase.data import opening
from benchbase.data.contract import DataSet
from benchbase.data.imbalance import Exponential, Natural
from benchbase.data.noise import MatrixNoise, SymmetricNoise
from benchbase.data.opening import identify, open_scenario
from tests.unit.data.conftest import TRACKS, MakeStamps


def identify_stamps(dataset: DataSet, cache: Path, scenario: Scenario, seed: int = 0) -> Any:
    return identify(
        scenario,
        seed,
        dataset=dataset,
        noise=SymmetricNoise(0.2),
        imbalance=Exponential(1),
        roots=[],
        cache=cache,
    )


def test_identify_names_what_opening_gives(stamps: MakeStamps, cache: Path) -> None:
    for track in TRACKS:
        scenario = Scenario(noise="symmetric", noise_options={"rate": 0.2}, track=track)
        opened = open_scenario(
            scenario,
            3,
            dataset=stamps(),
            noise=SymmetricNoise(0.2),
            imbalance=Exponential(1),
            roots=[],
            cache=cache,
        )
        assert identify_stamps(stamps(), cache, scenario, 3) == opened.identity


def test_identities_are_read_from_the_cache_without_decoding(
    stamps: MakeStamps, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = Scenario(noise="symmetric", noise_options={"rate": 0.2})
    first = identify_stamps(stamps(), cache, scenario)

    def decode(*_: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(decoded, "prepare", decode)
    # Backbone and recipe have no part in the data.
    other = dataclasses.replace(scenario, backbone="resnet32", recipe=Recipe(epochs=3))
    assert identify_stamps(stamps(), cache, other) == first
    with pytest.raises(AssertionError, match="decoded again"):
        identify_stamps(stamps(train=599), cache, scenario)


def test_one_condition_after_another_opens_data_once_and_waits_for_no_disk(
    stamps: MakeStamps, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenarios = [Scenario(), Scenario(track="T0")]
    identify_stamps(stamps(), cache, scenarios[0])
    done: list[str] = []
    for module, name in ((decoded, "prepare"), (opening, "file_hash"), (os, "fsync")):
        monkeypatch.setattr(module, name, lambda *_, name=name: done.append(name))
    names = {
        identify_stamps(stamps(), cache, scenario, seed).labels_hash
        for scenario in scenarios
        for seed in range(1, 6)
    }
    assert len(names) == 10
    assert done == []


def test_a_damaged_identity_is_worked_out_again(stamps: MakeStamps, cache: Path) -> None:
    scenario = Scenario(noise="symmetric", noise_options={"rate": 0.2})
    first = identify_stamps(stamps(), cache, scenario)
    [file] = (cache / "identities").iterdir()
    file.write_text(file.read_text()[:20])
    assert identify_stamps(stamps(), cache, scenario) == first
    assert file.read_text().endswith("}")


def test_what_keeps_the_class_is_part_of_the_identity(stamps: MakeStamps, cache: Path) -> None:
    class Centred(stamps):  # type: ignore[misc, valid-type]
        invariances = Invariances(windows="centre")

    identities = [identify_stamps(made, cache, Scenario()) for made in (stamps(), Centred())]
    assert identities[0] != identities[1]
    assert identities[0] == dataclasses.replace(identities[1], invariances=Invariances())


def test_another_matrix_in_the_same_file_is_another_identity(
    stamps: MakeStamps, cache: Path, tmp_path: Path
) -> None:
    file = tmp_path / "matrix.csv"
    identities = []
    for step, off in enumerate((0.1, 0.3)):
        file.write_text(f"{1 - off},{off},0\n0,1,0\n0,0,1\n")
        os.utime(file, (step, step))
        identities.append(
            identify(
                Scenario(noise="matrix"),
                0,
                dataset=stamps(),
                noise=MatrixNoise(str(file)),
                imbalance=Natural(),
                roots=[],
                cache=cache,
            )
        )
    assert identities[0].labels_hash != identities[1].labels_hash
    assert identities[0].split_hash == identities[1].split_hash


def test_a_raised_version_of_a_noise_is_drawn_again(
    stamps: MakeStamps, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = Scenario(noise="symmetric", noise_options={"rate": 0.2})
    first = identify_stamps(stamps(), cache, scenario)
    monkeypatch.setattr(SymmetricNoise, "corrupt", lambda self, part, *_: part.labels.copy())
    assert identify_stamps(stamps(), cache, scenario) == first, "its code cannot be seen to change"
    monkeypatch.setattr(SymmetricNoise, "version", "another")
    assert identify_stamps(stamps(), cache, scenario) != first
