"""What a child tells of plugins is remembered until their files change."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchbase.errors import PluginError
from benchbase.plugins import Source
from benchbase.records.home import Home
from benchbase.running.extra_metrics import load_metrics
from benchbase.running.scouting import describe_sources, read_catalogue
from benchbase.testing.site import PluginSite
from tests.unit.jobs import NoServer
from tests.unit.made_records import make_board

METRIC = """
    from benchbase.hookspecs import hookimpl
    from benchbase.judging.metrics import Metric

    BENCHBASE_API = 2

    class Luck(Metric):
        name = "luck"

        def score(self, logits, labels):
            return 0.5

    @hookimpl
    def register_metrics():
        return [Luck]
"""
METHOD = """
from benchbase import LossWeighter


class Mine(LossWeighter):
    name = "mine"

    def prepare(self, task):
        return lambda step: step.losses.detach()
"""

HOOK = """
BENCHBASE_API = 2
from benchbase.hookspecs import hookimpl

@hookimpl
def register_weighters():
    return [Mine]
"""
DERIVED = """
import their_method


class MineToo(their_method.Mine):
    name = "mine-too"
"""


def test_what_is_installed_is_told_by_a_child_and_remembered(
    plugin_site: PluginSite, server, fresh_home: Home
) -> None:
    plugin_site.add("good-luck", "good_luck", good_luck=METRIC)
    plugin_site.add("bad-luck", "bad_luck", bad_luck="1 / 0", version="0.3")
    catalogue = read_catalogue(server, fresh_home)
    assert [entry.name for entry in catalogue.of("metrics")] == ["luck"]
    [problem] = catalogue.problems
    assert problem.reason.startswith("bad-luck 0.3 (bad_luck): its import raised ZeroDivisionError")
    assert not {"good_luck", "bad_luck"} & sys.modules.keys()
    assert read_catalogue(NoServer(), fresh_home) == catalogue
    (plugin_site.folder / "bad_luck.py").write_text("2 / 0")
    with pytest.raises(AssertionError):  # asked again
        read_catalogue(NoServer(), fresh_home)


def test_no_weighter_is_ever_loaded_in_the_parent(
    plugin_site: PluginSite, server, fresh_home: Home
) -> None:
    plugin_site.add("good-luck", "good_luck", good_luck=METRIC)
    plugin_site.add(
        "loser",
        "loser",
        loser="from benchbase import hookimpl\nfrom loser_method import Mine\n"
        "BENCHBASE_API = 2\n@hookimpl\ndef register_weighters():\n    return [Mine]\n",
        loser_method=METHOD,
    )
    catalogue = read_catalogue(server, fresh_home)
    assert "mine" in catalogue.names("weighters")
    assert [extra.name for extra in load_metrics(make_board(), catalogue)] == ["luck"]
    assert not {"loser", "loser_method"} & sys.modules.keys()


def test_a_damaged_memory_is_asked_again(plugin_site: PluginSite, server, fresh_home: Home) -> None:
    before = {*fresh_home.catalogue.iterdir()}
    plugin_site.add("good-luck", "good_luck", good_luck=METRIC)
    catalogue = read_catalogue(server, fresh_home)
    [memory] = {*fresh_home.catalogue.iterdir()} - before
    memory.write_text("{")
    assert read_catalogue(server, fresh_home) == catalogue
    assert memory.read_text() != "{"


def test_strict_turns_a_broken_plugin_into_an_error(
    plugin_site: PluginSite, server, fresh_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_site.add("bad-luck", "bad_luck", bad_luck="1 / 0")
    monkeypatch.setenv("BENCHBASE_STRICT", "1")
    with pytest.raises(PluginError, match=r"bad-luck 1\.0 \(bad_luck\): its import raised"):
        read_catalogue(server, fresh_home)


def test_a_metric_of_two_distributions_is_an_error(
    plugin_site: PluginSite, server, fresh_home: Home
) -> None:
    for name in ("luck", "more_luck"):
        plugin_site.add(name, f"{name}_metric", **{f"{name}_metric": METRIC})
    with pytest.raises(PluginError, match="two distributions bring a metric called 'luck'"):
        load_metrics(make_board(), read_catalogue(server, fresh_home))


def test_a_file_is_described_by_a_child_and_remembered(server, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(METHOD)
    source = Source("file", str(path))
    [entry] = describe_sources(server, [source], Home(tmp_path))[source]
    assert entry.name == "mine"
    assert describe_sources(NoServer(), [source], Home(tmp_path)) == {source: (entry,)}
    path.write_text("1 / 0")
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        describe_sources(server, [source], Home(tmp_path))


def test_a_plugin_that_ends_the_child_is_told(server, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("import os\nos._exit(0)")
    with pytest.raises(PluginError, match="ended by itself: does a plugin exit on import"):
        describe_sources(server, [Source("file", str(path))], Home(tmp_path))


def test_a_class_derived_from_anothers_changes_with_it(
    plugin_site: PluginSite, server, tmp_path: Path
) -> None:
    plugin_site.add("their-method", "their_method", their_method=METHOD + HOOK)
    (tmp_path / "mine.py").write_text(DERIVED)
    source = Source("file", str(tmp_path / "mine.py"))
    hashes = set()
    for _ in range(2):
        [entry] = describe_sources(server, [source], Home(tmp_path))[source]
        assert entry.bases == ("their_method",)
        hashes.add(entry.source_hash)
    (plugin_site.folder / "their_method.py").write_text(METHOD.replace("losses", "logits"))
    [entry] = describe_sources(server, [source], Home(tmp_path))[source]
    assert len(hashes) == 1
    assert entry.source_hash not in hashes


def test_a_file_changes_with_its_helper_on_the_path(
    server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    monkeypatch.syspath_prepend(str(beside))
    (beside / "my_schedules.py").write_text("RAMP = 1\n")
    path = tmp_path / "mine.py"
    path.write_text(f"from my_schedules import RAMP\n{METHOD}")
    source = Source("file", str(path))
    [entry] = describe_sources(server, [source], Home(tmp_path))[source]
    assert describe_sources(NoServer(), [source], Home(tmp_path)) == {source: (entry,)}
    (beside / "my_schedules.py").write_text("RAMP = 20\n")
    [other] = describe_sources(server, [source], Home(tmp_path))[source]
    assert other.source_hash != entry.source_hash
