"""From an entry point to the class that it promises, with every way to go wrong named.

A plugin gets a plugin manager of its own: in a shared one, an implementation that raises would
take the others' answers with it.
"""

from __future__ import annotations

import importlib
import os
import traceback
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from benchbase.errors import PluginError
from benchbase.options import unknown
from benchbase.plugins.classes import check_class, name_of
from benchbase.plugins.discovery import Found, find_installed, thing

if TYPE_CHECKING:
    import click
    from pluggy import PluginManager


@dataclass(frozen=True)
class Failure:
    """An installed thing that did not load, and why."""

    found: Found
    reason: str


def load(found: Found) -> type[Any]:
    """Import one entry point's module and give the class that it promises.

    Raises:
        PluginError: something about it is wrong; the message names the distribution and says what
            to change.
    """
    try:
        [classes] = _call_hook(found)
        return _pick(found, classes)
    except PluginError as error:
        raise PluginError(
            f"{thing(found.kind)} {found.name!r} of {found.origin}: {error}"
        ) from error


def load_command(found: Found) -> click.Command:
    """Import one entry point of the kind ``commands`` and give the command that it promises.

    Raises:
        PluginError: something about it is wrong.
    """
    import click

    brought = click.Group()
    try:
        _call_hook(found, cli=brought)
        if found.name not in brought.commands:
            raise PluginError(
                f"register_commands did not add {found.name!r}, which the entry point promises: "
                f"give the command that name (`@cli.command({found.name!r})`)"
            )
    except PluginError as error:
        raise PluginError(f"command {found.name!r} of {found.origin}: {error}") from error
    return brought.commands[found.name]


def load_all(kind: str) -> tuple[list[tuple[Found, type[Any]]], list[Failure]]:
    """Load everything of a kind; what is broken is told, and the rest loads.

    Raises:
        PluginError: something is broken and ``BENCHBASE_STRICT=1`` is set.
    """
    loaded: list[tuple[Found, type[Any]]] = []
    failures: list[Failure] = []
    for found in find_installed(kind):
        try:
            loaded.append((found, load(found)))
        except PluginError as error:
            if is_strict():
                raise
            failures.append(Failure(found, str(error)))
    return loaded, failures


def is_strict() -> bool:
    """Tell whether a broken plugin is to end the command (``BENCHBASE_STRICT=1``)."""
    return os.environ.get("BENCHBASE_STRICT", "") not in ("", "0")


def import_plugin(name: str) -> ModuleType:
    """Import a module; whatever it raises becomes a PluginError with its place.

    Raises:
        PluginError: the import raised, or tried to end the process.
    """
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise PluginError(f"its import raised {describe_exception(error)}") from error


def describe_exception(error: BaseException, file: str | None = None) -> str:
    """Say what was raised and in which line, preferring the innermost line of ``file``."""
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, SyntaxError) and error.filename is not None:
        where, line = error.filename, error.lineno
        text = f"{type(error).__name__}: {error.msg}"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename == file]
        if not frames:
            return text
        where, line = (own or frames)[-1].filename, (own or frames)[-1].lineno
    return f"{text} ({where}, line {line})"


def _call_hook(found: Found, **arguments: Any) -> list[Any]:
    if ":" in found.module:
        raise PluginError(
            f"its entry point names an object ({found.module}): name the module alone, "
            f"{found.module.partition(':')[0]}"
        )
    module = import_plugin(found.module)
    _check_version(module)
    manager = _register(found.module, module)
    hook_name = f"register_{found.kind}"
    hook = getattr(manager.hook, hook_name)
    if not hook.get_hookimpls():
        raise PluginError(
            f"it implements no hook {hook_name}: write a function @hookimpl {hook_name}"
        )
    try:
        answers: list[Any] = hook(**arguments)
    except (Exception, SystemExit) as error:
        raise PluginError(f"{hook_name} raised {describe_exception(error)}") from error
    return answers


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
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        hooks = [hook for hook in dir(hookspecs) if manager.parse_hookspec_opts(hookspecs, hook)]
        written = [each for each in dir(module) if manager.parse_hookimpl_opts(module, each)]
        wrong = next(each for each in written if each not in hooks)
        raise PluginError(unknown("hook", wrong, hooks)) from error
    return manager


def _pick(found: Found, classes: Any) -> type[Any]:
    hook = f"register_{found.kind}"
    if not isinstance(classes, list | tuple):
        raise PluginError(f"{hook} gave {classes!r:.80}: expected a list of classes")
    named = {name_of(found.kind, cls): cls for cls in classes}
    if found.name not in named:
        got = ", ".join(str(name) for name in named) or "nothing"
        raise PluginError(
            f"{hook} gave {got} and no {found.name!r}, which the entry point promises: make the "
            "class's name and the entry point's the same"
        )
    cls: type[Any] = named[found.name]
    check_class(found.kind, cls)
    return cls
