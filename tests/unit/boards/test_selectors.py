"""Selectors: a name with settings, read from the command line, and the grid that they are."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from benchbase.boards.selectors import Selector, expand, parse_selector
from benchbase.cell import format_label
from benchbase.errors import UsageError
from benchbase.options import option, options_of


@dataclass(frozen=True)
class Method:
    share: float = option(0.5, "Share of rows.", min=0, max=1)
    rounds: int = option(3, "Rounds.", min=1)


SPECS = options_of(Method)


def test_a_selector_without_brackets_is_a_name() -> None:
    assert parse_selector("  method ") == Selector("method")
    assert parse_selector("./folder[1]/method.py") == Selector("./folder[1]/method.py")


def test_a_selector_holds_a_list_of_values_for_each_option() -> None:
    expected = Selector("my/method.py", (("share", ("0.1", "0.2")), ("mode", ("soft",))))
    assert parse_selector("my/method.py[share=0.1,0.2,mode=soft]") == expected
    assert parse_selector("my/method.py [ share = 0.1, 0.2 , mode=soft ]") == expected


@pytest.mark.parametrize(
    "text",
    ["", " ", "[share=1]", "method]", "method[share=1", "method[]", "method[1]", "method[share=]",
     "method[=1]", "method[share=1,,2]", "method[share=1,share=2]"],
)  # fmt: skip
def test_a_malformed_selector_is_an_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse_selector(text)


def test_the_points_of_a_selector_are_equal_where_its_settings_are() -> None:
    points = parse_selector("x[b=1,2,a=3]").points()
    assert points == [parse_selector(f"x[a=3,b={b}]") for b in (1, 2)]
    assert parse_selector("x").points() == [Selector("x")]


def test_a_selector_expands_to_a_grid_of_what_differs_from_the_defaults() -> None:
    grid = expand(parse_selector("method[share=0.5,0.25,rounds=3,4]"), SPECS)
    assert grid == [{}, {"rounds": 4}, {"share": 0.25}, {"share": 0.25, "rounds": 4}]


def test_values_that_mean_the_same_are_one_point() -> None:
    assert expand(parse_selector("method[share=1,1.0,1e0]"), SPECS) == [{"share": 1.0}]


def test_a_bare_name_expands_to_the_defaults() -> None:
    assert expand(Selector("method"), SPECS) == [{}]


def test_an_unknown_option_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="method: unknown option 'shar'; did you mean share"):
        expand(parse_selector("method[shar=1]"), SPECS)
    with pytest.raises(UsageError, match="there is none"):
        expand(parse_selector("method[shar=1]"), ())


@pytest.mark.parametrize("value", ["a,b", "x=1", "[/b]", 'say "no"', " padded ", "", "back\\slash"])
def test_any_text_can_be_an_option_s_value(value):
    label = format_label("named", {"file": value, "rate": 0.5})
    selector = parse_selector(label)
    assert selector.settings == (("file", (value,)), ("rate", ("0.5",)))


def test_brackets_in_a_file_s_name_are_the_file_s():
    selector = parse_selector("./a[1].py[rate=1,2]")
    assert (selector.name, selector.settings) == ("./a[1].py", (("rate", ("1", "2")),))
    assert parse_selector("./a[1].py").name == "./a[1].py"


def test_a_quote_without_its_end_is_a_usage_error():
    with pytest.raises(UsageError, match="expected a name or"):
        parse_selector('named[file="a]')
