"""``benchbase list`` and ``info`` as a user starts them: quick, light, beside broken plugins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchbase.testing.site import PluginSite

PROGRAM = Path(sys.executable).with_name("benchbase")


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["list"]], ids=" ".join)
def test_the_command_line_starts_without_torch_and_without_plugins(arguments: list[str]) -> None:
    program = (
        "import sys; from benchbase.cli import invoke\n"
        f"assert invoke({arguments}) == 0\n"
        "assert not {'torch', 'numpy', 'benchbase_baselines'} & sys.modules.keys()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


@pytest.fixture
def broken(tmp_path: Path) -> str:
    """Install one plugin for each way to be broken; give the PYTHONPATH that shows them."""
    head = "from benchbase.hookspecs import hookimpl\n"
    hook = "@hookimpl\ndef register_weighters():\n    return []\n"
    sources = {
        "raises": "raise ImportError('no such library')",
        "exits": "import sys\nsys.exit(0)",
        "outdated": head + "BENCHBASE_API = 0\n" + hook,
        "misspelled": head + "BENCHBASE_API = 2\n" + hook.replace("weighters", "wieghters"),
        "wrong_signature": head + "BENCHBASE_API = 2\n" + hook.replace("()", "(task)"),
        "wrong_class": head + "BENCHBASE_API = 2\n" + hook.replace("[]", "[int]"),
    }
    site = PluginSite(tmp_path)
    for name, source in sources.items():
        site.add(name.replace("_", "-"), name, **{name: source})
    return str(tmp_path)


REASONS = {
    "raises": "its import raised ImportError: no such library",
    "exits": "its import raised SystemExit: 0",
    "outdated": "it speaks API 0, this benchbase speaks 2",
    "misspelled": "unknown hook 'register_wieghters'; did you mean register_weighters",
    "wrong-signature": "a hook has the wrong signature",
    "wrong-class": "int is not a subclass of Weighter",
}


def test_broken_plugins_are_named_with_the_reason_and_hurt_nobody(broken: str) -> None:
    listed = run("list", "--json", PYTHONPATH=broken)
    assert listed.returncode == 0, listed.stderr
    found = json.loads(listed.stdout)
    reasons = {one["distribution"]: one["reason"] for one in found["broken"]}
    assert reasons.keys() == REASONS.keys()
    for name, reason in REASONS.items():
        assert reason in reasons[name]
        assert reasons[name].startswith(f"{name} 1.0 (")
    assert {"erm", "nuclei"} <= {line["name"] for line in found["plugins"]}

    remembered = run("list", "weighters", PYTHONPATH=broken)
    assert REASONS["outdated"] in remembered.stdout

    strict = run("list", PYTHONPATH=broken, BENCHBASE_STRICT="1")
    assert strict.returncode == 2

    asked = run("info", "wrong-class", PYTHONPATH=broken)
    assert asked.returncode == 2
    assert REASONS["wrong-class"] in asked.stderr


def test_a_reader_that_leaves_early_gets_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [PROGRAM, "list"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert ran.returncode == 1
    assert ran.stderr == ""


def test_info_explains_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from benchbase import LossWeighter\n\n\n"
        "class Mine(LossWeighter):\n"
        '    """A method of mine."""\n\n'
        '    name = "mine"\n\n'
        "    def prepare(self, task):\n"
        "        return lambda step: step.losses.detach()\n"
    )
    ran = run("info", str(tmp_path / "mine.py"))
    assert ran.returncode == 0, ran.stderr
    assert "mine: weighter from a file\n  A method of mine.\n" in ran.stdout


def test_what_is_not_there_is_a_usage_error() -> None:
    ran = run("info", "./not_there.py")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "no such file" in ran.stderr
