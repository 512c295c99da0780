"""What a method keeps in its modules and on its classes is put back; others' is left alone."""

from __future__ import annotations

import functools
import logging
import sys
from types import ModuleType
from typing import Any, ClassVar, Optional

import pytest
import torch

from benchbase.running.own_code import own_code
from benchbase.running.reachable import Reachable

COUNT = 0
SEEN: list[int] = []
LOG = logging.getLogger(__name__)
MADE: list[int]
EITHER = Optional[int]  # noqa: UP045 - an object of `typing`, which hides its state


class Keeps:
    count = 0
    seen: ClassVar[list[int]] = []

    def __call__(self):
        cls = type(self)
        cls.count += 1
        cls.seen.append(cls.count)

    def look(self):
        return self.count, [*self.seen]


class Inherits(Keeps):
    pass


class InProperty:
    @property
    def next(self):
        SEEN.append(1)

    @classmethod
    def second(cls) -> Any:
        SEEN.append(2)


def count_up():
    global COUNT  # noqa: PLW0603 - as a method's author might
    COUNT += 1


def makes_a_name():
    global MADE  # noqa: PLW0603 - as a method's author might
    MADE = [1]


def in_default(seen=[], *, more=[]):  # noqa: B006 - as a method's author might
    seen.append(1)
    more.append(2)
    return seen, more


def on_itself():
    vars(on_itself)["calls"] = 1


@functools.cache
def remembered():
    return SEEN


KEEPS, INHERITS, IN_PROPERTY = Keeps(), Inherits(), InProperty()


def helper_module():
    module = ModuleType("a_helper_of_the_authors")
    vars(module).update(count=0, seen=[])
    return module


def use_helper():
    import a_helper_of_the_authors as helper  # type: ignore[import-not-found]

    helper.count += 1
    helper.seen.append(helper.count)


def look_at_helper():
    helper = sys.modules["a_helper_of_the_authors"]
    return helper.count, [*helper.seen]


@pytest.mark.parametrize(
    ("change", "look"),
    [
        (count_up, lambda: COUNT),
        (lambda: SEEN.append(1), lambda: [*SEEN]),
        (lambda: SEEN.extend([1, 2]), lambda: [*SEEN]),
        (makes_a_name, lambda: globals().get("MADE")),
        (in_default, lambda: (in_default.__defaults__, in_default.__kwdefaults__)),
        (on_itself, lambda: vars(on_itself)),
        (KEEPS, KEEPS.look),
        (KEEPS.__call__, KEEPS.look),
        (INHERITS, INHERITS.look),
        (lambda: IN_PROPERTY.next, lambda: [*SEEN]),
        (lambda: IN_PROPERTY.second() or 0, lambda: [*SEEN]),
        (lambda: remembered().append(1), lambda: [*SEEN]),
        (use_helper, look_at_helper),
    ],
)
def test_what_is_kept_outside_of_objects_is_put_back(change: Any, look: Any, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "a_helper_of_the_authors", helper_module())
    found, before = Reachable([change], (), own_code()), repr(look())
    written = found.written(None)
    change()
    assert repr(look()) != before
    found.put_back(written)
    assert repr(look()) == before


def test_what_a_module_holds_for_the_reader_costs_no_snapshot():
    def train():
        LOG.debug("%s %s %s", EITHER, torch.nn.functional.relu, Any)

    Reachable([train], (), own_code()).written(None)


def test_only_the_author_s_modules_are_walked():
    is_own = own_code(Keeps)
    assert is_own(__name__)
    assert is_own("benchbase_plugin_file")
    assert not any(map(is_own, ("torch.nn", "numpy", "benchbase.kit.loops", "json", "pluggy")))


def test_an_installed_plugin_s_package_is_its_author_s():
    from pluggy import PluginManager

    assert own_code(PluginManager)("pluggy.hooks")
