"""The chores of the project, one command each; ``uv run nox`` does those that guard a change.

All of these use the one environment that ``uv run`` made; only ``plugins`` and ``minimums``, which
are about other environments, make their own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYTHON = sys.executable
UV = os.environ.get("UV") or shutil.which("uv") or ""
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
RAY = ROOT / "plugins" / "benchbase-ray"
LIGHT = [plugin for plugin in PLUGINS if plugin != RAY]
"""Ray is large: its plugin is in no default group, and has a session and an environment."""
SCRATCH = ROOT / ".nox"
TWO_PROCESSES = ["--numprocesses=2", "--dist=worksteal"]
"""Most tests wait for one child or another; whoever is done takes over from the other."""

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["tests", "lint", "types", "docs", "plugins"]
nox.options.error_on_missing_interpreters = True


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests of benchbase and of every plugin in this checkout, but for the slow ones."""
    chosen = session.posargs or ["--ignore=tests/test_docs.py", "-m", "not slow", *TWO_PROCESSES]
    session.run(PYTHON, "-m", "pytest", *chosen)


@nox.session
def slow(session: nox.Session) -> None:
    """Run the slow tests: what the others say, on more data, more epochs or more seeds.

    Of those that take more than a minute one is run, another one each day.
    """
    if session.posargs:
        session.run(PYTHON, "-m", "pytest", *session.posargs)
        return
    session.run(PYTHON, "-m", "pytest", "-m", "slow and not rare", *TWO_PROCESSES)
    listing = ["--collect-only", "-q", "-m", "rare", "tests/end_to_end"]
    told = _output(PYTHON, "-m", "pytest", *listing).splitlines()
    drawn = [line for line in told if "::" in line]
    today = datetime.now(UTC).date().toordinal()
    session.run(PYTHON, "-m", "pytest", drawn[today % len(drawn)])


@nox.session
def rare(session: nox.Session) -> None:
    """Run the tests that take more than a minute."""
    session.run(PYTHON, "-m", "pytest", *(session.posargs or ["-m", "rare", *TWO_PROCESSES]))


@nox.session
def coverage(session: nox.Session) -> None:
    """Tell which lines no unit test runs; their share may not fall (`fail_under`)."""
    # Without the type checks, whose wrappers would be counted.
    without = {"BENCHBASE_TYPECHECK": "0"}
    where = session.posargs or ["tests/unit"]
    session.run(PYTHON, "-m", "coverage", "run", "-m", "pytest", *where, env=without)
    session.run(PYTHON, "-m", "coverage", "report")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format, and that no file names a registry or a build machine."""
    session.run(PYTHON, "-m", "ruff", "check", ".")
    session.run(PYTHON, "-m", "ruff", "format", "--check", ".")
    findings = [finding for path in _files() for finding in _foreign_traces(path)]
    if findings:
        session.error("names of registries or build machines:\n" + "\n".join(findings))


@nox.session
def types(session: nox.Session) -> None:
    """Check types: benchbase and its tests, then each plugin with its own."""
    session.run(PYTHON, "-m", "mypy", env={"MYPYPATH": os.pathsep.join(map(str, PLUGINS))})
    for plugin in PLUGINS:
        # Test files of two plugins may have one name, so each plugin is checked by itself.
        session.run(PYTHON, "-m", "mypy", str(plugin), env={"MYPYPATH": str(plugin)})


@nox.session
def docs(session: nox.Session) -> None:
    """Check the documentation against the code (``-- --write`` renews the help texts in it)."""
    session.run(PYTHON, "tests/help_texts.py", *session.posargs)
    session.run(PYTHON, "-m", "pytest", "tests/test_docs.py")


@nox.session
def plugins(session: nox.Session) -> None:
    """Build every distribution as a wheel and try the plugins in a clean environment."""
    python = _fresh_environment(session, "plugins-environment")
    wheels = SCRATCH / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    session.run(UV, "build", "--quiet", "--wheel", "--all-packages", "--out-dir", str(wheels))
    # The versions of this environment: they lie in uv's cache, so that nothing is fetched again.
    versions = SCRATCH / "versions.txt"
    versions.write_text(_output(UV, "pip", "freeze", "--exclude-editable", "--python", PYTHON))
    built = sorted({*map(str, wheels.glob("*.whl"))} - {*map(str, wheels.glob("benchbase_ray*"))})
    _install(session, python, "--constraints", str(versions), *built, "pytest")

    elsewhere = Path(session.create_tmp())  # where the checkout cannot be imported from
    with session.chdir(elsewhere):
        session.run(str(python), "-c", OURS)
        listed = _output(str(python.with_name("benchbase")), "list", "--json")
        found = json.loads(listed)
        owners = {one["distribution"] for one in found["plugins"]}
        missing = sorted({plugin.name for plugin in LIGHT} - owners)
        if found["broken"] or missing:
            session.error(f"not listed: {missing}; broken: {found['broken']}")
        # `tests` runs all of their tests; here it is seen that the wheels hold what they need.
        session.run(
            str(python), "-m", "pytest", "-k", "contract and (trains or pickle)",
            f"--config-file={ROOT / 'pyproject.toml'}", f"--rootdir={ROOT / 'plugins'}",
            *(str(plugin / "tests") for plugin in LIGHT),
        )  # fmt: skip


@nox.session
def minimums(session: nox.Session) -> None:
    """Run the unit tests with the oldest versions that ``pyproject.toml`` allows."""
    python = _fresh_environment(session, "minimums-environment")
    editable = [part for plugin in [ROOT, *LIGHT] for part in ("--editable", str(plugin))]
    _install(session, python, "--resolution=lowest-direct", "--group=dev", *editable)
    session.run(str(python), "-m", "pytest", *(session.posargs or ["tests/unit"]))


@nox.session
def ray(session: nox.Session) -> None:
    """Run the tests of the plugin for Ray, on a cluster of two nodes on this machine."""
    python = _fresh_environment(session, "ray-environment")
    needed = [ROOT, RAY, ROOT / "plugins" / "benchbase-baselines"]
    _install(session, python, "--group=dev", *(f"--editable={each}" for each in needed))
    session.run(str(python), "-m", "pytest", *(session.posargs or [str(RAY)]))


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed, without the type checks of the test run."""
    where = session.posargs or ["tests/benchmarks"]
    session.run(PYTHON, "-m", "pytest", *where, env={"BENCHBASE_TYPECHECK": "0"})


