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
    from benchbase.api import Step, Task
    from benchbase.testing.mixture import NoisyMixture
    from benchbase.testing.site import PluginSite


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Compute in one torch thread, as a run does: how many there are can change the last bits."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


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
