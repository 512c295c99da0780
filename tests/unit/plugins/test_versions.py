"""Everything of ours that a cell's key names states a version."""

from __future__ import annotations

from pathlib import Path

from benchbase.plugins.catalogue import describe_installed
from benchbase.plugins.installed import OWN_DISTRIBUTION, find_installed

ROOT = Path(__file__).parents[3]
OURS = {OWN_DISTRIBUTION, *(path.name for path in ROOT.glob("plugins/benchbase-*"))}
VERSIONED = ("weighters", "backbones", "noises", "imbalances")


def test_all_of_ours_state_a_version_and_methods_have_a_golden() -> None:
    brought = [describe_installed(one) for one in find_installed() if one.distribution in OURS]
    entries = [each for one in brought for each in one.entries if each.kind in VERSIONED]
    assert {entry.kind for entry in entries} == {*VERSIONED}
    assert [entry.name for entry in entries if not entry.version] == []
    beside = ("plugins/*/tests/goldens", "tests/unit/backbones/goldens")
    guarded = {path.stem for folder in beside for path in ROOT.glob(f"{folder}/*.json")}
    trained = {entry.name for entry in entries if entry.kind in ("weighters", "backbones")}
    assert trained - guarded == set()
