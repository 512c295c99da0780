"""What is installed: entry-point metadata, read without importing any plugin.

One entry-point group a kind; the entry point's name is the thing's name, its value the module.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from benchbase.errors import PluginError, UsageError
from benchbase.options import unknown
from benchbase.plugins.code import code_hash

KINDS = (
    "weighters",
    "backbones",
    "datasets",
    "corruptions",
    "metrics",
    "executors",
    "commands",
)
OWN_DISTRIBUTION = "benchbase"


def thing(kind: str) -> str:
    """Name one thing of a kind, for messages."""
    return {"datasets": "data set"}.get(kind, kind.removesuffix("s"))


@dataclass(frozen=True)
class Found:
    """One entry point: a thing that a distribution says it brings."""

    kind: str
    name: str
    module: str
    distribution: str
    version: str

    @property
    def qualified(self) -> str:
        """The name under which it stays reachable when another distribution takes it too."""
        return f"{self.distribution}:{self.name}"

    @property
    def origin(self) -> str:
        """Who brings it, for messages."""
        return f"{self.distribution} {self.version} ({self.module})"


def find_installed(kind: str) -> list[Found]:
    """List what installed distributions bring of one kind, by name.

    ``BENCHBASE_PLUGINS=a,b`` leaves these distributions and benchbase's own; set and empty, only
    the latter.

    Raises:
        UsageError: ``BENCHBASE_PLUGINS`` names a distribution that is not installed.
    """
    return find_all()[kind]


def find_all() -> dict[str, list[Found]]:
    """List what installed distributions bring, for every kind, reading the metadata once.

    Raises:
        UsageError: ``BENCHBASE_PLUGINS`` names a distribution that is not installed.
    """
    points = importlib.metadata.entry_points()
    found = [
        Found(
            kind, each.name, each.value, normalise_distribution(each.dist.name), each.dist.version
        )
        for kind in KINDS
        for each in points.select(group=f"benchbase.{kind}")
        if each.dist is not None
    ]
    chosen = _chosen_distributions({one.distribution for one in found})
    found = sorted(
        (one for one in found if one.distribution in chosen),
        key=lambda one: (one.name, one.distribution),
    )
    return {kind: [one for one in found if one.kind == kind] for kind in KINDS}


def _chosen_distributions(installed: set[str]) -> set[str]:
    text = os.environ.get("BENCHBASE_PLUGINS")
    if text is None:
        return installed
    chosen = {normalise_distribution(item.strip()) for item in text.split(",") if item.strip()}
    for name in sorted(chosen - installed):
        raise UsageError(f"BENCHBASE_PLUGINS: {unknown('plugin distribution', name, installed)}")
    return chosen | {OWN_DISTRIBUTION}


def normalise_distribution(name: str) -> str:
    """Write a distribution's name as package indexes compare it: lower case, single hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


def find_one(kind: str, name: str) -> Found:
    """Find the owner of ``name`` or ``distribution:name``.

    Raises:
        UsageError: nobody has it (the error names the nearest), or several do and the bare name
            was given (the error lists the long forms).
    """
    matches = matching(kind, name)
    if len(matches) == 1:
        return matches[0]
    if matches:
        forms = " or ".join(one.qualified for one in matches)
        raise UsageError(f"several distributions bring {name!r}: write {forms}")
    raise UsageError(unknown(thing(kind), name, reachable_names(find_installed(kind))))


def matching(kind: str, name: str) -> list[Found]:
    """Find everyone who brings ``name`` or ``distribution:name``."""
    distribution, colon, bare = name.rpartition(":")
    owner = normalise_distribution(distribution)
    return [
        one
        for one in find_installed(kind)
        if one.name == bare and (not colon or one.distribution == owner)
    ]


def reachable_names(found: list[Found]) -> list[str]:
    """Give the names under which ``found`` can be asked for: long forms where two share one."""
    owners = Counter(one.name for one in found)
    return [one.name if owners[one.name] == 1 else one.qualified for one in found]


def module_path(name: str) -> Path | None:
    """Find a module's source file without importing it or its parents; None if there is none."""
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    try:
        spec: ModuleSpec | None = importlib.util.find_spec(parts[0])
    except ValueError:  # a module without a spec, such as __main__
        return None
    for depth in range(1, len(parts)):
        if spec is None or spec.submodule_search_locations is None:
            return None
        inside = list(spec.submodule_search_locations)
        spec = PathFinder.find_spec(".".join(parts[: depth + 1]), inside)
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    return Path(spec.origin)


def module_source_hash(module_name: str) -> str:
    """Hash the code of a module, which is not imported; remarks in it do not count.

    A module by itself is one file. A plugin of several modules is a package, and all of its files
    count: a method is changed by whichever is changed. In benchbase's own package each module
    stands for itself.

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


def _hash_files(module_name: str, hash_of: Callable[[bytes], str]) -> str:
    path = module_path(module_name)
    if path is None or not path.is_file():
        raise PluginError(f"module {module_name!r} has no source file that can be found")
    root = module_name.partition(".")[0]
    home = module_path(root)
    if root == __name__.partition(".")[0] or home is None or home.name != "__init__.py":
        return hash_of(path.read_bytes())
    digest = hashlib.sha256()
    for file in sorted(path for path in home.parent.rglob("*.py") if path.is_file()):
        name = file.relative_to(home.parent).as_posix()
        digest.update(f"{name}:{hash_of(file.read_bytes())};".encode())
    return digest.hexdigest()
