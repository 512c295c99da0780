"""Which files hold the code of a module, found without importing anything."""

from __future__ import annotations

import ast
import functools
import importlib.util
import site
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import NamedTuple

OWN_PACKAGE = __name__.partition(".")[0]
ROOMS = 2
"""Levels below the package at which a room's modules lie."""


class _Import(NamedTuple):
    level: int
    """Dots before the name."""
    module: str
    names: tuple[str, ...]
    """What is taken from it: modules of a package, perhaps."""


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


def code_files(module_name: str, path: Path) -> tuple[Path, list[Path]]:
    """Give the files whose code makes a module, and the folder that they lie in.

    That is its own; or those of the package that it is part of, with an ``__init__.py`` or without.
    In benchbase's own package each module stands for itself, and a room within a room for all that
    is in it.
    """
    depth = module_name.count(".") + (path.name == "__init__.py")
    root = module_name.partition(".")[0]
    if root == OWN_PACKAGE and depth > ROOMS:
        return path.parent, sorted(path.parent.glob("*.py"))
    if root == OWN_PACKAGE or depth == 0 or path.parents[depth - 1].name != root:
        return path.parent, [path]
    home = path.parents[depth - 1]
    return home, sorted(file for file in home.rglob("*.py") if file.is_file())


def helper_files(files: Sequence[Path], package: str = "") -> Mapping[str, Path]:
    """Find what ``files`` import by name and nobody installed: modules beside them, on PYTHONPATH.

    These and what they import in turn, by name. What is imported at run time by other means, is
    installed, or is of the ``package`` that all the files are of, is not followed.
    """
    found: dict[str, Path] = {}
    seen: set[str] = set()
    waiting = [("", file) for file in files]
    while waiting:
        names = {*_imported(*waiting.pop())} - seen
        seen |= names
        for name in names:
            path = None if name.partition(".")[0] == package else _helper_path(name)
            if path is not None and path not in files:
                found[name] = path
                waiting.append((name, path))
    return dict(sorted(found.items()))


def _imported(module_name: str, path: Path) -> Iterator[str]:
    """Name the modules that a file imports, with the packages around them."""
    status = path.stat()
    package = module_name if path.name == "__init__.py" else module_name.rpartition(".")[0]
    for level, module, names in _read_imports(path, status.st_size, status.st_mtime_ns):
        whole = module
        if level:
            above = package.split(".")[: len(package.split(".")) - level + 1]
            if not module_name or not any(above):
                continue  # within a package whose files all count, or beyond its top
            whole = ".".join([*above, *([module] if module else [])])
        parts = whole.split(".")
        yield from (".".join(parts[: depth + 1]) for depth in range(len(parts)))
        yield from (f"{whole}.{name}" for name in names)


@functools.lru_cache(maxsize=1024)
def _read_imports(path: Path, _size: int, _changed: int) -> tuple[_Import, ...]:
    try:
        nodes = [*ast.walk(ast.parse(path.read_bytes()))]
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ()  # whoever imports it hears of that
    found = []
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [_Import(0, alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            found.append(_Import(node.level, node.module or "", names))
    return tuple(found)


def _helper_path(name: str) -> Path | None:
    """Give a module's file; None where it is installed, comes with Python or is benchbase's."""
    root = name.partition(".")[0]
    if comes_with_python_or_benchbase(root) or is_installed(root):
        return None
    path = module_path(name)
    return path if path is not None and path.suffix == ".py" and path.is_file() else None


def comes_with_python_or_benchbase(root: str) -> bool:
    """Tell whether a package's name is taken by one of these."""
    return root in sys.stdlib_module_names or root == OWN_PACKAGE


@functools.cache
def is_installed(root: str) -> bool:
    """Tell whether a package lies where packages are installed, and not in somebody's folder."""
    path = module_path(root)
    return path is not None and any(path.is_relative_to(folder) for folder in _folders())


@functools.cache
def _folders() -> frozenset[str]:
    """Name the folders of what comes with Python or is installed."""
    paths = sysconfig.get_paths()
    own = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return frozenset({*own, *site.getsitepackages(), site.getusersitepackages()})
