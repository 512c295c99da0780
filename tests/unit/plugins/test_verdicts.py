"""What the last check said is kept until the plugin changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbase.plugins.discovery import find_one
from benchbase.plugins.verdicts import FILE, key_of, recall, record
from benchbase.testing.site import PluginSite


def test_verdicts_are_recalled(tmp_path: Path) -> None:
    record(tmp_path / "new", {"a": "", "b": "broken"})
    assert recall(tmp_path / "new") == {"a": "", "b": "broken"}
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE]


@pytest.mark.parametrize("content", ["", "[]", "{", "\xff"])
def test_a_missing_or_damaged_file_is_no_verdict(tmp_path: Path, content: str) -> None:
    assert recall(tmp_path) == {}
    (tmp_path / FILE).write_text(content, encoding="latin-1")
    assert recall(tmp_path) == {}


def test_a_verdict_lapses_with_the_source_of_the_module(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", {"datasets": {"moons": "moon_data"}}, moon_data="1 / 0")
    found = find_one("datasets", "moons")
    before = key_of(found)
    (plugin_site.folder / "moon_data.py").write_text("2 / 0")
    assert key_of(found) != before


def test_a_module_that_is_not_there_has_a_key_too(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", {"datasets": {"moons": "moon_data"}})
    assert key_of(find_one("datasets", "moons")).startswith("moon-data 1.0 none ")
