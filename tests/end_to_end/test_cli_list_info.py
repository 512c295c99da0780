"""``benchbase list`` and ``info`` as a user starts them: quick, light, beside broken plugins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchbase.cli import invoke
from benchbase.testing.site import PluginSite

PROGRAM = Path(sys.executable).with_name("benchbase")

pytestmark = pytest.mark.usefixtures("shared_server")


@pytest.fixture
def known() -> None:
    """See that what is installed is remembered: a process that must find out imports torch."""
    assert invoke(["list"]) == 0


@pytest.mark.parametrize("arguments", [["--help"], ["list"]], ids=" ".join)
def test_the_command_line_starts_without_torch_and_without_plugins(
    known: None, arguments: list[str]
) -> None:
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
def broken(plugin_site: PluginSite) -> None:
    """Install one plugin for each way to be broken."""
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
    for name, source in sources.items():
        plugin_site.add(name.replace("_", "-"), name, **{name: source})


REASONS = {
    "raises": "its import raised ImportError: no such library",
    "exits": "its import raised SystemExit: 0",
    "outdated": "it speaks API 0, this benchbase speaks 2",
    "misspelled": "unknown hook 'register_wieghters'; did you mean register_weighters",
    "wrong-signature": "a hook has the wrong signature",
    "wrong-class": "int is not a subclass of Weighter",
}


def test_broken_plugins_are_named_with_the_reason_and_hurt_nobody(
    broken: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    reasons = {one["distribution"]: one["reason"] for one in found["broken"]}
    assert reasons.keys() == REASONS.keys()
    for name, reason in REASONS.items():
        assert reason in reasons[name]
        assert reasons[name].startswith(f"{name} 1.0 (")
    assert {"erm", "nuclei"} <= {line["name"] for line in found["plugins"]}

    assert invoke(["list", "weighters"]) == 0
    assert REASONS["outdated"] in capsys.readouterr().out

    assert invoke(["info", "wrong-class"]) == 2
    assert REASONS["wrong-class"] in capsys.readouterr().err

    monkeypatch.setenv("BENCHBASE_STRICT", "1")
    assert invoke(["list"]) == 2


def test_a_reader_that_leaves_early_gets_no_traceback(known: None) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [PROGRAM, "list"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert ran.returncode == 1
    assert ran.stderr == ""


def test_what_is_not_there_is_a_usage_error() -> None:
    ran = subprocess.run(
        [PROGRAM, "info", "./not_there.py"], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "no such file" in ran.stderr
