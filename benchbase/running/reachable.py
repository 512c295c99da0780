"""What a function can reach: found, written down, and put back in place.

The state of a training loop lies in local variables of the functions around it, in models,
optimisers and streams. A walk from the function finds all of it, in an order that is the same in
another process that came here the same way. What is found is a *place*. A place is written by its
contents, in which other places are named by their numbers, so that who shares what stays as it is.

What cannot be written whole, such as a generator function's frame, is refused and not guessed.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import inspect
import io
import itertools
import logging
import pickle
import re
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath
from types import (
    BuiltinFunctionType,
    CellType,
    FunctionType,
    GenericAlias,
    MethodType,
    ModuleType,
    UnionType,
)
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchbase.running.own_code import (
    Names,
    attributes_of_class,
    fill_class,
    module_of,
    parts_of_class,
    parts_of_function,
)


class CannotKeepError(Exception):
    """Something that a loop can reach cannot be written down, or not be put back."""


_VALUES = (
    type(None), bool, int, float, complex, str, bytes, range, slice, enum.Enum, re.Pattern,
    PurePath, np.generic, np.dtype, torch.dtype, torch.device, torch.Size, torch.layout,
    torch.memory_format,
)  # fmt: skip
"""Never change: written where they occur."""
_FIXED = (
    type, GenericAlias, UnionType, ModuleType, BuiltinFunctionType, weakref.ref,
    inspect.Signature, logging.Logger,
)  # fmt: skip
"""Are what they are in every process that came here the same way."""


class Reachable:
    """All that can be reached from ``roots``, but for what is ``given`` and never changes.

    ``is_own`` tells the modules whose names and classes may keep something.
    """

    def __init__(
        self, roots: Iterable[object], given: Iterable[object], is_own: Callable[[str], bool]
    ) -> None:
        self._is_own = is_own
        self._given = len(places := [*given])
        self._places: list[Any] = places
        self._numbers = {id(place): number for number, place in enumerate(places)}
        waiting: list[Any] = [*reversed([*roots])]
        while waiting:
            found = waiting.pop()
            if isinstance(found, _VALUES) or id(found) in self._numbers:
                continue
            if isinstance(found, tuple | frozenset):  # written where it occurs, but for its parts
                parts: Iterable[object] = found
            else:
                self._numbers[id(found)] = len(self._places)
                self._places.append(found)
                parts = (type(found), *self._kind(found).parts(found))
            waiting.extend(reversed([*parts]))

    def written(self, beside: object) -> bytes:
        """Write all places as they are now, and something that may name them.

        Raises:
            CannotKeepError: something cannot be written.
        """
        file = io.BytesIO()
        pickler = _Pickler(file, self._numbers)
        contents = [self._kind(place).contents(place) for place in self._places[self._given :]]
        try:
            pickler.dump((self._kinds(), contents, beside))
            whole = io.BytesIO()
            torch.save((file.getvalue(), pickler.tensors), whole)
        except Exception as error:
            raise CannotKeepError(f"{type(error).__name__}: {error}") from error
        return whole.getvalue()

    def put_back(self, written: bytes) -> Any:
        """Make all places what they were; give what was written beside them.

        Raises:
            CannotKeepError: these are not the places that were written.
        """
        graph, tensors = torch.load(io.BytesIO(written), weights_only=True)
        kinds, contents, beside = _Unpickler(io.BytesIO(graph), self._places, tensors).load()
        if kinds != self._kinds():
            raise CannotKeepError("another set of things is reached than when it was written")
        for place, content in zip(self._places[self._given :], contents, strict=True):
            self._kind(place).fill(place, content)
        return beside

    def _kind(self, place: object) -> _Kind:
        module = module_of(place)
        if module and self._is_own(module):
            return _OWN_CLASS if isinstance(place, type) else _own_function(self._is_own)
        if type(place).__module__ == "typing":
            return _UNCHANGED
        return next((kind for types, kind in _KINDS if isinstance(place, types)), _OBJECT)

    def _kinds(self) -> str:
        digest = hashlib.sha256()
        for place in self._places:
            shape = (place.shape, place.dtype) if isinstance(place, Tensor) else ()
            digest.update(f"{type(place).__module__}.{type(place).__qualname__}{shape}".encode())
        return digest.hexdigest()


class _Kind(NamedTuple):
    """How places of a kind are walked, written and put back."""

    parts: Callable[[Any], Iterable[object]]
    """What it holds."""
    contents: Callable[[Any], Any]
    fill: Callable[[Any, Any], object]


def _nothing(*_: object) -> tuple[object, ...]:
    return ()


def _held(cell: CellType) -> tuple[object, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:  # nothing was assigned yet
        return ()


def _fill_cell(cell: CellType, content: tuple[object, ...]) -> None:
    if content:
        [cell.cell_contents] = content


def _fill_tensor(tensor: Tensor, content: tuple[Tensor, Tensor | None]) -> None:
    values, tensor.grad = content
    same = torch.equal(tensor, values) and torch.equal(tensor.signbit(), values.signbit())
    if not same:  # what was not moved must not look moved; 0 is not the same as -0
        with torch.no_grad():
            tensor.copy_(values)


def _refill(container: Any, content: Iterable[Any]) -> None:
    container.clear()
    container.extend(content) if hasattr(container, "extend") else container.update(content)


def _attributes(place: Any) -> dict[str, Any]:
    """Give the attributes of an object that consists of nothing else.

    Raises:
        CannotKeepError: it is no such object.
    """
    kind = type(place)
    own_ways = {name for each in kind.__mro__[:-1] for name in vars(each)}
    slots = {*itertools.chain(*(vars(each).get("__slots__", ()) for each in kind.__mro__))}
    if (
        not hasattr(place, "__dict__")
        or own_ways & {"__reduce__", "__reduce_ex__"}
        or slots - {"__dict__", "__weakref__"}
    ):
        raise CannotKeepError(f"a {kind.__name__} is reached, whose state cannot be written")
    return dict(vars(place))


_OBJECT = _Kind(
    lambda place: _attributes(place).values(),
    _attributes,
    lambda place, content: _refill(vars(place), content),
)
_UNCHANGED = _Kind(_nothing, _nothing, _nothing)
_OWN_CLASS = _Kind(parts_of_class, attributes_of_class, fill_class)


def _own_function(is_own: Callable[[str], bool]) -> _Kind:
    return _Kind(lambda function: parts_of_function(function, is_own), _nothing, _nothing)


_KINDS: list[tuple[Any, _Kind]] = [
    (_FIXED, _UNCHANGED),
    (Names, _Kind(lambda names: names.now().values(), Names.now, Names.bind)),
    (
        FunctionType,
        _Kind(lambda f: (*(f.__closure__ or ()), *vars(f).values()), _nothing, _nothing),
    ),
    (
        MethodType,
        _Kind(lambda method: (method.__func__, method.__self__), _nothing, _nothing),
    ),
    (type(functools.cache(len)), _Kind(lambda cached: (cached.__wrapped__,), _nothing, _nothing)),
    (
        functools.partial,
        _Kind(lambda p: (p.func, *p.args, *p.keywords.values()), _nothing, _nothing),
    ),
    (CellType, _Kind(_held, _held, _fill_cell)),
    (dict, _Kind(lambda d: itertools.chain(*d.items()), lambda d: [*d.items()], _refill)),
    ((list, deque), _Kind(iter, list, _refill)),
    (set, _Kind(_nothing, list, _refill)),
    (Tensor, _Kind(_nothing, lambda t: (t.detach(), t.grad), _fill_tensor)),
    (np.ndarray, _Kind(_nothing, np.copy, lambda a, content: a.__setitem__(..., content))),
    (
        torch.Generator,
        _Kind(_nothing, lambda g: g.get_state(), lambda g, state: g.set_state(state)),
    ),
    (
        np.random.Generator,
        _Kind(
            _nothing,
            lambda g: g.bit_generator.state,
            lambda g, state: setattr(g.bit_generator, "state", state),
        ),
    ),
]
"""The first that fits counts; all else is an object with attributes."""


class _Pickler(pickle.Pickler):
    """Names places by number; lays tensors aside, for torch writes them best."""

    def __init__(self, file: io.BytesIO, numbers: dict[int, int]) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._numbers = numbers
        self._laid_aside: dict[int, int] = {}
        self.tensors: list[Tensor] = []

    def persistent_id(self, obj: Any) -> tuple[str, int] | None:
        number = self._numbers.get(id(obj))
        if number is not None:
            return "place", number
        if not isinstance(obj, Tensor):
            return None
        if id(obj) not in self._laid_aside:
            self._laid_aside[id(obj)] = len(self.tensors)
            self.tensors.append(obj)  # held, so that its id stays its own
        return "tensor", self._laid_aside[id(obj)]


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, places: Sequence[Any], tensors: Sequence[Tensor]) -> None:
        super().__init__(file)
        self._known = {"place": places, "tensor": tensors}

    def persistent_load(self, pid: tuple[str, int]) -> Any:
        kind, number = pid
        return self._known[kind][number]
