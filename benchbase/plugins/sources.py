"""Where a weighter's code comes from: an installed name, a file, or a module."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.abc import SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

from benchbase.errors import PluginError, UsageError
from benchbase.options import looks_like_path, unknown
from benchbase.plugins.classes import bases_of, check_class
from benchbase.plugins.discovery import find_installed, find_one, module_path, reachable_names
from benchbase.plugins.loading import describe_exception, import_plugin, load

if TYPE_CHECKING:
    from benchbase.api import Weighter

FILE_MODULE = "benchbase_plugin_file"
"""A plugin file's name in ``sys.modules``, the same in every process, so that classes pickle."""


@dataclass(frozen=True)
class PluginSource:
    """Where weighters are loaded from."""

    kind: Literal["installed", "file", "module"]
    target: str
    """``name`` or ``distribution:name``, an absolute path, or a module's dotted name."""

    def to_json(self) -> dict[str, str]:
        """Give the JSON object."""
        return {"kind": self.kind, "target": self.target}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PluginSource:
        """Read what ``to_json`` wrote."""
        return cls(value["kind"], value["target"])


def resolve_source(name: str) -> PluginSource:
    """Tell what a name on the command line means; imports nothing.

    Raises:
        UsageError: there is no such file, or no such installed name or module (the error names
            the nearest), or several distributions bring the name.
    """
    if looks_like_path(name):
        return PluginSource("file", str(_checked_path(name)))
    found = find_installed("weighters")
    if ":" in name or any(one.name == name for one in found):
        find_one("weighters", name)
        return PluginSource("installed", name)
    if module_path(name) is not None:
        return PluginSource("module", name)
    message = unknown("weighter", name, reachable_names(found))
    if Path(f"{name}.py").is_file():
        message += f"; the file is given as ./{name}.py"
    raise UsageError(message)


def _checked_path(name: str) -> Path:
    path = Path(name).expanduser().absolute()
    if path.is_dir():
        raise UsageError(f"plugin {name}: expected a .py file, this is a directory")
    if path.suffix != ".py":
        raise UsageError(f"plugin {name}: expected a .py file")
    if not path.is_file():
        beside = [each.name for each in path.parent.glob("*.py")]
        near = unknown("file", path.name, beside).partition("; ")[2]
        raise UsageError(f"plugin {name}: no such file; {near}")
    return path


def load_weighters(source: PluginSource) -> list[type[Weighter]]:
    """Import a source and give its weighters: the one that was named, or all of a file or module.

    A file or module needs no more than ``Weighter`` subclasses with a ``name``.

    Raises:
        PluginError: it does not import, or a class in it is not what the contract asks for.
    """
    if source.kind == "installed":
        return [load(find_one("weighters", source.target))]
    module = _import_file(source.target) if source.kind == "file" else _import_module(source.target)
    try:
        return _weighters_in(module)
    except PluginError as error:
        raise PluginError(f"plugin {source.target}: {error}") from error


def _import_module(name: str) -> ModuleType:
    try:
        return import_plugin(name)
    except PluginError as error:
        raise PluginError(f"plugin {name}: {error}") from error


def _import_file(target: str) -> ModuleType:
    loader = _FileLoader(target)
    module = module_from_spec(ModuleSpec(FILE_MODULE, loader, origin=target))
    module.__file__ = target
    sys.modules[FILE_MODULE] = module
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[FILE_MODULE]
        raise PluginError(
            f"plugin {target} does not import: {describe_exception(error, target)}"
        ) from error
    return module


class _FileLoader(SourceLoader):
    """Compiles the file each time: no bytecode beside the user's file, and none out of date."""

    def __init__(self, path: str) -> None:
        self._path = path

    def get_filename(self, fullname: str) -> str:
        return self._path

    def get_data(self, path: str | bytes) -> bytes:
        return Path(os.fsdecode(path)).read_bytes()


def _weighters_in(module: ModuleType) -> list[type[Weighter]]:
    named: dict[str, type[Weighter]] = {}
    for cls in vars(module).values():
        if not _is_weighter(cls, module.__name__):
            continue
        check_class("weighters", cls)
        if named.setdefault(cls.name, cls) is not cls:
            raise PluginError(f"two weighters are called {cls.name!r}: rename one of them")
    if not named:
        raise PluginError(
            "it holds no weighter: write a subclass of LossWeighter or Weighter with a `name`"
        )
    return list(named.values())


def _is_weighter(cls: Any, module: str) -> TypeGuard[type[Weighter]]:
    """Tell a module's own weighters from imported ones and from a base that several share."""
    if not isinstance(cls, type) or not issubclass(cls, bases_of("weighters")):
        return False
    own = cls.__module__ == module or cls.__module__.startswith(f"{module}.")
    shared = "name" not in vars(cls) and (cls.__name__[0] == "_" or inspect.isabstract(cls))
    return own and not shared
