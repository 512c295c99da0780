"""From a source to the classes that it brings, with every way to go wrong named.

A plugin gets a plugin manager of its own: in a shared one, an implementation that raises would
take the others' answers with it.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from benchbase.errors import PluginError, describe_exception
from benchbase.options import unknown
from benchbase.plugins.kinds import KINDS, check_class
from benchbase.plugins.source import Source

if TYPE_CHECKING:
    from pluggy import PluginManager

FILE_MODULE = "benchbase_plugin_file"
"""A plugin file's name in ``sys.modules``, the same in every process, so that classes pickle."""


def load_class(source: Source, kind: str, name: str) -> type[Any]:
    """Import a source and give its one class of that kind and name.

    Raises:
        PluginError: it does not import, or does not bring the class, or the class is not what the
            contract asks for; the message names the source and says what to change.
    """
    for cls in load_classes(source, [kind])[kind]:
        if getattr(cls, "name", None) == name:
            with source.blamed():
                check_class(kind, cls)
            found: type[Any] = cls
            return found
    raise PluginError(f"{source.origin}: it brings no {KINDS[kind].thing} {name!r} any more")


def load_classes(source: Source, kinds: Sequence[str] = (*KINDS,)) -> dict[str, list[Any]]:
    """Import a source and give what it brings of some kinds, unchecked.

    A distribution's module answers by its hooks. A file or another module needs no more than
    subclasses of a contract, with a ``name``.

    Raises:
        PluginError: it does not import, speaks another API, or has a hook that is none, has a
            wrong signature, raises, or gives something else than a list.
    """
    with source.blamed():
        if source.kind == "file":
            module = _import_file(source.target)
        else:
            module = _import_module(source.target)
        if source.kind != "installed":
            return {kind: list(_classes_in(module, kind)) for kind in kinds}
        _check_version(module)
        manager = _register(source.target, module)
        return {kind: _ask(manager, kind) for kind in kinds}


def _import_module(name: str) -> ModuleType:
    if ":" in name:
        raise PluginError(
            f"its entry point names an object ({name}): name the module alone, "
            f"{name.partition(':')[0]}"
        )
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise PluginError(f"its import raised {describe_exception(error)}") from error


def _import_file(target: str) -> ModuleType:
    loader = _FileLoader(target)
    module = module_from_spec(ModuleSpec(FILE_MODULE, loader, origin=target))
    module.__file__ = target
    sys.modules[FILE_MODULE] = module
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[FILE_MODULE]
        raise PluginError(f"its import raised {describe_exception(error, target)}") from error
    return module


class _FileLoader(SourceLoader):
    """Compiles the file each time: no bytecode beside the user's file, and none out of date."""

    def __init__(self, path: str) -> None:
        self._path = path

    def get_filename(self, fullname: str) -> str:
        return self._path

    def get_data(self, path: str | bytes) -> bytes:
        return Path(os.fsdecode(path)).read_bytes()


def _classes_in(module: ModuleType, kind: str) -> Iterator[type[Any]]:
    """Find a module's own classes of a kind, not imported ones and no base that several share."""
    contract = KINDS[kind].contract()
    for cls in dict.fromkeys(each for each in vars(module).values() if isinstance(each, type)):
        own = cls.__module__ == module.__name__ or cls.__module__.startswith(f"{module.__name__}.")
        shared = "name" not in vars(cls) and (cls.__name__[0] == "_" or inspect.isabstract(cls))
        if own and issubclass(cls, contract) and not shared:
            yield cls


def _check_version(module: ModuleType) -> None:
    from benchbase.hookspecs import API_VERSION

    speaks = getattr(module, "BENCHBASE_API", None)
    if speaks is None:
        raise PluginError(
            f"it states no API version, this benchbase speaks {API_VERSION}: write "
            f"`BENCHBASE_API = {API_VERSION}` in the module"
        )
    if speaks != API_VERSION:
        raise PluginError(f"it speaks API {speaks}, this benchbase speaks {API_VERSION}")


def _register(name: str, module: ModuleType) -> PluginManager:
    import pluggy

    from benchbase import hookspecs

    manager = pluggy.PluginManager("benchbase")
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(module, name=name)
    except pluggy.PluginValidationError as error:
        _, definition, problem = str(error).split("\n", 2)
        raise PluginError(f"a hook has the wrong signature: {definition}: {problem}") from error
    hooks = [hook for hook in dir(hookspecs) if manager.parse_hookspec_opts(hookspecs, hook)]
    written = [each for each in dir(module) if manager.parse_hookimpl_opts(module, each)]
    for each in written:
        if each not in hooks:
            raise PluginError(unknown("hook", each, hooks))
    if not written:
        raise PluginError(
            f"it implements no hook: write a function @hookimpl, one of {', '.join(hooks)}"
        )
    return manager


def _ask(manager: PluginManager, kind: str) -> list[Any]:
    hook = f"register_{kind}"
    try:
        answers = getattr(manager.hook, hook)()
    except (Exception, SystemExit) as error:
        raise PluginError(f"{hook} raised {describe_exception(error)}") from error
    classes = answers[0] if answers else []
    if not isinstance(classes, list | tuple):
        raise PluginError(f"{hook} gave {classes!r:.80}: expected a list of classes")
    return [*classes]
