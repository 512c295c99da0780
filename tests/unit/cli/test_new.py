"""``benchbase new``: what it writes keeps the contract, and nothing is overwritten."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path

import pytest

from benchbase.cli import invoke
from benchbase.options import options_of
from benchbase.plugins.catalogue import describe_given, describe_installed
from benchbase.plugins.installed import find_installed
from benchbase.plugins.kinds import KINDS
from benchbase.plugins.source import given_source
from benchbase.testing.checks.weighters import trains_and_yields_checkpoints
from benchbase.testing.site import PluginSite


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_new_file_holds_one_weighter_that_trains(empty_folder, capsys) -> None:
    assert invoke(["new", "weighter", "my-own-loss"]) == 0
    assert files(empty_folder) == ["my_own_loss.py"]
    assert "benchbase check ./my_own_loss.py" in capsys.readouterr().out
    [entry] = describe_given(given_source("./my_own_loss.py"))
    assert entry.name == "my-own-loss"
    assert [option.name for option in options_of(entry.load())] == ["keep"]
    trains_and_yields_checkpoints(entry.load())


def test_a_new_package_names_the_harness_and_is_found_by_its_entry_point(
    empty_folder, plugin_site: PluginSite
) -> None:
    assert invoke(["new", "weighter", "my_loss", "--package"]) == 0
    folder = empty_folder / "benchbase-my-loss"
    assert files(folder) == ["benchbase_my_loss.py", "pyproject.toml", "test_benchbase_my_loss.py"]
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    assert project["project"]["dependencies"] == ["benchbase-harness>=0.1.0"]
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"] == [
        "benchbase_my_loss.py"
    ]
    [module] = project["project"]["entry-points"]["benchbase"].values()
    source = (folder / "benchbase_my_loss.py").read_text()
    plugin_site.add(project["project"]["name"], module, benchbase_my_loss=source)
    [installed] = [one for one in find_installed() if one.distribution == "benchbase-my-loss"]
    assert describe_installed(installed).names("weighters") == ["my_loss"]


@pytest.mark.parametrize("kind", [plural.removesuffix("s") for plural in KINDS])
def test_the_test_of_a_new_package_passes(kind, empty_folder, plugin_site, toy_task) -> None:
    assert invoke(["new", kind, "my-loss", "--package"]) == 0
    folder = empty_folder / "benchbase-my-loss"
    source = (folder / "benchbase_my_loss.py").read_text()
    plugin_site.add("benchbase-my-loss", "benchbase_my_loss", benchbase_my_loss=source)
    [installed] = [one for one in find_installed() if one.distribution == "benchbase-my-loss"]
    assert describe_installed(installed).names(f"{kind}s") == ["my-loss"]
    written = runpy.run_path(str(folder / "test_benchbase_my_loss.py"))
    contract = written["test_it_keeps_the_contract"]
    [cases] = [mark.args[1] for mark in contract.pytestmark]
    assert cases
    for case in cases:
        contract(*case.values)
    if kind == "weighter":
        written["test_it_reports_that_some_images_are_dropped"](toy_task)


def test_what_has_to_be_installed_is_written_as_a_package(empty_folder, capsys) -> None:
    assert invoke(["new", "dataset", "my-images"]) == 0
    assert files(empty_folder / "benchbase-my-images") == [
        "benchbase_my_images.py",
        "pyproject.toml",
        "test_benchbase_my_images.py",
    ]
    assert "benchbase run --dataset my-images" in capsys.readouterr().out
    assert invoke(["new", "dataset", "nuclei"]) == 2
    assert "an installed data set is called nuclei" in capsys.readouterr().err


@pytest.mark.parametrize("package", [[], ["--package"]])
def test_nothing_is_overwritten(empty_folder, capsys, package) -> None:
    assert invoke(["new", "weighter", "my-loss", *package]) == 0
    [*_, last] = files(empty_folder)
    (empty_folder / last).write_text("mine")
    for name in files(empty_folder)[:-1]:
        (empty_folder / name).unlink()
    assert invoke(["new", "weighter", "my-loss", *package]) == 2
    assert "is there already" in capsys.readouterr().err
    assert files(empty_folder) == [last]
    assert (empty_folder / last).read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("My-Loss", "lower-case letters"),
        ("../loss", "lower-case letters"),
        ("-loss", "No such option"),
        ("class", "has a meaning in Python"),
        ("none", "has a meaning in Python"),
        ("loss-weighter", "has a meaning in Python or benchbase"),
        ("erm", "an installed weighter is called erm"),
        ("torch", "would hide the module 'torch'"),
    ],
)
def test_a_name_that_cannot_work_is_refused(empty_folder, capsys, name, reason) -> None:
    assert invoke(["new", "weighter", name]) == 2
    assert reason in capsys.readouterr().err
    assert files(empty_folder) == []
