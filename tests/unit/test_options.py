"""Options: declared as dataclass fields, typed on the command line, kept as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbase.errors import PluginError, UsageError
from benchbase.options import (
    OptionSpec,
    construct,
    option,
    options_of,
    read_value,
    write_value,
)

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True)
class Method:
    share: float = option(0.5, "Share of rows.", min=0, max=1)
    rounds: int = option(3, "Rounds.", min=1)
    mode: str = option("hard", "How to cut.", choices=("hard", "soft"))
    nested: bool = False
    limit: float | None = None


SPECS = options_of(Method)
SPEC = {spec.name: spec for spec in SPECS}


def test_fields_become_specs_in_their_order() -> None:
    assert [spec.name for spec in SPECS] == ["share", "rounds", "mode", "nested", "limit"]
    assert SPECS[0] == OptionSpec("share", "float", 0.5, "Share of rows.", 0, 1)
    assert SPECS[3] == OptionSpec("nested", "bool", False)
    assert SPECS[4] == OptionSpec("limit", "float", None, optional=True)


def test_a_plain_class_has_no_options() -> None:
    assert options_of(object) == ()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (SPECS[0], "float from 0 to 1"),
        (SPECS[1], "int of at least 1"),
        (SPECS[2], "one of hard, soft"),
        (SPECS[4], "float, or none"),
        (OptionSpec("x", "float", 0.0, max=2), "float of at most 2"),
    ],
)
def test_a_spec_says_what_it_expects(spec: OptionSpec, words: str) -> None:
    assert spec.expects == words


def test_a_whole_number_default_of_a_float_becomes_a_float() -> None:
    @dataclass(frozen=True)
    class Whole:
        power: float = 2

    [spec] = options_of(Whole)
    assert isinstance(spec.default, float)


def test_an_optional_in_the_old_spelling_is_understood() -> None:
    @dataclass(frozen=True)
    class Old:
        limit: Optional[int] = None  # noqa: UP045 - the spelling under test

    assert options_of(Old) == (OptionSpec("limit", "int", None, optional=True),)


def test_another_attribute_may_be_annotated_with_what_only_type_checkers_import() -> None:
    @dataclass(frozen=True)
    class Lazy:
        rounds: int = 3
        price: Decimal = field(default=None, init=False)  # type: ignore[assignment]

    assert [spec.name for spec in options_of(Lazy)] == ["rounds"]


def test_a_field_of_another_type_is_an_error() -> None:
    @dataclass(frozen=True)
    class Bad:
        sizes: tuple[int, ...] = (1, 2)

    with pytest.raises(PluginError, match=r"Bad\.sizes: an option is int, float, bool or str"):
        options_of(Bad)


def test_an_annotation_that_means_nothing_is_an_error() -> None:
    @dataclass(frozen=True)
    class Bad:
        size: Nothing = 1  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(PluginError, match=r"Bad\.size: the annotation means nothing"):
        options_of(Bad)


def test_a_field_without_a_default_is_an_error() -> None:
    @dataclass(frozen=True)
    class Bad:
        share: float

    with pytest.raises(PluginError, match=r"Bad\.share has no default"):
        options_of(Bad)


def test_a_default_outside_its_own_range_is_an_error() -> None:
    @dataclass(frozen=True)
    class Bad:
        share: float = option(1.5, "Share.", min=0, max=1)

    with pytest.raises(PluginError, match=r"its default does not fit.*from 0 to 1, got 1.5"):
        options_of(Bad)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("nested=TRUE", True), ("limit=2", 2.0), ("limit=none", None), ("share=1e-1", 0.1),
     ("mode=soft", "soft"), ("rounds=7", 7)],
)  # fmt: skip
def test_values_are_read_in_the_type_of_their_option(setting: str, value: object) -> None:
    name, _, text = setting.partition("=")
    read = SPEC[name].check(read_value(text))
    assert read == value
    assert type(read) is type(value)


def test_none_is_a_value_only_where_the_annotation_says_so() -> None:
    assert SPEC["limit"].check(None) is None
    with pytest.raises(UsageError, match="option share: expected float from 0 to 1"):
        SPEC["share"].check(None)


@pytest.mark.parametrize(
    "setting",
    ["share=1.5", "share=nan", "share=inf", "share=many", "rounds=0", "rounds=2.5", "nested=maybe",
     "mode=medium"],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_an_error_that_says_what_fits(setting: str) -> None:
    name, _, value = setting.partition("=")
    with pytest.raises(UsageError) as caught:
        SPEC[name].check(read_value(value))
    assert SPEC[name].expects in str(caught.value)
    assert value in str(caught.value)


def test_a_number_where_a_text_is_meant_is_an_error_that_says_how_to_write_it() -> None:
    with pytest.raises(UsageError, match=r'expected one of hard, soft, got 3; .* quoted: "3"'):
        SPEC["mode"].check(read_value("3"))


VALUES = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text()


@given(VALUES | st.floats(allow_nan=False, allow_infinity=False))
def test_a_value_is_read_as_it_was_written(value: object) -> None:
    read = read_value(write_value(value))
    assert (read, type(read)) == (value, type(value))


def test_an_instance_is_built_from_json_values() -> None:
    built = construct(Method, json.loads('{"share": 1, "nested": true}'))
    assert built == Method(share=1.0, nested=True)
    assert isinstance(built.share, float)


def test_building_checks_names_and_values() -> None:
    with pytest.raises(UsageError, match="unknown option 'shape'; did you mean share"):
        construct(Method, {"shape": 1.0})
    with pytest.raises(UsageError, match="from 0 to 1, got 2"):
        construct(Method, {"share": 2.0})
    with pytest.raises(UsageError, match="expected int"):
        construct(Method, {"rounds": True})


def test_a_combination_that_the_class_refuses_is_a_usage_error() -> None:
    @dataclass(frozen=True)
    class Picky:
        low: float = 0.0
        high: float = 1.0

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError("low must not exceed high")

    with pytest.raises(UsageError, match="low must not exceed high"):
        construct(Picky, {"low": 2.0})
