"""State that a method keeps outside of any object: in its modules' names and on its classes.

A function reaches what its code names, in its own module and in the author's others. What is
reached by computed names (``getattr``, ``globals()``) is not found. Whose code it is decides:
benchbase, Python and what else is installed are the same in every process.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from benchbase.sources import comes_with_python_or_benchbase, is_installed


def own_code(*classes: type) -> Callable[[str], bool]:
    """Tell a name of a module of the author's: of these classes' packages, or not installed."""
    packages = {_root(base.__module__) for each in classes for base in each.__mro__}

    def is_own(module: str) -> bool:
        root = _root(module)
        if comes_with_python_or_benchbase(root):
            return False
        return root in packages or not is_installed(root)

    return is_own


def _root(module: str) -> str:
    return module.partition(".")[0]


def module_of(place: object) -> str:
    """Name the module of a function or a class; nothing else has one here."""
    if isinstance(place, FunctionType):
        return str(place.__globals__.get("__name__", ""))
    is_class = isinstance(place, type) and not issubclass(place, enum.Enum)  # which are fixed
    return place.__module__ if is_class else ""


class Names:
    """Those names of a module that a function uses."""

    def __init__(self, module: dict[str, Any], names: list[str]) -> None:
        self._module = module
        self._names = names

    def now(self) -> dict[str, Any]:
        """Give what is bound to them."""
        return {name: self._module[name] for name in self._names if name in self._module}

    def bind(self, content: dict[str, Any]) -> None:
        """Bind them to what they were."""
        for name in self._names:
            if name in content:
                self._module[name] = content[name]
            else:
                self._module.pop(name, None)


def parts_of_function(function: FunctionType, is_own: Callable[[str], bool]) -> Iterator[object]:
    """Give what a function of the author's reaches."""
    yield from (*(function.__closure__ or ()), vars(function))
    yield from (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    names = [*dict.fromkeys(_names(function.__code__))]
    yield Names(function.__globals__, names)
    for name in names:
        module = function.__globals__.get(name, sys.modules.get(name))
        if isinstance(module, ModuleType) and is_own(module.__name__):
            yield Names(vars(module), names)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def parts_of_class(cls: type) -> Iterator[object]:
    """Give what a class of the author's reaches: bases, methods, attributes."""
    yield from cls.__bases__
    for value in vars(cls).values():
        # Methods lie within properties, class methods and the like.
        inner = ("__func__", "fget", "fset", "func")
        yield from (getattr(value, name) for name in inner if _is_method(value, name))
        if isinstance(value, FunctionType):
            yield value
    yield from attributes_of_class(cls).values()


def _is_method(value: object, name: str) -> bool:
    return hasattr(type(value), "__get__") and isinstance(getattr(value, name, None), FunctionType)


def attributes_of_class(cls: type) -> dict[str, Any]:
    """Give what is kept on a class, and not what makes it one."""
    return {
        name: value
        for name, value in vars(cls).items()
        if not (name.startswith("__") or name == "_abc_impl" or hasattr(type(value), "__get__"))
    }


def fill_class(cls: type, content: dict[str, Any]) -> None:
    """Let a class keep what it kept."""
    now = attributes_of_class(cls)
    for name in now.keys() - content.keys():
        delattr(cls, name)
    for name, value in content.items():
        if name not in now or now[name] is not value:
            setattr(cls, name, value)