@nox.session
def gpu(session: nox.Session) -> None:
    """Try everything on a card and write one report to send back: `gpu-report.json`."""
    path = session.posargs[0] if session.posargs else "gpu-report.json"
    # With its own exit code: 2 without a card, 3 where something is not as on the CPU.
    if code := subprocess.call([PYTHON, "-m", "tests.gpu_report", path]):
        sys.exit(code)


def _fresh_environment(session: nox.Session, name: str) -> Path:
    """Make an empty environment on this Python; give its interpreter."""
    if not UV:
        session.error("this session needs uv: run it as `uv run nox -s NAME`")
    folder = SCRATCH / name
    session.run(UV, "venv", "--quiet", "--clear", "--python", PYTHON, str(folder))
    return folder / "bin" / "python"


def _install(session: nox.Session, python: Path, *what: str) -> None:
    """Install into the environment of ``python``."""
    session.run(UV, "pip", "install", "--quiet", "--python", str(python), *what)


def _output(*command: str) -> str:
    """Run a program; give what it printed."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def _files() -> list[Path]:
    """Give the files that git tracks or would track."""
    command = [
        "git",
        "-C",
        str(ROOT),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    listed = _output(*command)
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


OURS = """
import importlib.metadata
owners = importlib.metadata.packages_distributions()["benchbase"]
assert owners == ["benchbase-harness"], f"`import benchbase` is of {owners}"
"""
"""The package index has a stranger's `benchbase`: what is imported must come from our wheel."""

REGISTRY = re.compile(
    r"(?:https?://[^\s/]*|(?<![\w.-])(?:[\w-]+\.)*)(?:pypi|pythonhosted|debian|conda|npmjs)"
    r"\.(?:org|com|net|io)"
)
BUILD_MACHINE = re.compile(r"(?<![\w.~$}-])/(?:work|root|home(?!/(?:me|you)\b))/\w")


def _foreign_traces(path: Path) -> list[str]:
    """Find hosts of package registries and absolute paths of a build machine in a text file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []  # not a text
    return [
        f"{path.relative_to(ROOT)}:{number}: {found.group()}"
        for number, line in enumerate(lines, 1)
        for found in [REGISTRY.search(line) or BUILD_MACHINE.search(line)]
        if found
    ]
