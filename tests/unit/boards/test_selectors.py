"""Selectors: a name with settings, read from the command line, and the grid that they are."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbase.boards.selectors import Selector, parse_selector, parse_selectors, settle
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


def test_a_list_of_values_is_a_grid() -> None:
    text = "my/method.py[share=0.1,0.2,mode=soft]"
    expected = [
        Selector("my/method.py", (("mode", "soft"), ("share", share))) for share in (0.1, 0.2)
    ]
    assert parse_selectors([text]) == tuple(expected)
    assert parse_selectors(["my/method.py [ share = 0.1, 0.2 , mode=soft ]"]) == tuple(expected)
    assert parse_selectors(["x[b=1,2,1.0]", "x[b=2.0]"]) == parse_selectors(["x[b=1,2]"])
    with pytest.raises(UsageError, match="is a grid: give one value for each option"):
        parse_selector(text)


def test_a_distribution_stands_before_a_colon_however_it_is_spelt() -> None:
    selector = parse_selector("My_Package:method[on=true]")
    assert selector == Selector("method", (("on", True),), "my-package")
    assert (selector.target, selector.label) == ("my-package:method", "my-package:method[on=True]")
    assert parse_selector("./a:b.py") == Selector("./a:b.py")


NAMES = st.text("abz09-", min_size=1, max_size=5)
VALUES = st.none() | st.booleans() | st.integers(-99, 99) | st.floats(0, 1) | st.text(max_size=5)
OPTIONS = st.dictionaries(st.text("abz_", min_size=1, max_size=3), VALUES, max_size=3)


@given(NAMES, OPTIONS, st.sampled_from(["", "my-own"]))
def test_a_selector_is_read_as_it_was_written(name, options, owner) -> None:
    selector = Selector(name, tuple(sorted(options.items())), owner)
    read = parse_selector(selector.label)
    assert read == selector
    assert [type(value) for _, value in read.options] == [type(v) for _, v in selector.options]


@pytest.mark.parametrize(
    "text",
    ["", " ", "[share=1]", "method]", "method[share=1", "method[]", "method[1]", "method[share=]",
     "method[=1]", "method[share=1,,2]", "method[share=1,share=2]"],
)  # fmt: skip
def test_a_malformed_selector_is_an_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse_selector(text)


def settled(text: str) -> list[dict[str, object]]:
    return [settle(selector, SPECS) for selector in parse_selectors([text])]


def test_what_is_settled_differs_from_the_defaults_and_has_their_types() -> None:
    grid = settled("method[share=0.5,0.25,rounds=3,4]")
    assert grid == [{}, {"share": 0.25}, {"rounds": 4}, {"rounds": 4, "share": 0.25}]
    [whole] = settled("method[share=1]")
    assert (whole, type(whole["share"])) == ({"share": 1.0}, float)
    assert settled("method") == [{}]


def test_an_unknown_option_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="method: unknown option 'shar'; did you mean share"):
        settled("method[shar=1]")
    with pytest.raises(UsageError, match="there is none"):
        settle(parse_selector("method[shar=1]"), ())


def test_brackets_in_a_file_s_name_are_the_file_s():
    assert parse_selector("./a[1].py[rate=1]") == Selector("./a[1].py", (("rate", 1),))
    assert parse_selector("./a[1].py").name == "./a[1].py"


def test_a_quote_without_its_end_is_a_usage_error():
    with pytest.raises(UsageError, match="expected a name or"):
        parse_selector('named[file="a]')
