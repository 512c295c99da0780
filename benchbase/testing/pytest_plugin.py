"""Fixtures for plugin authors; registered with pytest wherever benchbase is installed.

Light at import: every pytest run of the environment imports this, also those of other projects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from benchbase.api import Backbone, Step, Task, Weighter
    from benchbase.testing.mixture import NoisyMixture
    from benchbase.testing.site import PluginSite


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that renews goldens."""
    parser.getgroup("benchbase").addoption(
        "--renew-goldens",
        action="store_true",
        help="write the goldens of what states a new version, or has none yet",
    )


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Compute in one torch thread, as a run does: how many there are can change the last bits."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def golden(
    request: pytest.FixtureRequest,
    one_thread: None,  # noqa: ARG001 - it is what holds meanwhile
) -> Callable[[type[Weighter] | type[Backbone]], None]:
    """Compare a weighter or backbone with its golden, in ``goldens`` beside the test's file."""
    from benchbase.testing.golden_cells import guard_class

    renew = bool(request.config.getoption("--renew-goldens"))
    return partial(guard_class, folder=request.path.parent / "goldens", renew=renew)


@pytest.fixture
def toy_task() -> Callable[..., Task]:
    """Build small tasks: ``toy_task(num_classes=2)``; see ``benchbase.testing.toy.toy_task``."""
    from benchbase.testing.toy import toy_task as build

    return build


@pytest.fixture
def toy_step() -> Callable[..., Step]:
    """Build a step from features, logits and labels; see ``benchbase.testing.toy.toy_step``."""
    from benchbase.testing.toy import toy_step as build

    return build


@pytest.fixture
def noisy_mixture() -> Callable[..., NoisyMixture]:
    """Draw points with wrong labels, where weights can tell; see ``benchbase.testing.mixture``."""
    from benchbase.testing.mixture import noisy_mixture as draw

    return draw


@pytest.fixture
def points_behind_unweighted(tmp_path: Path) -> Callable[..., float]:
    """Train on real images and compare with plain training; see ``benchbase.testing.real``."""
    from benchbase.testing.real import points_behind_unweighted as measure

    return partial(measure, folder=tmp_path)


@pytest.fixture
def plugin_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PluginSite]:
    """Give a fake installation on ``sys.path``; what was imported from it is forgotten after."""
    from benchbase.testing.site import PluginSite

    folder = tmp_path / "site"
    folder.mkdir()
    site = PluginSite(folder)
    monkeypatch.syspath_prepend(str(folder))
    yield site
    site.forget()
