import click
import pytest

from benchbase.cli.suspects import Duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400)]
)
def test_a_time_is_read_with_its_unit(text, seconds):
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "0m", "ten", "5d", "-3m"])
def test_what_is_no_time_is_refused_with_an_example(text):
    with pytest.raises(click.BadParameter, match=r"expected a time such as 90s, 10m or 1\.5h"):
        Duration().convert(text, None, None)
