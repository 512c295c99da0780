"""The pytest plugin: there for every plugin author, and light for everyone else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from benchbase.plugins.installed import find_installed
from benchbase.testing.site import PluginSite


def test_it_imports_neither_torch_nor_numpy() -> None:
    program = (
        "import sys, benchbase.testing.pytest_plugin\n"
        "assert not {'torch', 'numpy', 'benchbase.api'} & sys.modules.keys()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_the_toy_task_is_a_fixture(toy_task) -> None:
    assert toy_task(num_classes=2).num_classes == 2


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_one_thread_is_for_the_time_of_a_test(two_threads: None, one_thread: None) -> None:
    assert torch.get_num_threads() == 1


def test_a_fake_distribution_is_seen_with_its_version(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", "moon_data", version="2.1")
    assert ("moon-data", "2.1") in {
        (found.distribution, found.version) for found in find_installed()
    }


def test_modules_of_a_fake_installation_are_forgotten(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", "moon_data", moon_data="value = 1")
    import moon_data  # type: ignore[import-not-found]

    assert moon_data.value == 1
    plugin_site.forget()
    assert "moon_data" not in sys.modules
