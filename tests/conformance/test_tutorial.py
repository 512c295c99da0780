"""The tutorial in plugins/README.md, followed word by word in an empty folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchbase.boards.selectors import parse_selectors, settle
from benchbase.cli import invoke
from benchbase.plugins import KINDS
from benchbase.plugins.catalogue import describe_given, describe_installed
from benchbase.plugins.installed import find_installed
from benchbase.plugins.source import given_source
from benchbase.records.home import Home
from benchbase.running import typechecking
from benchbase.testing.site import PluginSite
from benchbase.testing.toy import toy_problem
from benchbase.testing.watching import train

TEXT = (Path(__file__).parents[2] / "plugins" / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (at the end of )?(\S+\.(?:py|toml))\n")


@pytest.fixture(autouse=True)
def numerics() -> Iterator[None]:
    """Put torch's global settings back: ``check`` has a process of its own, a test has not."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    yield
    torch.use_deterministic_algorithms(deterministic)


@pytest.fixture
def reader(tmp_path: Path, plugin_site: PluginSite, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Start in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Reader(plugin_site)


class Reader:
    """Does what the tutorial says."""

    def __init__(self, site: PluginSite) -> None:
        self.site = site
        self.done: list[str] = []

    def read(self, section: str) -> None:
        """Write the section's files and run its commands, in their order."""
        text = re.split(r"^## ", TEXT, flags=re.MULTILINE)
        [body] = [part for part in text if part.startswith(section)]
        for language, code in BLOCK.findall(body):
            if file := FILE.match(code):
                with Path(file[2]).open("a" if file[1] else "w") as stream:
                    stream.write(code)
            elif language == "sh":
                for line in code.splitlines():
                    self.run(shlex.split(line))

    def run(self, words: list[str]) -> None:
        """Run one command; ``pip install`` is faked, a long ``benchbase run`` only read."""
        match words:
            case ["mkdir", name]:
                Path(name).mkdir()
            case ["cd", name]:
                os.chdir(name)
            case ["mv", old, new]:
                shutil.move(old, new)
            case ["pip", "install", "-e", "."]:
                project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
                [module] = project["entry-points"]["benchbase"].values()
                modules = {path.stem: path.read_text() for path in Path().glob("benchbase_*.py")}
                self.site.add(project["name"], module, version=project["version"], **modules)
            case ["benchbase", "run", *rest] if "--dataset" in rest:
                self.program(["-m", "benchbase", "run", *rest, "--device=cpu", "--json"])
            case ["benchbase", "run", *rest]:
                self.plan(rest)
            case ["benchbase", *rest]:
                assert invoke(rest) == 0
            case ["pytest"]:
                # Not in a process of its own, which would import torch again.
                assert pytest.main(["-q", "-s", "-p", "no:cacheprovider"]) == 0
            case _:
                pytest.fail(f"the tutorial has a command that this test does not know: {words}")
        self.done.append(shlex.join(words))

    def plan(self, arguments: list[str]) -> None:
        """Read a ``benchbase run``, up to the rows that it would give."""
        from benchbase.cli.run import run

        for selector in parse_selectors(run.make_context("run", arguments).params["plugins"]):
            [weighter] = describe_given(given_source(selector.name))
            settle(selector, weighter.options)

    def program(self, arguments: list[str]) -> None:
        """Run Python in a process of its own, with the fake installation in sight."""
        ran = subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": str(self.site.folder), typechecking.SWITCH: "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.usefixtures("shared_server")
def test_the_tutorial_leads_from_an_empty_folder_to_a_green_conformance_run(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    reader.read("A method in one file")
    reader.read("Check it, run it")
    assert re.search(r"(\d+) of \1 checks passed", capsys.readouterr().out)
    reader.read("Make it a package")
    out = capsys.readouterr().out
    assert re.search(
        r"small-loss +\w+.*\n.*of benchbase-.*benchbase-small-loss 0\.1\.0", out, re.DOTALL
    )
    assert "small-loss: weighter of benchbase-small-loss 0.1.0" in out
    reader.read("Test it")
    assert reader.done[-1] == "pytest"


def test_our_plugins_keep_their_goldens_as_documented() -> None:
    [documented] = [code for _, code in BLOCK.findall(TEXT) if code.startswith("# test_golden.py")]
    test = documented[documented.index("@pytest") :].strip()
    folder = Path(__file__).parents[2] / "plugins"
    goldens = [*folder.glob("benchbase-*/tests/goldens")]
    assert len(goldens) >= 5
    for path in goldens:
        assert test in path.with_name("test_golden.py").read_text()


def test_the_loss_of_ones_own_is_short_and_keeps_the_contract(reader: Reader) -> None:
    reader.read("A loss of one's own")
    code = Path("early_learning.py").read_text()
    body = code[code.index("@dataclass") :]
    assert len(body.splitlines()) <= 25
    [early_learning] = describe_given(given_source("./early_learning.py"))
    assert all(seen.weights is None for seen in train(early_learning.load()(), toy_problem()))


@pytest.mark.usefixtures("shared_server")
def test_methods_with_their_own_schedule_and_loop_keep_the_contract_and_are_run(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    reader.read("A method with its own schedule")
    out = capsys.readouterr().out
    assert len(re.findall(r"(\d+) of \1 checks passed", out)) == 2
    tiny = ["--train-size=60", "--epochs=2", "--seeds=1", "--imbalance=1", "--device=cpu"]
    plugins = ["--plugin=./two_phases.py", "--plugin=./own_loop.py"]
    assert invoke(["run", *plugins, *tiny, "--noise=symmetric:0.4", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["table"]["rows"]
    scores = {row["label"]: row["score"]["mean"] for row in rows}
    assert scores.keys() == {"two-phases", "own-loop", "erm"}
    assert scores["own-loop"] == scores["erm"], "plain training, to the last bit"


@pytest.mark.slow
@pytest.mark.usefixtures("shared_server")
def test_one_of_each_other_kind_is_run_to_the_end(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    reader.read("Hooks")
    assert "stripes: data set of benchbase-stripes 0.1.0" in capsys.readouterr().out
    installed = next(one for one in find_installed() if one.distribution == "benchbase-stripes")
    brought = describe_installed(installed)
    assert not brought.problems
    assert {kind for kind in KINDS if brought.of(kind)} == KINDS.keys() - {"weighters"}
    [path] = [path for path in Home.at().records.rglob("*.json") if "seed" in path.read_text()]
    record = path.read_text()
    assert json.loads(record)["status"] == "ok"
    for name in ("stripes", "towards-first", "first-frequent", "one-layer", "confidence"):
        assert name in record
    assert "one-by-one" in record
