"""``benchbase list``: what is installed, and what is broken."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchbase.cli import invoke
from benchbase.judging.scales import RANKABLE, SCALES
from benchbase.plugins.installed import OWN_DISTRIBUTION, find_installed
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.store import Store
from benchbase.running import scouting
from benchbase.testing.site import PluginSite
from tests.unit.cli.test_show import STATED
from tests.unit.made_records import changed, make_record
from tests.unit.running.test_scouting import METRIC

pytestmark = pytest.mark.usefixtures("shared_server")


@pytest.fixture
def two_metrics(plugin_site: PluginSite, monkeypatch: pytest.MonkeyPatch) -> PluginSite:
    """Install a good and a broken one, and hide everything else but benchbase's own."""
    plugin_site.add("good-luck", "good_luck", good_luck=METRIC)
    plugin_site.add("bad-luck", "bad_luck", bad_luck="1 / 0", version="0.3")
    monkeypatch.setenv("BENCHBASE_PLUGINS", "good-luck,bad-luck")
    return plugin_site


def listed(capsys, *arguments: str) -> dict[str, dict[str, str]]:
    assert invoke(["list", *arguments, "--json"]) == 0
    return {line["name"]: line for line in json.loads(capsys.readouterr().out)["plugins"]}


def test_every_kind_is_listed_by_name_with_what_it_is(capsys) -> None:
    lines = listed(capsys)
    assert lines["nuclei"]["kind"] == "datasets"
    assert lines["nuclei"]["distribution"] == OWN_DISTRIBUTION
    assert {"small_cnn", "symmetric", "exponential", "local", "erm"} <= lines.keys()
    assert all(line["summary"] for line in lines.values())


def test_one_kind_can_be_asked_for(two_metrics: PluginSite, capsys) -> None:
    assert listed(capsys, "metrics").keys() == {"luck"}
    assert invoke(["list", "metriks"]) == 2
    assert "metrics" in capsys.readouterr().err


def test_scores_stand_beside_the_metrics_of_plugins(two_metrics: PluginSite, capsys) -> None:
    assert invoke(["list", "metrics"]) == 0
    out = capsys.readouterr().out
    assert "of good-luck" in out
    assert re.search(r"\n \*balanced_accuracy  0 to 1, higher is better +Mean recall", out)
    assert re.search(r"\n  brier +0 to 2, lower is better +Squared distance", out)
    assert invoke(["list", "metrics", "--json"]) == 0
    scores = {one["name"]: one["ranks"] for one in json.loads(capsys.readouterr().out)["scores"]}
    assert scores == {name: name in RANKABLE for name in SCALES}
    assert invoke(["list", "weighters", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scores"] == []


def test_what_is_broken_is_told_with_the_reason(two_metrics: PluginSite, capsys) -> None:
    assert invoke(["list", "metrics"]) == 0
    out = capsys.readouterr().out
    assert "luck" in out
    assert "broken  bad-luck 0.3 (bad_luck): its import raised ZeroDivisionError" in out
    assert invoke(["list", "--json"]) == 0
    assert [one["distribution"] for one in json.loads(capsys.readouterr().out)["broken"]] == [
        "bad-luck"
    ]


def test_a_home_can_be_given(fresh_home: Home, two_metrics: PluginSite, capsys) -> None:
    known = {*fresh_home.catalogue.iterdir()}
    listed(capsys, "--home", str(fresh_home.path))
    assert len({*fresh_home.catalogue.iterdir()} - known) == 2


def test_a_home_that_cannot_be_written_does_not_matter(
    two_metrics: PluginSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    fakes = [one for one in find_installed() if one.distribution != OWN_DISTRIBUTION]
    monkeypatch.setattr(scouting, "find_installed", lambda: fakes)
    (tmp_path / "file").touch()
    assert invoke(["list", "metrics", "--home", str(tmp_path / "file" / "home")]) == 0
    assert "luck" in capsys.readouterr().out


def test_strict_ends_at_the_first_broken_plugin(
    two_metrics: PluginSite, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHBASE_STRICT", "1")
    assert invoke(["list"]) == 2
    assert "bad-luck 0.3 (bad_luck)" in capsys.readouterr().err


def test_a_name_taken_twice_is_listed_by_its_long_forms(two_metrics: PluginSite, capsys) -> None:
    two_metrics.add("more-luck", "more_luck", more_luck=METRIC)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BENCHBASE_PLUGINS")
        assert {"good-luck:luck", "more-luck:luck"} <= listed(capsys, "metrics").keys()


def test_results_of_other_code_of_the_same_version_are_told(
    fresh_home: Home,
    plugin_site: PluginSite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys,
) -> None:
    plugin_site.add("demo-plugin", "demo_plugin", demo_plugin=STATED)
    monkeypatch.setenv("BENCHBASE_PLUGINS", "demo-plugin")
    monkeypatch.chdir(tmp_path)
    old = changed(make_record(), "provenance", source="older")
    Store(fresh_home).write(old)
    board = tmp_path / "leaderboards" / "kidneys"
    board.mkdir(parents=True)
    (board / "board.toml").write_text("")
    Committed(board).merge([old])
    told = "plain: code changed since, not replayed (2 results)"
    assert invoke(["list", "weighters", "--home", str(fresh_home.path)]) == 0
    assert told in capsys.readouterr().out
    (board / "board.toml").write_text('frozen = "protocol 1"')
    assert invoke(["list", "--home", str(fresh_home.path), "--json"]) == 0
    [line] = json.loads(capsys.readouterr().out)["changed"]
    assert line == told.replace("2", "1")


def test_everything_that_is_installed_here_works(capsys) -> None:
    assert invoke(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["broken"] == []
