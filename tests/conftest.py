"""One thread, no network, no home of the developer's, and type checks at run time.

All of it goes through the environment, so that the processes that tests start have it as well.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from benchbase.running import typechecking
from tests.needs import required

if TYPE_CHECKING:
    from benchbase.records.home import Home
    from benchbase.running.executors.forkserver import ForkServer

# How long an example takes says more of a busy machine than of the code.
hypothesis.settings.register_profile(
    "benchbase", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("benchbase")
# Read when torch is imported, hence before any test module is.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
# Compiled once for all processes and sessions, also where the environment keeps no bytecode; from
# the first test on it is kept no more: what a test writes and imports changes within a second.
sys.dont_write_bytecode = False
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["COLUMNS"] = "100"

os.environ.setdefault(typechecking.SWITCH, "1")
if "benchbase.api" in sys.modules:
    raise RuntimeError("a pytest plugin imported benchbase.api before the type checks were on")
typechecking.install_if_asked()


def pytest_configure() -> None:
    """Refuse a misspelt name of something required before any test is run."""
    required()


def pytest_collection_finish() -> None:
    """Keep no bytecode of what tests write."""
    sys.dont_write_bytecode = True


@pytest.fixture(scope="session")
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is remembered what plugins bring, for all tests and for the next session.

    Finding it out imports torch and every plugin; an entry holds while no file of them changes.
    """
    folder = tmp_path_factory.getbasetemp().parent / "catalogue"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def make_home(remembered: Path) -> Callable[[Path], Path]:
    """Make a folder the home of a test, in which what is installed is known already."""

    def make(folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        (folder / "catalogue").symlink_to(remembered)
        return folder

    return make


@pytest.fixture(autouse=True)
def own_home(
    tmp_path_factory: pytest.TempPathFactory,
    make_home: Callable[[Path], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Give every test a home of its own; what it leaves there, no other test sees."""
    folder = make_home(tmp_path_factory.mktemp("home"))
    monkeypatch.setenv("BENCHBASE_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def server() -> Iterator[ForkServer]:
    """One process server for all tests that run cells: starting it imports torch."""
    from benchbase.judging import metrics
    from benchbase.running.executors.forkserver import ForkServer

    metrics.preload()
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture
def fresh_home(
    server: ForkServer, make_home: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Home:
    """Give a home that knows what is installed, and nothing of what tests install beside it."""
    from benchbase.plugins.installed import find_installed
    from benchbase.records.home import Home
    from benchbase.running import scouting

    known = Home(make_home(tmp_path_factory.mktemp("known")))
    scouting.read_catalogue(server, known)
    home = Home(tmp_path_factory.mktemp("fresh"))
    home.catalogue.mkdir()
    for one in find_installed():
        shutil.copy(scouting._remembered_at(one, known), home.catalogue)
    return home


@pytest.fixture(scope="session")
def shared_server(server: ForkServer) -> Iterator[ForkServer]:
    """Let commands that are run in this process use the one server of the tests."""
    from benchbase import pipeline
    from benchbase.cli import info, retraining, submit, verify
    from benchbase.errors import RunError
    from benchbase.running import scouting
    from benchbase.running.executors.child import Child
    from benchbase.running.executors.forkserver import ForkServer
    from benchbase.running.executors.sandbox import NOTHING, Sandbox, Shown

    class Shared(ForkServer):
        def __init__(self, sandbox: Sandbox | None = None) -> None:
            super().__init__(sandbox)
            self.children: list[Child] = []

        def start(self, module: str, log: Path | None = None, shown: Shown = NOTHING) -> Child:
            if self._closed:
                raise RunError("the process server was closed")
            server._sandbox = self._sandbox
            self.children.append(server.start(module, log, shown))
            return self.children[-1]

        def wait_until_ready(self) -> None:
            server.wait_until_ready()

        def close(self) -> None:
            self._closed = True
            server._sandbox = None
            for child in self.children:
                child.kill()

    with pytest.MonkeyPatch.context() as patch:
        for module in (pipeline, scouting, info, retraining, submit, verify):
            patch.setattr(module, "ForkServer", Shared)
        yield server


@pytest.fixture
def guard_runs(request: pytest.FixtureRequest, one_thread: None) -> Callable[..., None]:
    """Compare runs with their golden beside the test: ``guard_runs(name, version, runs)``."""
    from benchbase.testing.golden import guard

    renew, folder = bool(request.config.getoption("--renew-goldens")), request.path.parent
    return lambda name, version, runs: guard(
        name, version, runs, folder / "goldens" / f"{name}.json", renew=renew
    )


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the embedded data set is decoded once."""
    return tmp_path_factory.mktemp("cache")
