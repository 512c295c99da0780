"""``benchbase list``: what is installed, and what the last check said of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchbase.cli import invoke
from benchbase.plugins import verdicts
from benchbase.testing.site import PluginSite

METRIC = """
    from benchbase.hookspecs import hookimpl
    from benchbase.judging.metrics import Metric

    BENCHBASE_API = 1

    class Luck(Metric):
        name = "luck"

        def score(self, logits, labels):
            return 0.5

    @hookimpl
    def register_metrics():
        return [Luck]
"""


@pytest.fixture
def two_metrics(plugin_site: PluginSite, monkeypatch: pytest.MonkeyPatch) -> PluginSite:
    """Install a good and a broken one, and hide everything else but benchbase's own."""
    plugin_site.add("good-luck", {"metrics": {"luck": "good_luck"}}, good_luck=METRIC)
    plugin_site.add("bad-luck", {"metrics": {"bad": "bad_luck"}}, bad_luck="1 / 0", version="0.3")
    monkeypatch.setenv("BENCHBASE_PLUGINS", "good-luck,bad-luck")
    return plugin_site


def listed(capsys, *arguments: str) -> dict[str, dict[str, str]]:
    assert invoke(["list", *arguments, "--json"]) == 0
    return {line["name"]: line for line in json.loads(capsys.readouterr().out)["plugins"]}


def test_every_kind_is_listed_by_name(capsys) -> None:
    lines = listed(capsys)
    assert lines["nuclei"]["kind"] == "datasets"
    assert lines["nuclei"]["distribution"] == "benchbase"
    assert {"small_cnn", "symmetric", "exponential", "local"} <= lines.keys()


def test_one_kind_can_be_asked_for(two_metrics: PluginSite, capsys) -> None:
    assert listed(capsys, "metrics").keys() == {"luck", "bad"}
    assert invoke(["list", "metriks"]) == 2
    assert "metrics" in capsys.readouterr().err


def test_nothing_is_imported_without_a_check(two_metrics: PluginSite, capsys) -> None:
    assert {line["status"] for line in listed(capsys, "metrics").values()} == {"not checked"}
    assert not {"good_luck", "bad_luck"} & sys.modules.keys()
    assert invoke(["list", "metrics"]) == 0
    assert "benchbase list --check" in capsys.readouterr().out


def test_a_check_names_what_is_broken_and_why(two_metrics: PluginSite, capsys) -> None:
    assert invoke(["list", "metrics", "--check"]) == 0
    out = capsys.readouterr().out
    assert "luck  good-luck 1.0  ok" in out
    assert "bad   bad-luck 0.3   broken" in out
    assert "metric 'bad' of bad-luck 0.3 (bad_luck): its import raised ZeroDivisionError" in out


def test_the_last_check_is_remembered_until_the_plugin_changes(
    two_metrics: PluginSite, capsys
) -> None:
    listed(capsys, "--check")
    lines = listed(capsys, "metrics")
    assert {name: line["status"] for name, line in lines.items()} == {"luck": "ok", "bad": "broken"}
    assert "ZeroDivisionError" in lines["bad"]["reason"]
    (two_metrics.folder / "bad_luck.py").write_text("2 / 0")
    assert listed(capsys, "metrics")["bad"]["status"] == "not checked"
    assert listed(capsys, "metrics")["luck"]["status"] == "ok"


def test_a_home_can_be_given(two_metrics: PluginSite, tmp_path: Path, capsys) -> None:
    listed(capsys, "--check", "--home", str(tmp_path / "other"))
    assert (tmp_path / "other" / verdicts.FILE).is_file()
    assert listed(capsys, "metrics")["luck"]["status"] == "not checked"


def test_a_home_that_cannot_be_written_is_told_and_the_check_shown(
    two_metrics: PluginSite, tmp_path: Path, capsys
) -> None:
    (tmp_path / "file").touch()
    assert invoke(["list", "metrics", "--check", "--home", str(tmp_path / "file" / "home")]) == 0
    out, err = capsys.readouterr()
    assert "the check is not kept" in err
    assert "broken" in out


def test_strict_ends_at_the_first_broken_plugin(
    two_metrics: PluginSite, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHBASE_STRICT", "1")
    assert invoke(["list", "--check"]) == 2
    assert "metric 'bad' of bad-luck 0.3" in capsys.readouterr().err


def test_a_name_taken_twice_is_listed_by_its_long_forms(two_metrics: PluginSite, capsys) -> None:
    two_metrics.add("more-luck", {"metrics": {"luck": "more_luck"}}, more_luck=METRIC)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("BENCHBASE_PLUGINS")
        assert {"good-luck:luck", "more-luck:luck", "bad"} <= listed(capsys, "metrics").keys()


def test_everything_that_is_installed_here_works(capsys) -> None:
    broken = {
        name: line["reason"]
        for name, line in listed(capsys, "--check").items()
        if line["status"] != "ok"
    }
    assert broken == {}
