"""What is installed: one entry point a distribution, read without importing anything.

A distribution names one module in the entry-point group ``benchbase``; the hooks of that module
say what it brings.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from benchbase.cell import normalise_distribution
from benchbase.errors import PluginError, UsageError
from benchbase.options import unknown
from benchbase.plugins.code import code_hash
from benchbase.sources import code_files, module_path

GROUP = "benchbase"
OWN_DISTRIBUTION = "benchbase-harness"


@dataclass(frozen=True)
class Installed:
    """One distribution that brings plugins."""

    distribution: str
    version: str
    module: str


def find_installed() -> tuple[Installed, ...]:
    """List the distributions that bring plugins, by name; metadata are read once.

    ``BENCHBASE_PLUGINS=a,b`` leaves these and benchbase's own; set and empty, only the latter.

    Raises:
        UsageError: ``BENCHBASE_PLUGINS`` names a distribution that is not installed.
    """
    found = {
        one.distribution: one
        for point in importlib.metadata.entry_points(group=GROUP)
        for one in _read(point)
    }
    chosen = _chosen_distributions(found.keys())
    return tuple(one for name, one in sorted(found.items()) if name in chosen)


def _read(point: importlib.metadata.EntryPoint) -> Iterable[Installed]:
    """Read whose entry point it is; what a broken installation left behind is nobody's."""
    try:
        name, version = point.dist.metadata["Name"], point.dist.version  # type: ignore[union-attr]
    except Exception:  # noqa: BLE001 - a folder without METADATA, or one that cannot be read
        return
    if name and version:
        yield Installed(normalise_distribution(name), version, point.value)


def _chosen_distributions(installed: Iterable[str]) -> set[str]:
    text = os.environ.get("BENCHBASE_PLUGINS")
    if text is None:
        return {*installed}
    chosen = {normalise_distribution(item.strip()) for item in text.split(",") if item.strip()}
    for name in sorted(chosen - {*installed}):
        raise UsageError(f"BENCHBASE_PLUGINS: {unknown('plugin distribution', name, installed)}")
    return chosen | {OWN_DISTRIBUTION}


def module_source_hash(module_name: str) -> str:
    """Hash the code of a module, which is not imported; remarks in it do not count.

    A module by itself is one file. A plugin of several modules is a package, and all of its files
    count: a method is changed by whichever is changed.

    Raises:
        PluginError: there is no such module, or it has no file.
    """
    return _hash_files(module_name, code_hash)


def module_files_hash(module_name: str) -> str:
    """Hash the files of ``module_source_hash`` to the last byte.

    Raises:
        PluginError: there is no such module, or it has no file.
    """
    return _hash_files(module_name, lambda content: hashlib.sha256(content).hexdigest())


@functools.cache
def own_files_hash() -> str:
    """Hash benchbase itself: what is known of a plugin may come from a class of ours."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _hash_files(module_name: str, hash_of: Callable[[bytes], str]) -> str:
    path = module_path(module_name)
    if path is None or not path.is_file():
        raise PluginError(f"module {module_name!r} has no source file that can be found")
    home, files = code_files(module_name, path)
    if files == [path]:
        return hash_of(path.read_bytes())
    digest = hashlib.sha256()
    for file in files:
        name = file.relative_to(home).as_posix()
        digest.update(f"{name}:{hash_of(file.read_bytes())};".encode())
    return digest.hexdigest()
